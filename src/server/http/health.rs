//! That the server serves, and to a doctor of ours what it sees of the request.

use super::AppState;
use crate::server::doctor::proof;
use axum::{
    Json,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
};

/// `GET /health`.
pub(super) async fn answer(State(state): State<AppState>, parts: Parts) -> Response {
    match proof::seen(parts, &state.data_dir, &state.client_ip_source).await {
        Some(seen) => ([(header::CACHE_CONTROL, "no-store")], Json(seen)).into_response(),
        None => "ok\n".into_response(),
    }
}
