//! An API error as an HTTP response: status, `Retry-After` and JSON.

use crate::{app::api::ApiError, protocol::ErrorCode};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.0.retry_after;
        let mut response = (status(self.0.code), Json(self.0)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest | ErrorCode::BadMessage | ErrorCode::AlreadyJoined => StatusCode::BAD_REQUEST,
        ErrorCode::UnknownParticipant
        | ErrorCode::NotJoined
        | ErrorCode::UnknownApiKey
        | ErrorCode::WrongAdminToken => StatusCode::UNAUTHORIZED,
        ErrorCode::NotAllowed
        | ErrorCode::CannotEnter
        | ErrorCode::SessionLocked
        | ErrorCode::ForbiddenOrigin
        | ErrorCode::NoAdminToken => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::UnknownConnection => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::TooSlow => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::SessionFull | ErrorCode::ResumedElsewhere => StatusCode::CONFLICT,
        ErrorCode::MessageTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooManyRequests | ErrorCode::TooManyMessages | ErrorCode::BandwidthLimitReached => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ErrorCode::ServerFull | ErrorCode::NoRelay => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The error that stands for a status which a framework chose.
pub(super) fn for_status(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => {
            ApiError::new(ErrorCode::NotFound, "Not found", "There is nothing at this address. Check its spelling.")
        }
        StatusCode::METHOD_NOT_ALLOWED => ApiError::new(
            ErrorCode::MethodNotAllowed,
            "Method not allowed",
            "This address does not take this method. The Allow header names those that it takes.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            ErrorCode::MessageTooLarge,
            "Too large",
            "The request's body is too large. Send less at once.",
        ),
        StatusCode::REQUEST_TIMEOUT => ApiError::new(
            ErrorCode::TooSlow,
            "Too slow",
            "The request did not arrive in time. Check your connection and send it again.",
        ),
        status if status.is_client_error() => ApiError::new(
            ErrorCode::BadRequest,
            "Bad request",
            "The request is not what this address takes. Check its query and its body.",
        ),
        _ => internal(),
    }
}

/// A fault of ours. What it was stands in the log.
pub(super) fn internal() -> ApiError {
    ApiError::new(ErrorCode::Internal, "Internal error", "Something went wrong on the server. Try again in a moment.")
}
