//! What stands behind the server functions of [`crate::app::api`].

use super::{
    desk::{Desk, Served},
    error,
};
use crate::{
    app::{api::ApiError, language::Speech},
    domain::Language,
    protocol::{BandwidthStatus, CheckLeave, IceAnswer},
    server::usage::Usage,
};
use axum::http::{HeaderName, header, request::Parts};
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
use std::future::{Ready, ready};

/// `GET /api/turn-credentials` and `/api/ice-servers`.
pub async fn turn_credentials() -> Result<IceAnswer, ApiError> {
    let (Some(desk), Some(request), Some(response)) =
        (use_context::<Desk>(), use_context::<Parts>(), use_context::<ResponseOptions>())
    else {
        tracing::error!("Credentials were asked for while a page was being rendered");
        return Err(error::internal());
    };
    let Served { answer, rate } = desk.serve(request, None).await;
    for (name, value) in rate.into_iter().flatten() {
        response.insert_header(name, value);
    }
    answer
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
    let relays = use_context::<Desk>().map(|Desk(state)| state.grants.available()).unwrap_or_default();
    let status = use_context::<Usage>().map(|usage| BandwidthStatus { relays, ..usage.status() });
    ready(status.ok_or_else(error::internal))
}
