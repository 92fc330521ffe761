//! The words of the product: newtypes whose values are valid by construction.
//!
//! Pure: no I/O, no clock, no randomness of its own, no framework. Everything else in the crate may import this room; it
//! imports nothing of ours.

mod bytes;
mod id;
mod invite_key;
mod language;
mod name;
mod provider;
mod session_code;
mod time;
mod token;

pub use bytes::{ByteCount, GbText, ParseByteCountError};
pub use id::{ConnectionId, ParseIdError, ParticipantId};
pub use invite_key::{InviteKey, ParseInviteKeyError};
pub use language::Language;
pub use name::{Nameless, ParseNameError, ParticipantName};
pub use provider::{ParseProviderError, ProviderKind, ProviderName};
pub use session_code::{ParseSessionCodeError, SessionCode};
pub use time::{Now, UnixMillis};
pub use token::{ParseTokenError, ParticipantToken, TokenSecret};

use serde::{Deserialize, Serialize};

/// What a participant is in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Owns the film; the only one who offers.
    Host,
    /// Watches.
    Guest,
}
