//! What can happen to a session.

use super::password::PasswordHash;
use crate::domain::{ParticipantId, ParticipantName, ParticipantToken, ProviderName, TokenSecret, UnixMillis};
use crate::protocol::{ClientMessage, RelayOver, RelayStage};
use serde::{Deserialize, Serialize};

/// One socket, as the core addresses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Who comes in: made by the driver, which has the randomness.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Where they are.
    pub socket: SocketId,
    /// Who they will be.
    pub id: ParticipantId,
    /// What proves it later.
    pub secret: TokenSecret,
    /// What they call themselves.
    pub name: Option<ParticipantName>,
    /// Three digits for the name of somebody who gave none.
    pub number: u16,
}

/// What a newcomer has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Door {
    /// Nothing but the code.
    Open,
    /// The password of this hash, or the key of a link.
    Password(PasswordHash),
}

/// What can happen to a session.
#[derive(Debug, Clone)]
pub enum Input {
    /// Somebody wants to come in as a guest.
    Join {
        /// Who.
        newcomer: Newcomer,
        /// They knew the password, or came by a link that lets in without it.
        admitted: bool,
    },
    /// Somebody comes back.
    Resume {
        /// Where they are now.
        socket: SocketId,
        /// Who they say they are.
        token: ParticipantToken,
        /// Their page holds no connections any more.
        fresh: bool,
        /// The newest message of the chat that it has.
        chat_seen: u64,
    },
    /// A participant's message.
    Message {
        /// Where it came from.
        from: SocketId,
        /// What.
        message: ClientMessage,
        /// When, for what is kept of it.
        at: UnixMillis,
    },
    /// A socket is gone.
    Lost {
        /// Which.
        socket: SocketId,
    },
    /// Whoever runs the server ends the session.
    EndedByOperator,
    /// The relay budget is so near its end.
    Relays(RelayStage),
    /// A participant has to leave a provider's relays.
    RelayOver {
        /// Who.
        participant: ParticipantId,
        /// Whose.
        provider: ProviderName,
        /// Why.
        reason: RelayOver,
    },
    /// Time passed; see [`Session::next_timeout`].
    Time,
}
