//! What holds for every request, whoever it is for: how often one address may ask, how long a request may take, that a fault in
//! one is no other's, and that nothing is changed in a visitor's name by a page of another site.

use super::{AppState, error, headers::Careful};
use crate::{
    app::api::ApiError,
    protocol::ErrorCode,
    server::guard::{self, ClientAddress, Kind, TooMany},
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use std::{panic::AssertUnwindSafe, time::Duration};

/// A request has to be here whole, and an answer begun, within this time. The longest that an answer takes by itself is 2 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// The one layer around everything, for `axum::middleware::from_fn_with_state`. One for each of its steps would do the same
/// for more: a router boxes each of its layers anew at every request.
pub(super) async fn every_request(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let careful = Careful::of(&state, request.headers());
    let response = match counted(&state, request).await {
        Ok(request) => within(ANSWERED_WITHIN, request, next).await,
        Err(refusal) => refusal,
    };
    careful.tell(response)
}

/// The request, if its address has not asked too often.
async fn counted(state: &AppState, request: Request) -> Result<Request, Response> {
    let Some(kind) = Kind::of(request.uri().path()).filter(|kind| state.flow.counts(*kind)) else {
        return Ok(request);
    };
    let (mut parts, body) = request.into_parts();
    let address = ClientAddress::of_request(&mut parts, state.client_ip_source.clone()).await;
    match state.flow.admit(kind, address) {
        Ok(()) => Ok(Request::from_parts(parts, body)),
        Err(refusal) => Err(too_many(kind, refusal)),
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

/// The answer, if there is one in time and nothing panics on the way. A panic is a fault in one request, which the panic hook has
/// logged; the others go on.
async fn within(time: Duration, request: Request, next: Next) -> Response {
    let api = Kind::of(request.uri().path()) == Some(Kind::Api);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(time, answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) if api => ([(header::CACHE_CONTROL, NO_STORE)], error::internal()).into_response(),
        Ok(Err(_panic)) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong. Try again.\n").into_response(),
        // What has not come yet is not waited for either.
        Err(_) if api => {
            let headers = [(header::CONNECTION, HeaderValue::from_static("close")), (header::CACHE_CONTROL, NO_STORE)];
            (headers, error::for_status(StatusCode::REQUEST_TIMEOUT)).into_response()
        }
        Err(_) => {
            (StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")], "Too slow. Try again.\n").into_response()
        }
    }
}

/// The refusal of a request that would change something for a page of another site: only our own pages, and programs, may.
pub(super) fn of_a_foreign_page(state: &AppState, request: &Request) -> Option<Response> {
    if !changes_something(request.method()) {
        return None;
    }
    let foreign = guard::origin::check(request.headers(), state.client_url.as_ref()).err()?;
    let message = foreign
        .message("Only this app's own pages and programs may do this. Open the app at the address in CLIENT_URL.");
    Some(ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message).into_response())
}

/// Everything but what is read, and the question that a browser asks beforehand.
fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
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
