//! The one layer around `/api`, which makes server functions keep the API's contract.
//!
//! A bare mount of server functions breaks it in five ways, each mended here:
//! 1. `Accept: text/html` is taken for a form and answered with a redirect: `Accept` is dropped.
//! 2. `HEAD` finds no function: it becomes a `GET` whose body is dropped.
//! 3. An odd query string is a fault even where there are no arguments: the query of a server function is dropped.
//! 4. Every error is a 500 in an encoding of its own: it is decoded and answered with its status and `Retry-After`.
//! 5. Whatever a framework refuses by itself is text or empty: it becomes JSON with `error` and `message`.
//!
//! Nothing under `/api` may be stored by caches.

use super::{AppState, cors::cors, crowd, error};
use crate::app::api::{ApiError, BeginCheck};
use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::server_fn::{ServerFn as _, error::SERVER_FN_ERROR_HEADER};

/// The server function that is answered as one. It takes no arguments; a parameter that people add to work around caches does no
/// harm.
const WITHOUT_QUERY: &str = BeginCheck::PATH;

/// An error is far smaller.
const ERROR_BYTES: usize = 64 * 1024;

/// The layer, for `axum::middleware::from_fn_with_state`. Within it stands who may read an answer, and who may change something.
pub(super) async fn contract(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let guarded = |request: Request| {
        let (refusal, next) = (crowd::of_a_foreign_page(&state, &request), next.clone());
        async move {
            match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            }
        }
    };
    keep(request, async |request| cors(&state, request, guarded).await).await
}

async fn keep(mut request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    let head = request.method() == Method::HEAD;
    if head {
        *request.method_mut() = Method::GET;
    }
    request.headers_mut().remove(header::ACCEPT);
    if request.uri().path() == WITHOUT_QUERY {
        drop_query(request.uri_mut());
    }
    let mut response = in_json(answer(request).await).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if head { without_body(response) } else { response }
}

fn drop_query(uri: &mut Uri) {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = uri.path().parse::<PathAndQuery>().ok();
    if let Ok(bare) = Uri::from_parts(parts) {
        *uri = bare;
    }
}

/// Turns every error into our JSON, and leaves everything else as it is.
async fn in_json(mut response: Response) -> Response {
    let from_function = response.headers_mut().remove(SERVER_FN_ERROR_HEADER).is_some();
    let status = response.status();
    if !from_function && (!(status.is_client_error() || status.is_server_error()) || is_json(&response)) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let error = if from_function {
        let body = to_bytes(body, ERROR_BYTES).await.unwrap_or_default();
        serde_json::from_slice::<ApiError>(&body).unwrap_or_else(|_| error::internal())
    } else {
        error::for_status(status)
    };
    let mut answer = error.into_response();
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH && *name != header::LOCATION {
            answer.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    answer
}

fn is_json(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// The answer to HEAD: the same headers, the body's length among them, and no body.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    async fn ask(method: Method, answer: Response) -> Response {
        let request = Request::builder().method(method).uri("/api/anything").body(Body::empty()).unwrap();
        let response = keep(request, async |_| answer).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        response
    }

    #[tokio::test]
    async fn a_framework_fault_is_answered_in_json() {
        let response = ask(Method::GET, (StatusCode::BAD_GATEWAY, "oops").into_response()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = to_bytes(response.into_body(), ERROR_BYTES).await.unwrap();
        let error: ApiError = serde_json::from_slice(&body).unwrap();
        assert!(!error.0.message.is_empty());
    }

    #[tokio::test]
    async fn a_head_has_no_body() {
        let response = ask(Method::HEAD, "fine".into_response()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "4");
        assert!(to_bytes(response.into_body(), ERROR_BYTES).await.unwrap().is_empty());
    }
}
