//! A person who speaks this server's protocol, with the very types that the server reads.

use super::{
    person::{Heard, Kind, Person, Saying},
    sdp::{sdp, sent_at, stamp},
};
use crate::{
    domain::{ConnectionId, Now, ProviderKind, ProviderName, SessionCode},
    protocol::{ChatText, ClientMessage, PairCounters, Path, ServerMessage, Signal, UsageReport, WireToken},
    stream::random::Random,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A host or a guest.
#[derive(Debug)]
pub struct Participant {
    /// The session, where it is known; a host makes one.
    code: Option<SessionCode>,
    token: Option<WireToken>,
    is_guest: bool,
    /// What a guest asks the host for; a host learns of it.
    connections: Vec<ConnectionId>,
    /// Those among them that were offered: there is nothing to report of others.
    offered: BTreeSet<ConnectionId>,
    people: u64,
    chat_seen: u64,
    random: Random,
    /// Reports that were not acknowledged yet, and when they were sent.
    reported: BTreeMap<ConnectionId, VecDeque<(u64, Now)>>,
    sequence: u64,
}

impl Participant {
    fn new(code: Option<SessionCode>, seed: u64) -> Self {
        Self {
            is_guest: code.is_some(),
            code,
            token: None,
            connections: Vec::new(),
            offered: BTreeSet::new(),
            people: 0,
            chat_seen: 0,
            random: Random::seeded(seed),
            reported: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Proves who this is; `None` until they came in.
    pub fn token(&self) -> Option<WireToken> {
        self.token
    }

    fn came_in(&mut self, answers: &mut Vec<String>) {
        if !self.is_guest {
            return;
        }
        if self.connections.is_empty() {
            self.connections.push(ConnectionId::from_random(self.random.bits()));
        }
        answers.extend(self.connections.iter().filter_map(|&connection| wire(&ClientMessage::Ready { connection })));
    }

    fn signals(&self, signal: impl Fn() -> Signal) -> Vec<Saying> {
        let to = |&connection: &ConnectionId| wire(&ClientMessage::Signal { connection, signal: signal() });
        self.connections.iter().filter_map(to).map(|text| Saying { text, hearers: 1 }).collect()
    }

    fn reports(&mut self, now: Now) -> Vec<Saying> {
        self.sequence += 1;
        let sequence = self.sequence;
        let mut said = Vec::new();
        for &connection in &self.offered {
            let Some(text) = wire(&ClientMessage::Usage { report: report(connection, sequence) }) else { continue };
            self.reported.entry(connection).or_default().push_back((sequence, now));
            said.push(Saying { text, hearers: 1 });
        }
        said
    }

    /// When the report was sent; those before it are not waited for.
    fn acknowledged(&mut self, connection: ConnectionId, sequence: u64) -> Option<Now> {
        let waiting = self.reported.get_mut(&connection)?;
        while let Some((sent, at)) = waiting.pop_front() {
            if sent == sequence {
                return Some(at);
            }
        }
        None
    }
}

impl Person for Participant {
    fn host(session: u64) -> Self {
        Self::new(None, session << 16)
    }

    fn guest(&self, number: u64) -> Self {
        let mut random = self.random.clone();
        Self::new(self.code, random.bits().wrapping_add(number))
    }

    fn path(&self) -> String {
        "/ws".to_owned()
    }

    fn enter(&mut self) -> Option<String> {
        wire(&match (self.token, self.code) {
            (Some(token), _) => ClientMessage::Resume { token, fresh: false, chat_seen: self.chat_seen },
            (None, Some(code)) => ClientMessage::Join { code, name: None, password: None, invite: None },
            (None, None) => ClientMessage::Create { name: None, password: None },
        })
    }

    fn hear(&mut self, text: &str, answers: &mut Vec<String>) -> Heard {
        let Ok(message) = serde_json::from_str(text) else {
            return Heard::Refused("the server said something that is no message".to_owned());
        };
        match message {
            ServerMessage::Welcome { token, snapshot, chat, .. } => {
                (self.token, self.code) = (Some(token), Some(snapshot.code));
                self.people = count(snapshot.participants.len());
                self.chat_seen = chat.last().map_or(self.chat_seen, |entry| entry.id);
                self.came_in(answers);
                Heard::Inside
            }
            ServerMessage::Snapshot { snapshot } => {
                self.people = count(snapshot.participants.iter().filter(|one| one.connected).count());
                Heard::Other
            }
            ServerMessage::Ready { connection, .. } => {
                if !self.connections.contains(&connection) {
                    self.connections.push(connection);
                }
                Heard::Other
            }
            ServerMessage::Signal { connection, signal: Signal::Offer { sdp, .. } } => {
                self.offered.insert(connection);
                said(Kind::Offer, sent_at(&sdp))
            }
            ServerMessage::Signal { signal: Signal::Answer { sdp, .. }, .. } => said(Kind::Answer, sent_at(&sdp)),
            ServerMessage::Chat { entry } => {
                self.chat_seen = entry.id;
                said(Kind::Chat, stamp(entry.text.as_str()))
            }
            ServerMessage::UsageAck { connection, sequence } => {
                said(Kind::Report, self.acknowledged(connection, sequence))
            }
            ServerMessage::ConnectionClosed { connection } => {
                self.connections.retain(|known| *known != connection);
                self.offered.remove(&connection);
                Heard::Other
            }
            ServerMessage::Error { message, .. } => Heard::Refused(message),
            ServerMessage::Ended { reason } => Heard::Refused(format!("the session is over: {reason:?}")),
            ServerMessage::Signal { .. }
            | ServerMessage::Reaction { .. }
            | ServerMessage::Invite { .. }
            | ServerMessage::RelayOver { .. }
            | ServerMessage::Pong => Heard::Other,
        }
    }

    fn within_reach(&self) -> usize {
        self.connections.len()
    }

    fn say(&mut self, kind: Kind, sdp_bytes: usize, now: Now) -> Vec<Saying> {
        match kind {
            Kind::Offer if !self.is_guest => {
                self.offered.extend(&self.connections);
                self.signals(|| Signal::Offer { sdp: sdp(sdp_bytes, now), generation: 0 })
            }
            Kind::Answer if self.is_guest => {
                self.signals(|| Signal::Answer { sdp: sdp(sdp_bytes, now), generation: 0 })
            }
            Kind::Offer | Kind::Answer => Vec::new(),
            Kind::Chat => {
                let line = format!("{} What a film!", now.since(Now::default()).as_nanos());
                let said = ChatText::parse(&line).ok().and_then(|text| {
                    let text = wire(&ClientMessage::Chat { text, nonce: self.random.bits() })?;
                    Some(Saying { text, hearers: self.people })
                });
                said.into_iter().collect()
            }
            Kind::Report => self.reports(now),
        }
    }

    fn probe(&self) -> Option<String> {
        wire(&ClientMessage::Ping)
    }
}

/// What a page reports of a connection over a relay. Few bytes: the server believes them, and counts.
fn report(connection: ConnectionId, sequence: u64) -> UsageReport {
    let pair = PairCounters {
        pair: "CPFFtVhWqQ_hPOmVfjH".to_owned(),
        provider: ProviderName::from(ProviderKind::Coturn),
        bytes_received: sequence * 100,
        bytes_sent: sequence * 100,
        packets_received: sequence,
        packets_sent: sequence,
        packets_indicated: 0,
    };
    UsageReport { connection, sequence, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None }
}

fn said(kind: Kind, at: Option<Now>) -> Heard {
    at.map_or(Heard::Other, |at| Heard::Said(kind, at))
}

fn wire(message: &ClientMessage) -> Option<String> {
    serde_json::to_string(message).ok()
}

fn count(people: usize) -> u64 {
    u64::try_from(people).unwrap_or(u64::MAX)
}
