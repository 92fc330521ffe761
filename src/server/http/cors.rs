//! Which pages of other sites may read the API: those of `CLIENT_URL`, and those of apps that have an API key, with their key.
//!
//! A browser asks beforehand whether it may send the key, and does not send it with that question: it is answered with yes
//! for every origin on any app's list, and the request itself is then looked at with its key. Knows nothing of what is answered.

use super::{
    AppState,
    desk::{API_KEY, LIMIT, REMAINING, RESET, api_key},
};
use crate::server::guard::Origin;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tower::{Layer as _, ServiceExt as _};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The layer, for `axum::middleware::from_fn_with_state`.
pub(super) async fn cors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // Whoever is no page asks in the usual way, also with OPTIONS.
    if !request.headers().contains_key(header::ORIGIN) {
        return next.run(request).await;
    }
    let allowed = AllowOrigin::predicate(move |origin, request| may_read(&state, origin, request));
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, API_KEY])
        .expose_headers([header::RETRY_AFTER, LIMIT, REMAINING, RESET]);
    layer.layer(next).oneshot(request).await.into_response()
}

fn may_read(state: &AppState, origin: &HeaderValue, request: &Parts) -> bool {
    let Some(origin) = origin.to_str().ok().and_then(Origin::parse) else { return false };
    if state.client_url.as_ref() == Some(&origin) {
        return true;
    }
    let app = || state.apps.of_key(&api_key(&request.headers, &request.uri)?);
    match request.method {
        Method::OPTIONS => state.apps.any_lists(&origin),
        _ => app().is_some_and(|app| app.lists(&origin)),
    }
}
