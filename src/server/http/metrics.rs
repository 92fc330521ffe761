//! Figures, and who may read them.
//!
//! With `ADMIN_TOKEN` whoever has it; wrong ones are counted with those of the operator's page, so that nobody guesses here what they may
//! not guess there. Without, programs on this very machine that come by no proxy: a private network may be somebody's balancer,
//! which stands for the rest of the world.

use super::{AppState, admin};
use crate::server::{
    guard::{ClientAddress, NotLetIn, forwarded},
    metrics,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::net::{IpAddr, SocketAddr};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub(super) async fn figures(
    State(state): State<AppState>,
    ConnectInfo(connection): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let mut parts = request.into_parts().0;
    let from = ClientAddress::of_request(&mut parts, state.client_ip_source.clone()).await;
    let door = state.operator.door();
    // A program that was not given the token guesses none, however often it asks.
    if door.is_guarded() && !parts.headers.contains_key(header::AUTHORIZATION) {
        return admin::not_let_in(NotLetIn::WrongToken);
    }
    match door.let_in(&parts.headers, from, state.sessions.clock().now()) {
        Ok(()) => {}
        Err(NotLetIn::NoToken) if is_of_this_machine(connection.ip(), &parts.headers) => {}
        Err(NotLetIn::NoToken) => {
            let words = "Without ADMIN_TOKEN this is for programs on the server's own machine that come by no proxy. Set it, and send it \
                         as a bearer token.\n";
            return (StatusCode::FORBIDDEN, words).into_response();
        }
        Err(why @ (NotLetIn::WrongToken | NotLetIn::TooMany(_))) => return admin::not_let_in(why),
    }
    match metrics::text(&state.sessions, &state.usage, &state.grants, &state.answers, &state.checks) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            tracing::error!("Figures could not be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn is_of_this_machine(address: IpAddr, headers: &HeaderMap) -> bool {
    address.to_canonical().is_loopback() && forwarded::arrived(headers).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn without_a_token_only_this_machine_reads_and_by_no_proxy() {
        let proxied = HeaderMap::from_iter([(header::FORWARDED, HeaderValue::from_static("for=127.0.0.1"))]);
        for own in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_of_this_machine(own.parse().unwrap(), &HeaderMap::new()), "{own}");
            assert!(!is_of_this_machine(own.parse().unwrap(), &proxied), "{own}");
        }
        for other in ["10.1.2.3", "192.168.0.9", "::ffff:172.16.0.1", "fd00::1", "fe80::1", "192.0.2.1", "2001:db8::1"]
        {
            assert!(!is_of_this_machine(other.parse().unwrap(), &HeaderMap::new()), "{other}");
        }
    }
}
