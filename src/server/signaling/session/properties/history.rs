//! What random histories are made of.

use crate::domain::{ConnectionId, ParticipantId, SessionCode};
use crate::protocol::{
    ChatText, ClientMessage, FilmState, FilmStatus, Path, Reaction, Signal, SourceKind, UsageReport,
};
use proptest::prelude::*;

/// One step of a history. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Join { right: bool, invited: bool },
    Resume { person: usize, fresh: bool, right: bool },
    Lose { socket: usize },
    Wait { seconds: u64 },
    Limit(bool),
    Crash,
    Say { socket: usize, what: Say },
}

/// What somebody says; the numbers are connections.
#[derive(Debug, Clone)]
pub(super) enum Say {
    Leave,
    Ready(u64),
    Offer(u64),
    Answer(u64),
    Candidate(u64),
    Close(u64),
    Usage(u64),
    Film(Option<u32>),
    Chat(u64),
    React,
    Lock(bool),
    Remove(usize),
    HandOver(usize),
    Watching(bool),
    Ping,
    Join,
}

fn say() -> impl Strategy<Value = Say> {
    let id = 0_u64..12;
    prop_oneof![
        1 => Just(Say::Leave),
        6 => id.clone().prop_map(Say::Ready),
        6 => id.clone().prop_map(Say::Offer),
        3 => id.clone().prop_map(Say::Answer),
        3 => id.clone().prop_map(Say::Candidate),
        2 => id.clone().prop_map(Say::Close),
        2 => id.prop_map(Say::Usage),
        2 => proptest::option::of(0_u32..3).prop_map(Say::Film),
        3 => (0_u64..6).prop_map(Say::Chat),
        1 => Just(Say::React),
        1 => prop::bool::weighted(0.3).prop_map(Say::Lock),
        1 => (0_usize..8).prop_map(Say::Remove),
        3 => (0_usize..8).prop_map(Say::HandOver),
        1 => any::<bool>().prop_map(Say::Watching),
        1 => Just(Say::Ping),
        1 => Just(Say::Join),
    ]
}

/// Any step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (prop::bool::weighted(0.8), any::<bool>()).prop_map(|(right, invited)| Step::Join { right, invited }),
        4 => (0_usize..8, any::<bool>(), prop::bool::weighted(0.9))
            .prop_map(|(person, fresh, right)| Step::Resume { person, fresh, right }),
        3 => (0_usize..8).prop_map(|socket| Step::Lose { socket }),
        2 => (0_u64..100).prop_map(|seconds| Step::Wait { seconds }),
        1 => any::<bool>().prop_map(Step::Limit),
        1 => Just(Step::Crash),
        20 => (0_usize..8, say()).prop_map(|(socket, what)| Step::Say { socket, what }),
    ]
}

/// The message for it.
pub(super) fn message(what: &Say, people: &[ParticipantId]) -> ClientMessage {
    let id = |bits: &u64| ConnectionId::from_random(*bits);
    let sdp = String::new;
    match what {
        Say::Leave => ClientMessage::Leave,
        Say::Ready(bits) => ClientMessage::Ready { connection: id(bits) },
        Say::Offer(bits) => {
            ClientMessage::Signal { connection: id(bits), signal: Signal::Offer { sdp: sdp(), generation: 0 } }
        }
        Say::Answer(bits) => {
            ClientMessage::Signal { connection: id(bits), signal: Signal::Answer { sdp: sdp(), generation: 0 } }
        }
        Say::Candidate(bits) => ClientMessage::Signal {
            connection: id(bits),
            signal: Signal::Candidate {
                candidate: sdp(),
                sdp_mid: None,
                sdp_m_line_index: None,
                username_fragment: None,
            },
        },
        Say::Close(bits) => ClientMessage::Close { connection: id(bits) },
        Say::Usage(bits) => ClientMessage::Usage {
            report: UsageReport {
                connection: id(bits),
                sequence: 1,
                path: Path::Direct,
                pairs: Vec::new(),
                other_end: None,
                seen: None,
            },
        },
        Say::Film(film) => ClientMessage::Film {
            film: film.map(|number| FilmStatus {
                number,
                title: "Metropolis".into(),
                position_ms: 0,
                duration_ms: None,
                state: FilmState::Playing,
                kind: SourceKind::Film,
                returning: false,
            }),
        },
        Say::Chat(nonce) => ClientMessage::Chat { text: ChatText::parse("hello").unwrap(), nonce: *nonce },
        Say::React => ClientMessage::React { reaction: Reaction::Clap },
        Say::Lock(locked) => ClientMessage::Lock { locked: *locked },
        Say::Remove(person) => ClientMessage::Remove { participant: people[person % people.len()] },
        Say::HandOver(person) => ClientMessage::HandOver { to: people[person % people.len()] },
        Say::Watching(watching) => ClientMessage::Watching { watching: *watching },
        Say::Ping => ClientMessage::Ping,
        Say::Join => {
            ClientMessage::Join { code: SessionCode::from_random(0), name: None, password: None, invite: None }
        }
    }
}
