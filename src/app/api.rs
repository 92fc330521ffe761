//! The server functions: what a page asks the server for over HTTP.
//!
//! Each is a plain `GET` that anyone may call, and [`begin_check`] a `POST`; bodies delegate at once to `server`, which the client's build never sees.
//! All of them answer over HTTP only and fail while a page is rendered, so that no credential can end in HTML: fetch them from
//! an effect or a task, never from a `Resource`.

use crate::{
    domain::{ParticipantToken, ProviderName},
    protocol::{BandwidthStatus, CheckLeave, ErrorBody, ErrorCode, IceAnswer, ROUND_TRIPS, SILENT_RELAY},
};
use futures::{Sink, Stream};
use leptos::{
    prelude::*,
    server_fn::{
        Bytes,
        client::{Client, browser::BrowserClient},
        codec::{GetUrl, JsonEncoding},
        error::{FromServerFnError, ServerFnErrorErr},
        request::browser::BrowserRequest,
        response::browser::BrowserResponse,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// ICE servers for `RTCPeerConnection`, with fresh TURN credentials where there are any.
#[server(prefix = "/api", endpoint = "turn-credentials", input = GetUrl, client = Participant)]
pub async fn turn_credentials() -> Result<IceAnswer, ApiError> {
    crate::server::http::functions::over_http_only().await
}

/// The same answer under its other name.
#[server(prefix = "/api", endpoint = "ice-servers", input = GetUrl, client = Participant)]
pub async fn ice_servers() -> Result<IceAnswer, ApiError> {
    crate::server::http::functions::over_http_only().await
}

/// This month's relay usage.
// Named, because the answer has the name that it would get.
#[server(name = GetBandwidthStatus, prefix = "/api", endpoint = "bandwidth-status", input = GetUrl, client = Participant)]
pub async fn bandwidth_status() -> Result<BandwidthStatus, ApiError> {
    crate::server::http::functions::over_http_only().await
}

/// Leave to send a little data over relays, for who checks a connection and is in no session.
#[server(prefix = "/api", endpoint = "check", client = Participant)]
pub async fn begin_check() -> Result<CheckLeave, ApiError> {
    crate::server::http::functions::begin_check().await
}

/// Whatever goes wrong under `/api`: the body of the answer, whose code gives the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
#[error("{}: {}", .0.error, .0.message)]
pub struct ApiError(pub ErrorBody);

impl ApiError {
    /// An error with nothing beside its code, title and message.
    pub fn new(code: ErrorCode, error: impl Into<String>, message: impl Into<String>) -> Self {
        Self(ErrorBody {
            code,
            error: error.into(),
            message: message.into(),
            bandwidth_used: None,
            bandwidth_limit: None,
            retry_after: None,
            ice_servers: None,
        })
    }

    /// The same, for who may try again after so many seconds.
    #[must_use]
    pub fn retried_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Self::new(ErrorCode::BadRequest, "Bad request", "The query is not what this address takes.")
            }
            ServerFnErrorErr::Request(_) => Self::new(
                ErrorCode::Internal,
                "No answer",
                "The server could not be reached. Check the network and try again.",
            ),
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => {
                Self::new(ErrorCode::Internal, "Internal error", "Something went wrong. Try again in a moment.")
            }
        }
    }
}

/// Who this page is; `None` until it has joined.
static TOKEN: Mutex<Option<ParticipantToken>> = Mutex::new(None);

/// Makes every later request carry this participant's token, or none.
pub fn authorize(token: Option<ParticipantToken>) {
    *TOKEN.lock().unwrap_or_else(PoisonError::into_inner) = token;
}

/// What this page knows of relays, for whoever is to choose one.
static KNOWN: Mutex<Known> = Mutex::new(Known { round_trips: String::new(), silent: None });

struct Known {
    /// As [`ROUND_TRIPS`] has them.
    round_trips: String,
    silent: Option<ProviderName>,
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes every later request tell these round trips.
pub fn tell_round_trips(measured: String) {
    known().round_trips = measured;
}

/// Makes every later request tell whose relay is silent.
pub fn tell_silent(provider: Option<ProviderName>) {
    known().silent = provider;
}

/// The browser's `fetch`, with the participant's token as `Authorization: Bearer`, and what it knows of relays.
pub struct Participant;

impl Client<ApiError> for Participant {
    type Request = BrowserRequest;
    type Response = BrowserResponse;

    fn send(request: BrowserRequest) -> impl Future<Output = Result<BrowserResponse, ApiError>> + Send {
        if let Some(token) = *TOKEN.lock().unwrap_or_else(PoisonError::into_inner) {
            request.headers().set("Authorization", &format!("Bearer {}", token.expose()));
        }
        let known = known();
        if !known.round_trips.is_empty() {
            request.headers().set(ROUND_TRIPS, &known.round_trips);
        }
        if let Some(silent) = &known.silent {
            request.headers().set(SILENT_RELAY, &silent.to_string());
        }
        <BrowserClient as Client<ApiError>>::send(request)
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static, impl Sink<Bytes> + Send + 'static),
            ApiError,
        >,
    > + Send {
        <BrowserClient as Client<ApiError>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<ApiError>>::spawn(future);
    }
}
