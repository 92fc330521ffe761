//! `POST /api/check/usage`: what a check of a connection sent over relays.
//!
//! The page's own check sends it as JSON, by `fetch` and, when the page goes away, by `navigator.sendBeacon`, which has no say
//! in the type of the body. Answered once it is on disk, so that the page stops telling.

use super::{
    AppState,
    beacon::{bad_request, read_report},
    error,
};
use crate::{
    app::api::ApiError,
    protocol::{CheckUsage, ErrorCode, limits},
    server::usage,
};
use axum::{body::Bytes, extract::State, http::StatusCode};
use tokio::sync::oneshot;

pub(super) async fn report(State(state): State<AppState>, body: Bytes) -> Result<StatusCode, ApiError> {
    let sent: CheckUsage = read_report(&body).map_err(|refused| *refused)?;
    let most = 2 * limits::RELAYS_PER_CHECK;
    if sent.reports.len() > most {
        return Err(bad_request(format!("A check has at most {most} connections. Report those that there are.")));
    }
    for report in &sent.reports {
        usage::check(report).map_err(|error| bad_request(error.to_string()))?;
    }
    let (acknowledge, acknowledged) = oneshot::channel();
    let acknowledge = move || {
        // Nobody may be waiting any more.
        let _ = acknowledge.send(());
    };
    state
        .usage
        .report_check(sent, acknowledge)
        .map_err(|error| ApiError::new(ErrorCode::UnknownParticipant, "Unknown check", error.to_string()))?;
    acknowledged.await.map_err(|_| error::internal())?;
    Ok(StatusCode::NO_CONTENT)
}
