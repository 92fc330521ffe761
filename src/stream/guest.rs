//! What a guest decides: when to ask the host for an offer, and when a connection is of no use any more.
//!
//! Guests pull: nothing happens until the guest has its ICE servers and says so; asking again is harmless.

use super::candidates::Candidates;
use super::ice::Ice;
use super::outbox::Outbox;
use super::peer::{PeerCommand, PeerConfig, PeerEvent, PeerState};
use super::random::Random;
use super::view::Picture;
use crate::domain::{ConnectionId, Now};
use crate::protocol::{ClientMessage, Signal};
use std::time::Duration;

/// An offer that has not come by now is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(3);
/// A connection that is not up by now is given up for a new one. TURN over TCP through a slow proxy takes 5 s.
const CONNECT: Duration = Duration::from_secs(15);
/// A connection that was up may come back by itself for this long.
const RECOVER: Duration = Duration::from_secs(8);
/// The pause before another connection is tried, after the first that failed; it doubles to eight times this.
const PAUSE: Duration = Duration::from_secs(1);

/// A guest's side of its one connection.
#[derive(Debug, Default)]
pub struct Guest {
    current: Option<Current>,
    failures: u32,
    retry: Option<Now>,
}

#[derive(Debug)]
struct Current {
    id: ConnectionId,
    candidates: Candidates,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asking { again: Now },
    Connecting { until: Now },
    Connected,
    Interrupted { until: Now },
}

/// What a guest needs to know of its surroundings.
pub struct Around<'a> {
    /// The ICE servers.
    pub ice: &'a Ice,
    /// "Hide my address".
    pub relay_only: bool,
    /// The time.
    pub now: Now,
}

impl Guest {
    /// Asks for a connection if there is none and nothing is missing for it.
    pub fn ask(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        let pausing = self.retry.is_some_and(|retry| around.now < retry);
        if self.current.is_some() || pausing || around.ice.servers().is_none() || !out.heard {
            return;
        }
        self.retry = None;
        let id = ConnectionId::from_random(random.bits());
        out.say(ClientMessage::Ready { connection: id });
        let stage = Stage::Asking { again: around.now + ASK_AGAIN };
        self.current = Some(Current { id, candidates: Candidates::default(), stage });
    }

    /// The line to the server is back: what was said meanwhile is lost.
    pub fn resumed(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        match self.current.as_ref().map(|current| current.stage) {
            Some(Stage::Connected | Stage::Interrupted { .. }) => {}
            Some(Stage::Asking { .. } | Stage::Connecting { .. }) | None => self.replace(around, random, out),
        }
    }

    /// Something from the host.
    pub fn signal(&mut self, id: ConnectionId, signal: Signal, around: &Around<'_>, out: &mut Outbox) {
        let Some(current) = self.current.as_mut().filter(|current| current.id == id) else {
            return;
        };
        match signal {
            Signal::Offer { sdp } => {
                if matches!(current.stage, Stage::Asking { .. }) {
                    let config = PeerConfig { relay_only: around.relay_only, sends: false };
                    out.open_peer(id, config, around.ice.provider().cloned(), around.now);
                    current.stage = Stage::Connecting { until: around.now + CONNECT };
                }
                out.peer(id, PeerCommand::AcceptOffer(sdp));
                for candidate in current.candidates.described() {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            Signal::Candidate { .. } => {
                if let Some(candidate) = current.candidates.arrived(signal) {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            // Guests do not offer, so nobody answers them; and it is they who see.
            Signal::Answer { .. } | Signal::Seen(_) => {}
        }
    }

    /// The connection reports something.
    pub fn event(
        &mut self,
        id: ConnectionId,
        event: PeerEvent,
        around: &Around<'_>,
        random: &mut Random,
        out: &mut Outbox,
    ) {
        let Some(current) = self.current.as_mut().filter(|current| current.id == id) else {
            return;
        };
        match event {
            PeerEvent::Described(signal) | PeerEvent::Candidate(signal) => {
                out.say(ClientMessage::Signal { connection: id, signal });
            }
            PeerEvent::State(PeerState::Connected) => {
                current.stage = Stage::Connected;
                self.failures = 0;
            }
            PeerEvent::State(PeerState::Connecting) => {
                if current.stage == Stage::Connected {
                    current.stage = Stage::Interrupted { until: around.now + RECOVER };
                }
            }
            PeerEvent::State(PeerState::Failed) | PeerEvent::Broken => self.fail(around, random, out),
            PeerEvent::Sampled(_) => {}
        }
    }

    /// The server says that the connection is over: the host has another page, another setting, or gave it up.
    pub fn closed(&mut self, id: ConnectionId, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        let Some(current) = self.current.as_ref().filter(|current| current.id == id) else { return };
        match current.stage {
            Stage::Connected | Stage::Interrupted { .. } => self.replace(around, random, out),
            // It never came up: if that goes on, both ends would build and drop connections as fast as they can.
            Stage::Asking { .. } | Stage::Connecting { .. } => self.pause(around, random, out),
        }
    }

    /// Gives the connection up for a new one at once.
    pub fn replace(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        self.leave(around.now, out);
        self.retry = None;
        self.ask(around, random, out);
    }

    /// Gives the connection up.
    pub fn leave(&mut self, now: Now, out: &mut Outbox) {
        if let Some(current) = self.current.take()
            && !matches!(current.stage, Stage::Asking { .. })
        {
            out.close_peer(current.id, now);
        }
    }

    /// Time passed.
    pub fn tick(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        let now = around.now;
        // Whoever cannot ask yet asks as soon as the line or the ICE servers are there.
        self.retry = self.retry.filter(|retry| now < *retry);
        match &mut self.current {
            None => self.ask(around, random, out),
            Some(current) => match &mut current.stage {
                Stage::Asking { again } if *again <= now => {
                    *again = now + ASK_AGAIN;
                    out.say(ClientMessage::Ready { connection: current.id });
                }
                Stage::Connecting { until } | Stage::Interrupted { until } if *until <= now => {
                    self.fail(around, random, out);
                }
                Stage::Asking { .. } | Stage::Connecting { .. } | Stage::Interrupted { .. } | Stage::Connected => {}
            },
        }
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        match self.current.as_ref().map(|current| current.stage) {
            None => self.retry,
            Some(Stage::Asking { again }) => Some(again),
            Some(Stage::Connecting { until } | Stage::Interrupted { until }) => Some(until),
            Some(Stage::Connected) => None,
        }
    }

    /// What the guest is shown.
    pub fn picture(&self) -> Picture {
        match self.current.as_ref().map(|current| current.stage) {
            Some(Stage::Connected | Stage::Interrupted { .. }) => Picture::Connected,
            Some(Stage::Asking { .. } | Stage::Connecting { .. }) if self.failures == 0 => Picture::Connecting,
            Some(_) => Picture::Failed,
            None if self.failures > 0 => Picture::Failed,
            None => Picture::None,
        }
    }

    /// The connection that is up or on its way.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.current.as_ref().filter(|current| !matches!(current.stage, Stage::Asking { .. })).map(|current| current.id)
    }

    fn fail(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        if let Some(current) = &self.current {
            out.say(ClientMessage::Close { connection: current.id });
        }
        self.pause(around, random, out);
    }

    fn pause(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        self.leave(around.now, out);
        let pause = PAUSE * 2_u32.pow(self.failures.min(3));
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(around.now + random.around(pause));
    }
}
