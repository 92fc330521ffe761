//! What holds for every request, whoever it is for: how often one address may ask, how long a request may take, and that nothing
//! is changed in a visitor's name by a page of another site.

use super::{AppState, error};
use crate::{
    app::api::ApiError,
    protocol::ErrorCode,
    server::guard::{self, ClientAddress, Kind, TooMany},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::time::Duration;

/// A request has to be here whole, and an answer begun, within this time. The longest that an answer takes by itself is 2 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// The layer that counts, for `axum::middleware::from_fn_with_state`.
pub(super) async fn counted(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(kind) = Kind::of(request.uri().path()).filter(|kind| state.flow.counts(*kind)) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    let address = ClientAddress::of_request(&mut parts, state.client_ip_source.clone()).await;
    match state.flow.admit(kind, address) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => too_many(kind, refusal),
    }
}

fn too_many(kind: Kind, refusal: TooMany) -> Response {
    let seconds = refusal.retry_after.as_millis().div_ceil(1_000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    let message = format!("Too many requests came from your network. Wait {seconds} s and try again.");
    if kind == Kind::Page {
        let headers = [(header::RETRY_AFTER, HeaderValue::from(seconds)), (header::CACHE_CONTROL, NO_STORE)];
        return (StatusCode::TOO_MANY_REQUESTS, headers, format!("{message}\n")).into_response();
    }
    let error = ApiError::new(ErrorCode::TooManyRequests, "Too many requests", message).retried_after(seconds);
    ([(header::CACHE_CONTROL, NO_STORE)], error).into_response()
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The layer that waits no longer, for `axum::middleware::from_fn`.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    within(ANSWERED_WITHIN, request, next).await
}

async fn within(time: Duration, request: Request, next: Next) -> Response {
    let api = Kind::of(request.uri().path()) == Some(Kind::Api);
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        // What has not come yet is not waited for either.
        Err(_) if api => {
            ([(header::CONNECTION, "close")], error::for_status(StatusCode::REQUEST_TIMEOUT)).into_response()
        }
        Err(_) => {
            (StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")], "Too slow. Try again.\n").into_response()
        }
    }
}

/// The layer that lets only our own pages, and programs, change anything; for `axum::middleware::from_fn_with_state`.
pub(super) async fn of_our_pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if changes_something(request.method()) && is_foreign(&state, request.headers()) {
        let message = "Only this app's own pages and programs may do this. Open the app at the address in CLIENT_URL.";
        return ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message).into_response();
    }
    next.run(request).await
}

/// Everything but what is read, and the question that a browser asks beforehand.
fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_foreign(state: &AppState, headers: &HeaderMap) -> bool {
    !guard::origin::allows(headers, state.client_url.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, middleware::from_fn, routing::post};
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_request_that_never_ends_is_answered_and_its_connection_closed() {
        let slow = |request: Request, next: Next| within(Duration::from_millis(50), request, next);
        let read = |body: String| async move { body };
        let app = Router::new().route("/api/usage", post(read)).route("/page", post(read)).layer(from_fn(slow));
        for path in ["/api/usage", "/page"] {
            let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
            let request = Request::post(path).body(endless).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT, "{path}");
            assert_eq!(response.headers()[header::CONNECTION], "close", "{path}");
        }
    }
}
