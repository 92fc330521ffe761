//! What stands behind the server functions of [`crate::app::api`].
//!
//! Pages call all of them as functions. On this side those that are asked most, and that only read, are answered without the
//! framework's way to a function, which would cost more than the answer does.

use super::{
    AppState,
    desk::{Desk, Served},
    error,
};
use crate::{
    app::{FilesAt, api::ApiError, language::Speech},
    domain::Language,
    protocol::{BandwidthStatus, CheckLeave},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderName, header, request::Parts},
    response::{IntoResponse, Response},
};
use leptos::context::use_context;
use std::future::{Ready, ready};

/// What the functions do that answer over HTTP alone, if they are called while a page is rendered.
pub fn over_http_only<T>() -> Ready<Result<T, ApiError>> {
    tracing::error!("What is answered over HTTP only was asked for while a page was being rendered");
    ready(Err(error::internal()))
}

/// `GET /api/turn-credentials` and `/api/ice-servers`.
pub(super) async fn turn_credentials(State(state): State<AppState>, request: Request) -> Response {
    let Served { answer, rate } = Desk(state).serve(request.into_parts().0, None).await;
    let mut response = answer.map_or_else(IntoResponse::into_response, |answer| Json(answer).into_response());
    response.headers_mut().extend(rate.into_iter().flatten());
    response
}

/// `GET /api/bandwidth-status`.
pub(super) async fn bandwidth_status(State(state): State<AppState>) -> Json<BandwidthStatus> {
    Json(BandwidthStatus { relays: state.grants.available(), ..state.usage.status() })
}

/// `POST /api/check`: leave to send a little over relays. The same address may ask as often as for credentials, and all of
/// them together not without end.
pub async fn begin_check() -> Result<CheckLeave, ApiError> {
    let (Some(desk), Some(request)) = (use_context::<Desk>(), use_context::<Parts>()) else {
        tracing::error!("A check was begun while a page was being rendered");
        return Err(error::internal());
    };
    desk.begin_check(request).await
}

/// Where the files of the page of this request are.
pub(super) fn files_at() -> FilesAt {
    let request = use_context::<Parts>();
    request.and_then(|request| request.extensions.get::<FilesAt>().cloned()).unwrap_or_default()
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
