//! What stands behind the server functions of [`crate::app::api`].

use super::{AppState, error};
use crate::{
    app::{api::ApiError, language::Speech},
    domain::{Language, ParticipantToken},
    protocol::{BandwidthStatus, CheckLeave, ErrorCode, IceAnswer},
    server::{
        guard::{self, Caller, ClientAddress, TooMany},
        usage::Usage,
    },
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
use std::{
    future::{Ready, ready},
    time::Duration,
};

/// How many requests may come at once.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// How many more may come now.
pub(super) const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// Seconds until all of them may come again.
pub(super) const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Where credentials are handed out. In the context of a request to the API, and of nothing else: a page that is being
/// rendered has none, so no credential can get into its HTML.
#[derive(Clone)]
pub(super) struct Desk(pub(super) AppState);

/// `GET /api/turn-credentials` and `/api/ice-servers`: first the rate, then the month's budget, then the answer.
pub async fn turn_credentials() -> Result<IceAnswer, ApiError> {
    let (Some(Desk(state)), Some(request), Some(response)) =
        (use_context::<Desk>(), use_context::<Parts>(), use_context::<ResponseOptions>())
    else {
        tracing::error!("Credentials were asked for while a page was being rendered");
        return Err(error::internal());
    };
    let caller = who_asks(&state, request).await;
    let headers = |limit: u32, remaining: u32, reset: Duration| {
        response.insert_header(LIMIT, HeaderValue::from(limit));
        response.insert_header(REMAINING, HeaderValue::from(remaining));
        response.insert_header(RESET, HeaderValue::from(whole_seconds(reset)));
    };
    match state.guard.admit(caller) {
        Ok(pass) => headers(pass.limit, pass.remaining, pass.reset),
        Err(refusal) => {
            headers(refusal.limit, 0, refusal.reset);
            return Err(with_stun(too_many(refusal), &state));
        }
    }
    if state.usage.limit_reached().is_some() {
        return Err(with_stun(limit_reached(state.usage.status()), &state));
    }
    Ok(match caller {
        Caller::Participant(code, participant) => state.grants.for_participant((code, participant)).await,
        Caller::Stranger(_) => state.grants.for_stranger().await,
    })
}

/// `POST /api/check`: leave to send a little over relays. The same address may ask as often as for credentials, and all of
/// them together not without end.
pub async fn begin_check() -> Result<CheckLeave, ApiError> {
    let (Some(Desk(state)), Some(request)) = (use_context::<Desk>(), use_context::<Parts>()) else {
        tracing::error!("A check was begun while a page was being rendered");
        return Err(error::internal());
    };
    if !guard::origin::allows(&request.headers, state.client_url.as_ref()) {
        let message = "Only this app's own pages check a connection. Open it at the address in CLIENT_URL.";
        return Err(ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message));
    }
    let address = ClientAddress::of(request, state.client_ip_source.clone()).await;
    state.guard.admit_check(address).map_err(|refusal| {
        let seconds = whole_seconds(refusal.retry_after);
        let message = format!("Data can be sent over the relay again in {}.", counted(seconds));
        ApiError::new(ErrorCode::TooManyRequests, "Too many checks", message).retried_after(seconds)
    })?;
    if state.usage.limit_reached().is_some() {
        return Err(limit_reached(state.usage.status()));
    }
    Ok(CheckLeave { check: state.usage.begin_check() })
}

/// The language in which the page of this request is rendered.
pub(super) fn speech() -> Speech {
    let request = use_context::<Parts>();
    let header = |name: HeaderName| {
        let value = request.as_ref().and_then(|request| request.headers.get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    Speech::beginning_in(Language::of_request(header(header::COOKIE), header(header::ACCEPT_LANGUAGE)))
}

/// `GET /api/bandwidth-status`.
pub fn bandwidth_status() -> Ready<Result<BandwidthStatus, ApiError>> {
    ready(use_context::<Usage>().map(|usage| usage.status()).ok_or_else(error::internal))
}

/// A valid token makes a participant; with any other the address counts, as if there were none.
async fn who_asks(state: &AppState, request: Parts) -> Caller {
    match bearer(&request.headers).filter(|token| state.sessions.authenticate(token)) {
        Some(token) => Caller::Participant(token.code, token.participant),
        None => Caller::Stranger(ClientAddress::of(request, state.client_ip_source.clone()).await),
    }
}

fn bearer(headers: &HeaderMap) -> Option<ParticipantToken> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    token.trim().parse().ok()
}

fn too_many(refusal: TooMany) -> ApiError {
    let seconds = whole_seconds(refusal.retry_after);
    let message = format!("Ask again in {}. In a session there is a larger allowance of your own.", counted(seconds));
    ApiError::new(ErrorCode::TooManyRequests, "Too many credential requests", message).retried_after(seconds)
}

fn counted(seconds: u64) -> String {
    format!("{seconds} {}", if seconds == 1 { "second" } else { "seconds" })
}

fn limit_reached(status: BandwidthStatus) -> ApiError {
    let message = format!(
        "This month's relay budget is used up. Direct connections go on; relays are to be had again from {}, or once \
         whoever runs this server raises the limit.",
        status.reset_date
    );
    let mut error = ApiError::new(ErrorCode::BandwidthLimitReached, "Bandwidth limit reached", message);
    error.0.bandwidth_used = Some(status.bandwidth_used_gb);
    error.0.bandwidth_limit = Some(status.bandwidth_limit_gb);
    error
}

/// A refused page goes on with STUN, and direct connections stay possible.
fn with_stun(mut error: ApiError, state: &AppState) -> ApiError {
    error.0.ice_servers = Some(state.grants.stun_servers());
    error
}

/// Rounded up: who waits that long is not refused again.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
