//! Messages on the signaling socket. Every message is one JSON object with a `type`.
//!
//! # Order
//! 1. A socket opens with `create`, `join` or `resume`; the answer is `welcome` or `error`. Nothing else is taken before.
//! 2. A guest that has its ICE servers sends `ready` with a [`ConnectionId`] of its own making. Asking again with the same
//!    id is harmless; a new id replaces the former connection.
//! 3. The host gets `ready` and answers with an offer. The host always offers, the guest always answers; candidates go
//!    both ways, and those that come early are kept by the receiver.
//! 4. ICE is restarted by the host, whoever wants it (`restart`): the host says `renew`, the guest fetches credentials where
//!    its own are not fresh and says `renewed`, then the host offers again; after 2 s without a word it offers anyway. Each
//!    offer has a number of its own, and an answer to any but the last is passed over.
//! 5. `connection_closed` tells the other end that a connection is over, whoever ended it.
//! 6. What is sent to somebody who is away is not kept. After a `resume` that is not `fresh` the server repeats
//!    `connection_closed` for connections that ended lately, known or not, and `ready` to a host that has not offered yet.
//!
//! # Together
//! - `chat` is kept with the session. Whoever says something makes a nonce for it and may say it again until the entry with
//!   that nonce comes back: it is never doubled. `welcome` brings what was said since `chat_seen`, newcomers all of it.
//! - `react` is passed on to everyone who is there, and kept nowhere.
//! - `hand_over` swaps the roles of the host and a guest who is there. Every connection is closed, the film is over, tokens
//!   stay what they were, and the next snapshot tells who is what. The new host gets the invite in an `invite` message.
//! - An `invite` lets in without the password; the host gets it with its `welcome`. The server keeps no more than its hash
//!   on disk, so a host may be given a new one after a restart; links that were sent out before go on working.

use super::{ChatEntry, ChatText, EndReason, ErrorCode, FilmStatus, Reaction, Seen, Snapshot, UsageReport};
use crate::domain::{
    ConnectionId, InviteKey, ParticipantId, ParticipantName, ParticipantToken, ProviderName, SessionCode,
};
use serde::{Deserialize, Serialize};
use std::ops::Not;

/// What a browser sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Opens a session with the sender as its host.
    Create {
        /// What the host calls themselves; `None`: the server gives them a number, and names them `Host` and its three digits.
        name: Option<ParticipantName>,
        /// Guests need it to join.
        password: Option<Password>,
    },
    /// Joins as a guest.
    Join {
        /// The session.
        code: SessionCode,
        /// What the guest calls themselves; `None`: the server gives them a number, and names them `Guest` and its three digits.
        name: Option<ParticipantName>,
        /// The session's password, where it has one.
        password: Option<Password>,
        /// From an invite link: lets in without the password.
        #[serde(default)]
        invite: Option<InviteKey>,
    },
    /// Comes back as the participant of the token.
    Resume {
        /// Given by `welcome`.
        token: WireToken,
        /// True where the page was loaded anew and holds no peer connections: the old ones are over.
        fresh: bool,
        /// The newest message of the chat that the page has; 0 for none.
        #[serde(default)]
        chat_seen: u64,
    },
    /// Leaves; the host's leaving ends the session.
    Leave,
    /// A guest asks the host for an offer.
    Ready {
        /// Made by the guest.
        connection: ConnectionId,
    },
    /// Something for the other end of a connection.
    Signal {
        /// Which connection.
        connection: ConnectionId,
        /// What.
        signal: Signal,
    },
    /// Either end gives a connection up.
    Close {
        /// Which connection.
        connection: ConnectionId,
    },
    /// The host tells what its film is doing.
    Film {
        /// `None`: nothing is being streamed.
        film: Option<FilmStatus>,
    },
    /// Relay usage of one connection, as this end saw it.
    Usage {
        /// Cumulative counters.
        report: UsageReport,
    },
    /// Says something to everyone. Saying it again is harmless: the answer is the same entry.
    Chat {
        /// What.
        text: ChatText,
        /// Made by the sender, another one for each text.
        nonce: u64,
    },
    /// Shows everyone a reaction.
    React {
        /// Which.
        reaction: Reaction,
    },
    /// The host locks the session, or opens it again.
    Lock {
        /// Nobody new comes in.
        locked: bool,
    },
    /// The host removes a guest.
    Remove {
        /// Who.
        participant: ParticipantId,
    },
    /// The host makes a guest the host, and is a guest from then on.
    HandOver {
        /// Who; has to be there.
        to: ParticipantId,
    },
    /// A guest tells whether its picture runs.
    Watching {
        /// It does.
        watching: bool,
    },
    /// Asks for a `pong`.
    Ping,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `create`, `join` and `resume`.
    Welcome {
        /// Proves who this is from now on.
        token: WireToken,
        /// Who this is.
        you: ParticipantId,
        /// The session now.
        snapshot: Snapshot,
        /// What was said since `chat_seen`, the oldest first.
        #[serde(default)]
        chat: Vec<ChatEntry>,
        /// To the host: the key for invite links.
        #[serde(default)]
        invite: Option<InviteKey>,
    },
    /// The session changed.
    Snapshot {
        /// The session now.
        snapshot: Snapshot,
    },
    /// To the host: a guest wants an offer.
    Ready {
        /// Made by the guest.
        connection: ConnectionId,
        /// Who.
        guest: ParticipantId,
    },
    /// Something from the other end of a connection.
    Signal {
        /// Which connection.
        connection: ConnectionId,
        /// What.
        signal: Signal,
    },
    /// The connection is over.
    ConnectionClosed {
        /// Which connection.
        connection: ConnectionId,
    },
    /// Somebody said something. To the sender also the acknowledgement.
    Chat {
        /// What.
        entry: ChatEntry,
    },
    /// Somebody reacted to the picture.
    Reaction {
        /// Who.
        from: ParticipantId,
        /// How.
        reaction: Reaction,
    },
    /// To a guest who has become the host: the key for invite links.
    Invite {
        /// The key.
        key: InviteKey,
    },
    /// The report is on disk.
    UsageAck {
        /// Which connection.
        connection: ConnectionId,
        /// The report's sequence number.
        sequence: u64,
    },
    /// What this participant has over the relays of a provider ends: credentials have to be asked for anew, and what goes on over
    /// these is counted against whoever goes on.
    RelayOver {
        /// Whose relays.
        provider: ProviderName,
        /// Why.
        reason: RelayOver,
    },
    /// The session is over for this participant; the socket closes after this.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// The last message was refused; nothing else changed.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
    /// The answer to `ping`.
    Pong,
}

/// Why a participant has to leave a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RelayOver {
    /// The relay budget of everybody is used up.
    Limit,
    /// This provider has relayed all that it may; another one may have room.
    Provider,
    /// The share of this participant, their session or their address is used up.
    Share,
    /// Whoever runs the server wants it so.
    Ended,
}

/// What one end of a connection tells the other (RFC 8829, RFC 8838).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Signal {
    /// From the host.
    Offer {
        /// The session description.
        sdp: String,
        /// Which of the connection's offers this is; the answer repeats it, so that a late one is not taken for another.
        #[serde(default)]
        generation: u32,
    },
    /// From the guest.
    Answer {
        /// The session description.
        sdp: String,
        /// That of the offer.
        #[serde(default)]
        generation: u32,
    },
    /// One trickled ICE candidate; an empty line ends the generation.
    Candidate {
        /// The candidate attribute.
        candidate: String,
        /// The media description it belongs to.
        sdp_mid: Option<String>,
        /// Its index.
        sdp_m_line_index: Option<u16>,
        /// The ICE generation it belongs to.
        username_fragment: Option<String>,
    },
    /// From the guest: what it sees of the film.
    Seen(Seen),
    /// From the guest: it wants ICE restarted, since nothing arrives, its network changed, its credentials are new, or a
    /// direct way may have opened. Asking again is harmless.
    Restart {
        /// Nothing arrives although this end's line to the server is fine: a relay on the way may be dead.
        #[serde(default, skip_serializing_if = "Not::not")]
        silent: bool,
    },
    /// From the guest: the picture was away for longer than what is sent again can make up for, so begin with a key frame (a picture
    /// loss indication does the same within a stream: RFC 4585, section 6.3.1).
    KeyFrame,
    /// From the host: ICE is about to be restarted, so have fresh credentials in hand.
    Renew,
    /// From the guest: they are.
    Renewed,
}

// SDP and candidates hold addresses: they stay out of logs.
impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Offer { .. } => "Offer(..)",
            Self::Answer { .. } => "Answer(..)",
            Self::Candidate { .. } => "Candidate(..)",
            Self::Seen(_) => "Seen(..)",
            Self::Restart { .. } => "Restart",
            Self::KeyFrame => "KeyFrame",
            Self::Renew => "Renew",
            Self::Renewed => "Renewed",
        })
    }
}

/// A [`ParticipantToken`] that can be compared, for messages only; the server compares secrets in constant time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WireToken(pub ParticipantToken);

impl PartialEq for WireToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

/// A session's password as typed: 1 to 100 characters. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Password(String);

impl Password {
    /// Takes what was typed; `None` where nothing was.
    pub fn typed(text: &str) -> Result<Option<Self>, PasswordTooLong> {
        match text.chars().count() {
            0 => Ok(None),
            1..=super::limits::PASSWORD_CHARS => Ok(Some(Self(text.to_owned()))),
            _ => Err(PasswordTooLong),
        }
    }

    /// The bytes, for a comparison in constant time.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A password has at most 100 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has 1 to {} characters", super::limits::PASSWORD_CHARS)]
pub struct PasswordTooLong;

impl TryFrom<String> for Password {
    type Error = PasswordTooLong;

    fn try_from(text: String) -> Result<Self, PasswordTooLong> {
        Self::typed(&text)?.ok_or(PasswordTooLong)
    }
}

impl From<Password> for String {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}
