//! What nodes say to each other over the bus, as JSON.

use super::seats::{SeatId, Tally};
use crate::domain::{InviteKey, ParticipantId, ProviderName, SessionCode};
use crate::protocol::{ClientMessage, RelayOver, UsageBeacon, WireToken};
use crate::server::cluster::RunId;
use crate::server::paths::Country;
use crate::server::signaling::line::Farewell;
use crate::server::signaling::session::Door;
use crate::server::signaling::sessions::BeaconError;
use serde::{Deserialize, Serialize};

/// Something said, and by whom.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) from: RunId,
    pub(super) word: Said,
}

/// What is said.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// Something at a seat: its number in this direction, and what.
    At(SeatId, u64, AtSeat),
    /// A seat is no more, or was never there.
    Left(SeatId),
    /// How much was sent at every seat that both share.
    Tally(Tally),
    /// A question, to be answered under its number.
    Ask(u64, Question),
    /// The answer.
    Answer(u64, Answer),
    /// To everyone: somebody has to leave a provider's relays.
    RelayOver {
        /// Who.
        participant: ParticipantId,
        /// Whose.
        provider: ProviderName,
        /// Why.
        reason: RelayOver,
    },
    /// To everyone: a participant of this session, or all of them, relay nothing any more.
    Done(SessionCode, Option<ParticipantId>),
    /// To everyone: somebody typed a wrong code or password. Of their address and its neighbourhood there are pseudonyms.
    Failed(u64, Option<u64>, SessionCode),
}

/// What is said at a seat.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum AtSeat {
    /// From the socket's node, first of all: somebody wants to come in.
    Enter(Entering),
    /// To it, in answer.
    Entered(Entered),
    /// From it: a message of the participant.
    Says(ClientMessage),
    /// To it: a message for the participant.
    Hears(String),
    /// To it: the newest snapshot.
    Sees(String),
    /// To it: the end.
    Closes(Farewell),
}

/// Somebody who may come in, as far as their own server is concerned.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Entering {
    /// In which country, where that is known.
    pub(in super::super) country: Option<Country>,
    /// By what they want to come in.
    pub(in super::super) message: ClientMessage,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entered {
    /// They are in, and these come first.
    In(Vec<String>),
    /// They are not, and this is why; and how the socket is to be closed, where it is.
    Out(Vec<String>, Option<Farewell>),
    /// The session is not here any more.
    Moved,
}

/// What is asked of a session's owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) enum Question {
    /// See [`super::super::Sessions::authenticate`].
    WhoIs(WireToken),
    /// See [`super::super::Sessions::report_beacon`].
    Beacon(UsageBeacon),
    /// See [`super::super::Sessions::end`].
    End(ParticipantId),
    /// See [`super::super::Sessions::of`].
    WhereIs(ParticipantId),
    /// See [`super::super::Sessions::end_relay`].
    EndRelay(SessionCode, ParticipantId, Vec<ProviderName>),
    /// See [`super::super::Sessions::shows`].
    Door(SessionCode, Option<InviteKey>),
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) enum Answer {
    /// The host of the session that the token's holder is in.
    Host(Option<ParticipantId>),
    /// Whether reports were taken.
    Beacon(Result<(), BeaconError>),
    /// It is done.
    Done,
    /// The session that somebody is in.
    Session(SessionCode),
    /// What the session asks of somebody; `None`: it is not here any more.
    Door(Option<Shown>),
}

/// What a session shows to somebody outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Shown {
    /// What it asks for; `None` where it is over.
    pub(in super::super) door: Option<Door>,
    /// The key that they have is one of its links'.
    pub(in super::super) invited: bool,
}
