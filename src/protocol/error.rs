//! Error codes, the same on the socket and over HTTP, and the JSON body of every HTTP error.

use super::IceServer;
use serde::{Deserialize, Serialize};

/// What went wrong, for programs. People read the message beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The message is no valid JSON of a known type, or a field in it has a wrong value.
    BadMessage,
    /// The message is larger than [`super::limits::MESSAGE_BYTES`].
    MessageTooLarge,
    /// More messages than the socket's rate allows.
    TooManyMessages,
    /// No session has this code, or it has another password: which of them is not told, so that nobody can find out what
    /// sessions there are.
    CannotEnter,
    /// The host has locked the session: nobody new comes in.
    SessionLocked,
    /// The session has as many people as it may have.
    SessionFull,
    /// The server cannot take another session now.
    ServerFull,
    /// The message needs a participant, and this socket has not joined.
    NotJoined,
    /// The socket is already a participant.
    AlreadyJoined,
    /// The participant's token is unknown: the session is over or was left.
    UnknownParticipant,
    /// Only the host may send this.
    NotAllowed,
    /// The connection named is not one between this participant and another.
    UnknownConnection,
    /// Another socket resumed as this participant.
    ResumedElsewhere,
    /// Too many credential requests.
    TooManyRequests,
    /// The month's relay budget is used up.
    BandwidthLimitReached,
    /// The request's Origin is not this app's, or none of those that the API key is for.
    ForbiddenOrigin,
    /// The API key is nobody's.
    UnknownApiKey,
    /// The token is not the operator's.
    WrongAdminToken,
    /// The server has no token for operators, so nobody is one.
    NoAdminToken,
    /// There is no relay to be had, and the answer's form has no place for STUN alone.
    NoRelay,
    /// There is nothing at this address.
    NotFound,
    /// The address exists, the method does not.
    MethodNotAllowed,
    /// The request did not arrive in time.
    TooSlow,
    /// The request's body or query is not what the address takes.
    BadRequest,
    /// A fault of the server's own.
    Internal,
}

/// The JSON body of every error under `/api`: `error` is a short title, `message` a sentence that says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// A short title: `"Too many credential requests"`.
    pub error: String,
    /// A sentence that says what to do next.
    pub message: String,
    /// Used so far this month in decimal GB, `"1000.02"`; with [`ErrorCode::BandwidthLimitReached`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_used: Option<String>,
    /// The month's limit in decimal GB; with [`ErrorCode::BandwidthLimitReached`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_limit: Option<serde_json::Number>,
    /// Seconds until the request may succeed; also sent as `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// STUN servers to go on with where no credentials are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice_servers: Option<Vec<IceServer>>,
}
