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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Letters that are good.
    fn letters() -> Vec<String> {
        let (from, code) = (RunId::from_random(1), SessionCode::from_random(1));
        let (seat, participant) = (SeatId { edge: from, number: 7 }, ParticipantId::from_random(1));
        let says = AtSeat::Says(ClientMessage::Ping);
        let provider: ProviderName = "cloudflare:eu".parse().unwrap();
        let relay_over = Said::RelayOver { participant, provider: provider.clone(), reason: RelayOver::Limit };
        let entered = Entered::Out(vec!["{\"type\":\"pong\"}".to_owned()], Some(Farewell::TryAgain));
        let message = ClientMessage::Join { code, name: None, password: None, invite: None };
        let words = [
            Said::At(seat, 1, says),
            Said::At(seat, 2, AtSeat::Enter(Entering { country: Country::parse("DE"), message })),
            Said::At(seat, 3, AtSeat::Entered(entered)),
            Said::At(seat, 4, AtSeat::Closes(Farewell::GoingAway)),
            Said::Left(seat),
            Said::Tally(vec![(seat, 1)]),
            Said::Ask(1, Question::EndRelay(code, participant, vec![provider])),
            Said::Ask(2, Question::Door(code, Some(InviteKey::from_random(1)))),
            Said::Answer(2, Answer::Door(Some(Shown { door: Some(Door::Open), invited: true }))),
            relay_over,
            Said::Done(code, Some(participant)),
            Said::Failed(1, Some(2), code),
        ];
        words.map(|word| serde_json::to_string(&Letter { from, word }).unwrap()).to_vec()
    }

    /// What is read is read again from what is written of it.
    fn read(text: &[u8]) -> Option<String> {
        let letter: Letter = serde_json::from_slice(text).ok()?;
        let written = serde_json::to_string(&letter).unwrap();
        let again: Letter = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(serde_json::to_string(&again).unwrap(), written);
        Some(written)
    }

    #[test]
    fn what_is_said_is_heard_as_it_was() {
        for letter in letters() {
            assert_eq!(read(letter.as_bytes()), Some(letter));
        }
    }

    proptest! {
        #[test]
        fn no_letter_with_wrong_bytes_breaks_a_parser(
            good in prop::sample::select(letters()),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
            whole in any::<bool>(),
        ) {
            let mut text = good.into_bytes();
            for (place, byte) in changes {
                let place = place.index(text.len());
                text[place] = byte;
            }
            if !whole {
                text.truncate(cut.index(text.len()));
            }
            read(&text);
        }

        #[test]
        fn nothing_that_is_no_letter_breaks_a_parser(text in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&text);
        }
    }
}
