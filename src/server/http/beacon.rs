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
use serde::de::DeserializeOwned;

pub(super) async fn take(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let beacon: UsageBeacon = read_report(&state, &headers, &body).map_err(|refused| *refused)?;
    match state.sessions.report_beacon(beacon) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ BeaconError::NotYours) => {
            Err(ApiError::new(ErrorCode::UnknownParticipant, "Unknown participant", error.to_string()))
        }
        Err(error) => Err(bad_request(error.to_string())),
    }
}

/// What one of the app's own pages reports of usage.
pub(super) fn read_report<T: DeserializeOwned>(
    state: &AppState,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<T, Box<ApiError>> {
    if !guard::origin::allows(headers, state.client_url.as_ref()) {
        let message = "Only this app's own pages report usage. Open it at the address in CLIENT_URL.";
        return Err(Box::new(ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message)));
    }
    serde_json::from_slice(body).map_err(|error| {
        // Where it went wrong, not what stood there: that may be the token.
        let place = format!("line {}, column {}", error.line(), error.column());
        Box::new(bad_request(format!("The report is not what this address takes ({place}).")))
    })
}

pub(super) fn bad_request(message: String) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "Bad request", message)
}
