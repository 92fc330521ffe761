//! `GET /api/turn?service=turn&username=..&key=..`: credentials in the form of the TURN REST API, which other people's WebRTC
//! apps and servers speak (<https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00>).
//!
//! The form has one login and nothing but relays: where there are none to be had it is an error, and of several providers the
//! first one counts. The `username` of an app goes no further than into a [`Pseudonym`](crate::server::providers::Pseudonym).

use super::{
    AppState,
    desk::{Desk, Served, parameter},
};
use crate::{
    app::api::ApiError,
    protocol::{DegradedReason, ErrorCode, IceAnswer, IceServer, TurnRestAnswer},
};
use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};

/// When to ask again while no provider answers. One that fails is left alone for about as long.
const RETRY_AFTER_SECONDS: u64 = 5;

pub(super) async fn answer(State(state): State<AppState>, request: Request) -> Response {
    let request = request.into_parts().0;
    let uri = request.uri.clone();
    if parameter(&uri, "service").as_deref() != Some("turn") {
        let message = "This address hands out credentials of relays only: ask with service=turn, as in \
                       /api/turn?service=turn&username=alice.";
        return ApiError::new(ErrorCode::BadRequest, "Unsupported service", message).into_response();
    }
    let user = parameter(&uri, "username").filter(|user| !user.is_empty());
    let desk = Desk(state);
    let Served { answer, rate } = desk.serve(request, user.as_deref()).await;
    let mut response = match answer {
        Ok(answer) => {
            let reason = answer.reason;
            in_this_form(answer)
                .map_or_else(|| desk.with_stun(no_relay(reason)).into_response(), |given| Json(given).into_response())
        }
        Err(error) => error.into_response(),
    };
    response.headers_mut().extend(rate.into_iter().flatten());
    response
}

/// The first login and its relays; `None` where there is no relay. A STUN server beside them has no place in the form.
fn in_this_form(answer: IceAnswer) -> Option<TurnRestAnswer> {
    let login = |server: IceServer| Some((server.username?, server.credential?, server.urls));
    let (username, password, urls) = answer.ice_servers.into_iter().find_map(login)?;
    let uris = urls.into_iter().filter(|url| url.starts_with("turn")).collect();
    Some(TurnRestAnswer { username, password, ttl: answer.expires_in?, uris })
}

fn no_relay(reason: Option<DegradedReason>) -> ApiError {
    let asks_nobody = reason == Some(DegradedReason::NotConfigured);
    let message = if asks_nobody {
        "This server has no relay: whoever runs it sets the variables of a provider. Use the STUN servers meanwhile."
    } else {
        "No relay is to be had now. Ask again in a few seconds, and use the STUN servers meanwhile."
    };
    let mut error = ApiError::new(ErrorCode::NoRelay, "No relay", message);
    error.0.retry_after = (!asks_nobody).then_some(RETRY_AFTER_SECONDS);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(urls: &[&str], login: Option<&str>) -> IceServer {
        let login = login.map(str::to_owned);
        IceServer { urls: urls.iter().map(ToString::to_string).collect(), username: login.clone(), credential: login }
    }

    fn answered(ice_servers: Vec<IceServer>) -> IceAnswer {
        IceAnswer {
            ice_servers,
            provider: "coturn".into(),
            expires_at: Some("2030-01-01T00:00:00Z".into()),
            expires_in: Some(3_600),
            degraded: false,
            reason: None,
            places: Vec::new(),
        }
    }

    #[test]
    fn the_first_login_is_given_with_its_relays_alone() {
        let servers = vec![
            server(&["stun:a.example"], None),
            server(&["stun:b.example", "turn:b.example", "turns:b.example:443?transport=tcp"], Some("first")),
            server(&["turn:c.example"], Some("second")),
        ];
        let uris = ["turn:b.example", "turns:b.example:443?transport=tcp"].map(str::to_owned).to_vec();
        let given = in_this_form(answered(servers)).unwrap();
        assert_eq!(given, TurnRestAnswer { username: "first".into(), password: "first".into(), ttl: 3_600, uris });
    }

    #[test]
    fn stun_alone_is_an_error_that_says_whether_to_ask_again() {
        let stun = server(&["stun:a.example"], None);
        assert_eq!(in_this_form(IceAnswer { expires_in: None, ..answered(vec![stun]) }), None);
        for (reason, retry_after) in [(DegradedReason::NotConfigured, None), (DegradedReason::ProviderError, Some(5))] {
            let error = no_relay(Some(reason));
            assert_eq!((error.0.code, error.0.retry_after), (ErrorCode::NoRelay, retry_after));
        }
    }
}
