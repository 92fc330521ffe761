//! `POST /api/usage`: the last counters of a page that goes away.
//!
//! `navigator.sendBeacon` sets no headers, so the token is in the body, and the body's type is whatever the page's blob
//! says: it is read as JSON either way.

use super::AppState;
use crate::{
    app::api::ApiError,
    protocol::{ErrorCode, UsageBeacon},
    server::{guard, signaling::BeaconError},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

pub(super) async fn take(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    if !guard::origin::allows(&headers, state.client_url.as_ref()) {
        let message = "Only this app's own pages report usage. Open it at the address in CLIENT_URL.";
        return Err(ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message));
    }
    let beacon: UsageBeacon = serde_json::from_slice(&body).map_err(|error| {
        // Where it went wrong, not what stood there: that may be the token.
        let place = format!("line {}, column {}", error.line(), error.column());
        bad_request(format!("The report is not what this address takes ({place})."))
    })?;
    match state.sessions.report_beacon(beacon) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ BeaconError::NotYours) => {
            Err(ApiError::new(ErrorCode::UnknownParticipant, "Unknown participant", error.to_string()))
        }
        Err(error) => Err(bad_request(error.to_string())),
    }
}

fn bad_request(message: String) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "Bad request", message)
}
