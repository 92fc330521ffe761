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
    extract::Request,
    http::{HeaderValue, Method, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use std::convert::Infallible;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// What `answer` gives, with what it tells a browser of who may read it.
pub(super) async fn cors<A, F>(state: &AppState, request: Request, answer: A) -> Response
where
    A: Fn(Request) -> F,
    F: Future<Output = Response>,
{
    // Whoever is no page asks in the usual way, also with OPTIONS.
    if !request.headers().contains_key(header::ORIGIN) {
        return answer(request).await;
    }
    let state = state.clone();
    let allowed = AllowOrigin::predicate(move |origin, request| may_read(&state, origin, request));
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, API_KEY])
        .expose_headers([header::RETRY_AFTER, LIMIT, REMAINING, RESET]);
    let answer = service_fn(|request| answer(request).map(Ok::<_, Infallible>));
    layer.layer(answer).oneshot(request).await.into_response()
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
