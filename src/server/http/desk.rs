//! Where credentials are handed out: first who asks, then how often, then the month's budget, then the answer.
//!
//! The server functions and the TURN REST form stand in front of it, each with an answer of its own form.
//!
//! Who asks is told by, in this order: an API key in `X-Api-Key`, or in the `key` of the TURN REST form, makes an app of
//! somebody else's; a token in `Authorization: Bearer` makes a participant; with neither the address counts. The key has a
//! header of its own because `Authorization` is the participants', and headers, unlike queries, stay out of the logs of proxies.

use super::AppState;
use crate::{
    app::api::ApiError,
    domain::ParticipantToken,
    protocol::{self, BandwidthState, BandwidthStatus, CheckLeave, ErrorCode, IceAnswer},
    server::{
        guard::{Caller, ClientAddress, ClientApp, Origin, TooMany},
        metrics::Given,
        providers::{Near, Whom},
        usage::{Asker, NoRoom},
    },
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts};
use std::{borrow::Cow, sync::Arc, time::Duration};
use url::form_urlencoded;

/// How many requests may come at once.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// How many more may come now.
pub(super) const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// Seconds until all of them may come again.
pub(super) const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// What a page says of the round trips to relays that it measured.
const ROUND_TRIPS: HeaderName = HeaderName::from_static(protocol::ROUND_TRIPS);
/// Whose relay a page hears nothing of.
const SILENT_RELAY: HeaderName = HeaderName::from_static(protocol::SILENT_RELAY);
/// The key of somebody else's app.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The TURN REST form, the one address that takes a key in its query: the form says so.
pub(super) const TURN_REST: &str = "/api/turn";

/// Where credentials are handed out. In the context of a request to the API, and of nothing else: a page that is being
/// rendered has none, so no credential can get into its HTML.
#[derive(Clone)]
pub(super) struct Desk(pub(super) AppState);

/// What is answered, and how often the caller may come again.
pub(super) struct Served {
    pub(super) answer: Result<IceAnswer, ApiError>,
    pub(super) rate: Option<[(HeaderName, HeaderValue); 3]>,
}

impl Desk {
    /// Answers one request. `user` is whom an app asks for, in the app's own words.
    pub(super) async fn serve(&self, request: Parts, user: Option<&str>) -> Served {
        let Self(state) = self;
        let near = self.where_from(&request.headers);
        let (caller, asker, refused) = self.who_asks(request).await;
        let rate = |limit: u32, remaining: u32, reset: Duration| {
            let reset = HeaderValue::from(whole_seconds(reset));
            Some([(LIMIT, HeaderValue::from(limit)), (REMAINING, HeaderValue::from(remaining)), (RESET, reset)])
        };
        let rate = match state.guard.admit(&caller).await {
            Ok(pass) => rate(pass.limit, pass.remaining, pass.reset),
            Err(refusal) => {
                state.answers.gave(Given::TooMany);
                let rate = rate(refusal.limit, 0, refusal.reset);
                return Served { answer: Err(self.with_stun(too_many(&caller, refusal))), rate };
            }
        };
        let answer = match refused {
            Some(refused) => Err(refused),
            None if state.usage.limit_reached().is_some() => {
                state.answers.gave(Given::LimitReached);
                Err(self.no_credentials(NoRoom::Used))
            }
            None => {
                let granted = self.grant(&caller, &asker, &near, user).await;
                state.answers.gave(match &granted {
                    Ok(answer) if answer.degraded => Given::Stun,
                    Ok(_) => Given::Relay,
                    Err(_) => Given::LimitReached,
                });
                granted.map_err(|why| self.no_credentials(why))
            }
        };
        Served { answer, rate }
    }

    /// Lets a check of a connection begin.
    pub(super) async fn begin_check(&self, request: Parts) -> Result<CheckLeave, ApiError> {
        let Self(state) = self;
        let address = ClientAddress::of(request, state.client_ip_source.clone()).await;
        state.guard.admit_check(address).await.map_err(|refusal| {
            let seconds = whole_seconds(refusal.retry_after);
            let message = format!("Data can be sent over the relay again in {}.", counted(seconds));
            ApiError::new(ErrorCode::TooManyRequests, "Too many checks", message).retried_after(seconds)
        })?;
        if state.usage.limit_reached().is_some() || state.usage.day_is_over() {
            return Err(self.limit_reached(NoRoom::Used));
        }
        Ok(CheckLeave { check: state.usage.begin_check() })
    }

    fn limit_reached(&self, why: NoRoom) -> ApiError {
        let Self(state) = self;
        limit_reached(state.usage.status(), why, &state.usage.day_turns_at())
    }

    /// For who asks for credentials, and learns when there may be some again.
    fn no_credentials(&self, why: NoRoom) -> ApiError {
        let again = whole_seconds(self.0.usage.again_in(why));
        self.with_stun(self.limit_reached(why).retried_after(again))
    }

    /// A refused page goes on with STUN, and direct connections stay possible.
    pub(super) fn with_stun(&self, mut error: ApiError) -> ApiError {
        error.0.ice_servers = Some(self.0.grants.stun_servers());
        error
    }

    async fn grant(
        &self,
        caller: &Caller,
        asker: &Asker,
        near: &Near,
        user: Option<&str>,
    ) -> Result<IceAnswer, NoRoom> {
        let grants = &self.0.grants;
        match (caller, user) {
            (Caller::Participant(code, participant), _) => {
                grants.for_participant((*code, *participant), asker, near).await
            }
            (Caller::App(app), Some(user)) => grants.for_another(Whom::user(app.secret(), user), asker, near).await,
            // A stranger could take anybody's name.
            (Caller::App(_), None) | (Caller::Stranger(_), _) => {
                grants.for_another(Whom::stranger(), asker, near).await
            }
        }
    }

    /// What is known of where the caller is, and of its relays.
    fn where_from(&self, headers: &HeaderMap) -> Near {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let near = Near::new(self.0.grants.region_header().and_then(text), text(ROUND_TRIPS));
        near.without(text(SILENT_RELAY).and_then(|name| name.parse().ok()))
    }

    /// Who is counted, for whom their bytes are, and why they get nothing even if their rate allows it. With a token that is nobody's
    /// the address counts, as if there were none. A key that is nobody's is refused, and counted like a stranger's request: keys
    /// are not guessed.
    async fn who_asks(&self, request: Parts) -> (Caller, Asker, Option<ApiError>) {
        let Self(state) = self;
        let key = api_key(&request.headers, &request.uri);
        if let Some(app) = key.as_deref().and_then(|key| state.apps.of_key(key)) {
            let refused = (!may_use(&app, &request.headers)).then(foreign_page);
            let asker = Asker::of_app(app.name());
            return (Caller::App(app), asker, refused);
        }
        let refused = key.is_some().then(unknown_key);
        let token = bearer(&request.headers).filter(|_| refused.is_none());
        let address = ClientAddress::of(request, state.client_ip_source.clone()).await;
        let host = match &token {
            Some(token) => state.sessions.authenticate(token).await,
            None => None,
        };
        match token.zip(host) {
            Some((token, host)) => {
                let asker = Asker::participant(token.participant, host, state.guard.pseudonym(address));
                (Caller::Participant(token.code, token.participant), asker, refused)
            }
            None => (Caller::Stranger(address), Asker::stranger(state.guard.pseudonym(address)), refused),
        }
    }
}

/// The key that a request carries.
pub(super) fn api_key<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let key = match headers.get(API_KEY) {
        // What is no text is nobody's key.
        Some(key) => Some(key.to_str().map_or(Cow::Borrowed("?"), Cow::Borrowed)),
        None if uri.path() == TURN_REST => parameter(uri, "key"),
        None => None,
    };
    key.filter(|key| !key.is_empty())
}

/// The first parameter of this name in a query.
pub fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value)
}

/// Programs send no `Origin`; pages have to be on the app's list.
fn may_use(app: &Arc<ClientApp>, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    origin.to_str().ok().and_then(Origin::parse).is_some_and(|origin| app.lists(&origin))
}

fn bearer(headers: &HeaderMap) -> Option<ParticipantToken> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    token.trim().parse().ok()
}

fn unknown_key() -> ApiError {
    let message = "No app has this key. Check it against API_KEYS_FILE; without a key the rate for addresses counts.";
    ApiError::new(ErrorCode::UnknownApiKey, "Unknown API key", message)
}

fn foreign_page() -> ApiError {
    let message =
        "This key is not for pages of this origin. Whoever runs this server adds it to origins= in API_KEYS_FILE.";
    ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message)
}

fn too_many(caller: &Caller, refusal: TooMany) -> ApiError {
    let seconds = whole_seconds(refusal.retry_after);
    let way_out = match caller {
        Caller::Participant(..) | Caller::Stranger(_) => "In a session there is a larger allowance of your own.",
        Caller::App(_) => "Whoever runs this server can raise rate= of this app in API_KEYS_FILE.",
    };
    let message = format!("Ask again in {}. {way_out}", counted(seconds));
    ApiError::new(ErrorCode::TooManyRequests, "Too many credential requests", message).retried_after(seconds)
}

fn counted(seconds: u64) -> String {
    format!("{seconds} {}", if seconds == 1 { "second" } else { "seconds" })
}

fn limit_reached(status: BandwidthStatus, why: NoRoom, day_turns_at: &str) -> ApiError {
    let message = if status.status == BandwidthState::LimitExceeded {
        format!(
            "This month's relay budget is used up. Direct connections go on; relays are to be had again from {}, or once \
             whoever runs this server raises the limit.",
            status.reset_date
        )
    } else if why == NoRoom::Used {
        format!(
            "This day's relay budget is used up. Direct connections go on; relays are to be had again from {day_turns_at}, or \
             once whoever runs this server raises the limit."
        )
    } else {
        "What is left of this month's relay budget is promised to connections that run now. Direct connections go on; ask \
         again in a few minutes, when what they did not use is free."
            .to_owned()
    };
    let mut error = ApiError::new(ErrorCode::BandwidthLimitReached, "Bandwidth limit reached", message);
    error.0.bandwidth_used = Some(status.bandwidth_used_gb);
    error.0.bandwidth_limit = Some(status.bandwidth_limit_gb);
    error
}

/// Rounded up: who waits that long is not refused again.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
