//! `POST /api/usage`: the last counters of a page that goes away.
//!
//! `navigator.sendBeacon` sets no headers, so the token is in the body, and the body's type is whatever the page's blob
//! says: it is read as JSON either way.

use super::AppState;
use crate::{
    app::api::ApiError,
    protocol::{ErrorCode, UsageBeacon},
    server::signaling::BeaconError,
};
use axum::{body::Bytes, extract::State, http::StatusCode};
use serde::de::DeserializeOwned;

pub(super) async fn take(State(state): State<AppState>, body: Bytes) -> Result<StatusCode, ApiError> {
    let beacon: UsageBeacon = read_report(&body).map_err(|refused| *refused)?;
    match state.sessions.report_beacon(beacon).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ BeaconError::NotYours) => {
            Err(ApiError::new(ErrorCode::UnknownParticipant, "Unknown participant", error.to_string()))
        }
        Err(error) => Err(bad_request(error.to_string())),
    }
}

/// What a page reports of usage. That it is one of the app's own is looked at where all requests come by.
pub(super) fn read_report<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<ApiError>> {
    serde_json::from_slice(body).map_err(|error| {
        // Where it went wrong, not what stood there: that may be the token.
        let place = format!("line {}, column {}", error.line(), error.column());
        Box::new(bad_request(format!("The report is not what this address takes ({place}).")))
    })
}

pub(super) fn bad_request(message: String) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "Bad request", message)
}
