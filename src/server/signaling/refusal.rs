//! Why a message is refused, in a code for programs and a sentence for people that says what to do next.

use crate::protocol::{ErrorCode, ServerMessage};

/// Why a message is refused. Nothing but the sender's own answer comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No JSON object of a known type, or a field with a wrong value.
    Unreadable,
    /// A usage report whose numbers cannot be.
    BadReport,
    /// Larger than the socket takes.
    MessageTooLarge,
    /// A session description or candidate larger than any real one.
    SignalTooLarge,
    /// Faster than the socket's rate.
    TooManyMessages,
    /// More chat or reactions than one person's allowance.
    TooMuchSaid,
    /// No session has the code, the text is no code, or the session has another password.
    CannotEnter,
    /// The host locked the session.
    SessionLocked,
    /// Too many tries to come in.
    TooManyTries,
    /// Too many new sessions from one address.
    TooManySessions,
    /// Everyone that the session may have is there.
    SessionFull,
    /// This process takes no further session, or nobody new.
    ServerFull,
    /// Not in a session yet.
    NotJoined,
    /// Already in a session.
    AlreadyJoined,
    /// The token is nobody's any more.
    UnknownParticipant,
    /// Only the host may do it.
    HostOnly,
    /// Only a guest may do it.
    GuestOnly,
    /// The guest that was named is gone or away.
    NoSuchGuest,
    /// Not a connection of this participant.
    UnknownConnection,
    /// The same participant came back on another socket.
    ResumedElsewhere,
    /// Two random identifiers were the same.
    Unlucky,
}

impl Refusal {
    /// The code for programs.
    pub(super) const fn code(self) -> ErrorCode {
        match self {
            Self::Unreadable | Self::BadReport => ErrorCode::BadMessage,
            Self::MessageTooLarge | Self::SignalTooLarge => ErrorCode::MessageTooLarge,
            Self::TooManyMessages | Self::TooMuchSaid => ErrorCode::TooManyMessages,
            Self::CannotEnter => ErrorCode::CannotEnter,
            Self::SessionLocked => ErrorCode::SessionLocked,
            Self::TooManyTries | Self::TooManySessions => ErrorCode::TooManyRequests,
            Self::SessionFull => ErrorCode::SessionFull,
            Self::ServerFull => ErrorCode::ServerFull,
            Self::NotJoined => ErrorCode::NotJoined,
            Self::AlreadyJoined => ErrorCode::AlreadyJoined,
            Self::UnknownParticipant => ErrorCode::UnknownParticipant,
            Self::HostOnly | Self::GuestOnly | Self::NoSuchGuest => ErrorCode::NotAllowed,
            Self::UnknownConnection => ErrorCode::UnknownConnection,
            Self::ResumedElsewhere => ErrorCode::ResumedElsewhere,
            Self::Unlucky => ErrorCode::Internal,
        }
    }

    /// The sentence for people. Never holds anything of what was sent.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Unreadable => "The server could not read that message. Check what you typed, or reload the page.",
            Self::BadReport => {
                "The server could not use that usage report. The film goes on; reload the page if this repeats."
            }
            Self::MessageTooLarge => "That message is too large. Reload the page and try again.",
            Self::SignalTooLarge => "That connection's description is too large. Reload the page and try again.",
            Self::TooManyMessages => "Too many messages at once. Wait a second and try again.",
            Self::CannotEnter => {
                "There is no session with this code, or it has another password. Check both, or ask the host for a new link."
            }
            Self::SessionLocked => "The host has locked the session. Ask the host to open it.",
            Self::TooMuchSaid => "That was too fast. Wait a second and say it again.",
            Self::TooManyTries => "Too many tries. Wait a minute and try again.",
            Self::TooManySessions => {
                "Too many new sessions from your network. Use one that you have, or wait a minute and try again."
            }
            Self::SessionFull => "The session is full. Ask the host, or try again when somebody has left.",
            Self::ServerFull => "The server has no room for anybody else. Try again in a few minutes.",
            Self::NotJoined => "You are not in a session yet. Create one or join one first.",
            Self::AlreadyJoined => "You are already in a session. Leave it first to enter another one.",
            Self::UnknownParticipant => "Your place in this session is gone. Join again with the session's code.",
            Self::HostOnly => "Only the host can do that. Ask the host.",
            Self::GuestOnly => "Only a guest can do that. Join from another browser to watch.",
            Self::NoSuchGuest => "That guest is not here any more. Choose another one.",
            Self::UnknownConnection => {
                "That connection is not yours or is over. It will be made anew; reload if it is not."
            }
            Self::ResumedElsewhere => {
                "You opened this session in another tab. Go on there, or reload to come back here."
            }
            Self::Unlucky => "Something went wrong on the server. Try again.",
        }
    }

    /// The answer to the sender.
    pub(super) fn message(self) -> ServerMessage {
        ServerMessage::Error { code: self.code(), message: self.sentence().to_owned() }
    }
}
