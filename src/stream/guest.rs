//! What a guest decides: when to ask the host for an offer, and when a connection is of no use any more.
//!
//! Guests pull: nothing happens until the guest has its ICE servers and says so; asking again is harmless. A connection that
//! was up is mended before it is given up: the guest asks the host to restart ICE as soon as nothing arrives, and for a new
//! connection only when that did not help.

use super::candidates::Candidates;
use super::ice::{Ice, Need};
use super::outbox::Outbox;
use super::peer::{PeerCommand, PeerConfig, PeerEvent, PeerState, Sample};
use super::random::Random;
use super::relaying::Relaying;
use super::stall::Stall;
use super::view::Picture;
use crate::domain::{ConnectionId, Now};
use crate::protocol::{ClientMessage, Signal};
use std::time::Duration;

/// An offer that has not come by now is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(3);
/// A connection that is not up by now is given up for a new one. TURN over TCP through a slow proxy takes 5 s.
const CONNECT: Duration = Duration::from_secs(15);
/// A connection that was up has this long to be mended. ICE over TURN and TCP after a change of network takes 5 s.
const RECOVER: Duration = Duration::from_secs(10);
/// Between two requests for a restart that the browser's own word causes; a restart moves the connection's state itself.
const ASK_RESTART: Duration = Duration::from_secs(4);
/// Once another path is offered in a silence, a picture that a relay carried is back within this, or the time that the offer took
/// three times over: ICE may stay with a dead pair for seconds, where a new connection has none.
const MENDED: Duration = Duration::from_millis(800);
/// How often in a row a connection is given up because nothing came over another path either: a host may have nothing to send.
const GIVEN_UP: u32 = 2;
/// How often in a row a relay is accused. A host that doubts its own has all of its connections leave it: not again and again for
/// one of them.
const ACCUSATIONS: u32 = 2;
/// The pause before another connection is tried, after the first that failed; it doubles to eight times this.
const PAUSE: Duration = Duration::from_secs(1);

/// A guest's side of its one connection.
#[derive(Debug, Default)]
pub struct Guest {
    current: Option<Current>,
    failures: u32,
    /// Connections that were given up in a silence, since something arrived.
    given_up: u32,
    retry: Option<Now>,
    wants: Wants,
}

/// What a guest needs of the rest of the page, beside what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Credentials that are fresh.
    pub ice: Option<Need>,
    /// To know whether the line to the server is still there.
    pub line: bool,
}

#[derive(Debug)]
struct Current {
    id: ConnectionId,
    candidates: Candidates,
    stage: Stage,
    stall: Stall,
    relaying: Relaying,
    /// When a restart was asked for, or offered, last.
    restart: Option<Now>,
    /// A restart was asked for and not offered yet: with a lost line the request may be lost too.
    unanswered: bool,
    /// This end's relay may be dead: nothing came while the line was fine, and it runs over it, or another path did not help.
    suspect: bool,
    /// How often another path was asked for since some arrived.
    silences: u32,
    /// How much of what arrives comes over relays of either end.
    carried: Carried,
    mending: Mending,
    /// The host restarts ICE and waits until this end has fresh credentials.
    renewing: bool,
}

/// Whether the path that was offered last in a silence brings anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mending {
    /// There was no silence, or something came.
    #[default]
    Done,
    /// The first look after this that finds nothing new is the last.
    Until(Now),
    /// Nothing came.
    Failed,
}

/// What comes over relays of either end.
#[derive(Debug, Default)]
struct Carried {
    packets: u64,
    /// What arrived last came over them.
    all: bool,
}

impl Carried {
    /// True: something came over them since the last look.
    fn sampled(&mut self, sample: &Sample) -> bool {
        let pairs = sample.relayed.iter().chain(&sample.other_end);
        let packets = pairs.map(|pair| pair.packets_received).sum();
        packets > std::mem::replace(&mut self.packets, packets)
    }
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
    /// The film plays, so something ought to arrive at a guest.
    pub film_plays: bool,
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
        let (candidates, stall, relaying) = (Candidates::default(), Stall::default(), Relaying::default());
        self.current = Some(Current {
            id,
            candidates,
            stage,
            stall,
            relaying,
            restart: None,
            unanswered: false,
            suspect: false,
            silences: 0,
            carried: Carried::default(),
            mending: Mending::Done,
            renewing: false,
        });
    }

    /// The line to the server is back: what was said meanwhile is lost.
    pub fn resumed(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        let in_need = |current: &Current| current.unanswered || current.stall.is_stalled(around.now);
        match self.current.as_ref().map(|current| current.stage) {
            Some(Stage::Connected) if self.current.as_ref().is_some_and(in_need) => {
                self.ask_restart(false, around, out);
            }
            Some(Stage::Connected) => self.tick(around, random, out),
            Some(Stage::Interrupted { .. }) => {
                self.interrupted(around);
                self.ask_restart(false, around, out);
            }
            Some(Stage::Asking { .. } | Stage::Connecting { .. }) | None => self.replace(around, random, out),
        }
    }

    /// Another network: the path is in doubt.
    pub fn network_changed(&mut self, around: &Around<'_>, out: &mut Outbox) {
        self.wants.line = true;
        if self.is_up() {
            self.ask_restart(false, around, out);
        }
    }

    /// The credentials in hand are new: what runs over a relay must not outlive the old ones.
    pub fn renewed(&mut self, around: &Around<'_>, out: &mut Outbox) {
        let relayed = self.current.as_ref().is_some_and(|current| current.relaying.is_relayed() && !current.renewing);
        if relayed && self.is_up() {
            self.ask_restart(false, around, out);
        }
    }

    /// The relay of this end is over: what runs over one ends, and another connection is tried with what there is now.
    pub fn leave_relay(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        if self.current.as_ref().is_some_and(|current| current.relaying.is_relayed()) {
            self.replace(around, random, out);
        }
    }

    /// An answer with ICE servers came, or a call for them failed.
    pub fn ice_settled(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        self.confirm(around, out);
        self.ask(around, random, out);
    }

    /// A connection's counters.
    pub fn sampled(&mut self, id: ConnectionId, sample: &Sample, around: &Around<'_>, out: &mut Outbox) {
        if let Some(current) = self.current.as_mut().filter(|current| current.id == id) {
            let (carried, was_asking) = (current.carried.sampled(sample), current.stall.is_asking());
            if current.stall.sampled(sample.media_received, sample.quiet, around.now) {
                (current.silences, current.suspect, current.mending) = (0, false, Mending::Done);
                current.carried.all = carried;
                self.given_up = 0;
                if was_asking {
                    want_key_frame(id, out);
                }
            } else if carried {
                // The host has nothing to send, and says so.
                current.mending = Mending::Done;
            } else if matches!(current.mending, Mending::Until(then) if then <= around.now) {
                current.mending = Mending::Failed;
            }
            current.relaying.sampled(sample, around.now);
        }
    }

    /// Something from the host.
    pub fn signal(&mut self, id: ConnectionId, signal: Signal, around: &Around<'_>, out: &mut Outbox) {
        let Some(current) = self.current.as_mut().filter(|current| current.id == id) else {
            return;
        };
        match signal {
            Signal::Offer { sdp, generation } => {
                if matches!(current.stage, Stage::Asking { .. }) {
                    let config = PeerConfig { relay_only: around.relay_only, sends: false };
                    out.open_peer(id, config, around.ice.provider().cloned(), around.now);
                    current.stage = Stage::Connecting { until: around.now + CONNECT };
                } else {
                    let asked = current.restart.replace(around.now).filter(|_| current.unanswered);
                    if let Some(asked) = asked.filter(|_| current.silences > 0 && current.carried.all) {
                        current.mending = Mending::Until(around.now + MENDED.max(around.now.since(asked) * 3));
                    }
                    (current.unanswered, current.suspect) = (false, false);
                    current.relaying.restarted(around.now);
                }
                out.peer(id, PeerCommand::AcceptOffer { sdp, generation });
                for candidate in current.candidates.described() {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            Signal::Candidate { .. } => {
                if let Some(candidate) = current.candidates.arrived(signal) {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            Signal::Renew => {
                current.renewing = true;
                let in_trouble =
                    matches!(current.stage, Stage::Interrupted { .. }) || current.stall.is_stalled(around.now);
                self.wants.ice = Some(match (in_trouble, current.suspect) {
                    (_, true) => Need::FromAnother,
                    (true, false) => Need::InTrouble,
                    (false, false) => Need::Soon,
                });
            }
            // Guests do not offer, so nobody answers them; and these are theirs to say.
            Signal::Answer { .. } | Signal::Restart { .. } | Signal::KeyFrame | Signal::Renewed | Signal::Seen(_) => {}
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
                if matches!(current.stage, Stage::Interrupted { .. }) {
                    want_key_frame(id, out);
                }
                // What was not back meanwhile gets its time anew: nobody has looked since.
                (current.stage, current.mending) = (Stage::Connected, Mending::Done);
                self.failures = 0;
            }
            PeerEvent::State(PeerState::Connecting) => {
                if current.stage == Stage::Connected {
                    self.interrupted(around);
                }
            }
            PeerEvent::State(PeerState::Failed) if self.is_up() => self.interrupted(around),
            PeerEvent::State(PeerState::Failed) | PeerEvent::Broken => self.fail(around, random, out),
            PeerEvent::Sampled(_) | PeerEvent::SideOpened | PeerEvent::Told(_) => {}
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
        let Some(current) = &mut self.current else {
            return self.ask(around, random, out);
        };
        current.stall.expect(around.film_plays && current.stage == Stage::Connected, now);
        match &mut current.stage {
            Stage::Asking { again } if *again <= now => {
                *again = now + ASK_AGAIN;
                out.say(ClientMessage::Ready { connection: current.id });
            }
            Stage::Connecting { until } if *until <= now => self.fail(around, random, out),
            // Without a line there is no other connection to be had, and this one may still come back.
            Stage::Interrupted { until } if *until <= now => {
                if out.heard {
                    self.fail(around, random, out);
                } else {
                    *until = now + RECOVER;
                }
            }
            Stage::Interrupted { .. } => {
                if current.restart.is_none_or(|last| now.since(last) >= ASK_RESTART) {
                    self.ask_restart(out.heard, around, out);
                }
            }
            Stage::Connected if current.mending == Mending::Failed && out.heard && self.given_up < GIVEN_UP => {
                self.given_up += 1;
                self.replace(around, random, out);
            }
            Stage::Connected => {
                let stalled = current.stall.ask(now);
                let direct = !around.relay_only && current.relaying.attempt(now);
                self.wants.line |= stalled;
                if stalled || direct {
                    self.ask_restart(stalled, around, out);
                }
            }
            Stage::Asking { .. } | Stage::Connecting { .. } => {}
        }
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self, relay_only: bool) -> Option<Now> {
        match self.current.as_ref().map(|current| current.stage) {
            None => self.retry,
            Some(Stage::Asking { again }) => Some(again),
            Some(Stage::Connecting { until }) => Some(until),
            Some(Stage::Interrupted { until }) => {
                let again = self.current.as_ref().and_then(|current| current.restart).map(|last| last + ASK_RESTART);
                Some(again.map_or(until, |again| again.min(until)))
            }
            Some(Stage::Connected) => {
                let current = self.current.as_ref()?;
                let attempt = current.relaying.next_timeout().filter(|_| !relay_only);
                [current.stall.next_timeout(), attempt].into_iter().flatten().min()
            }
        }
    }

    /// How often to look at the counters, where more often than usual.
    pub fn look_every(&self) -> Option<Duration> {
        self.current.as_ref()?.stall.look_every()
    }

    /// What the guest needs of the rest of the page, once.
    #[must_use]
    pub fn wants(&mut self) -> Wants {
        std::mem::take(&mut self.wants)
    }

    /// The host waits for this end's credentials: they are here, or as good as they get.
    pub fn confirm(&mut self, around: &Around<'_>, out: &mut Outbox) {
        if let Some(current) = self.current.as_mut().filter(|current| current.renewing && !around.ice.is_fetching()) {
            current.renewing = false;
            out.configure_peer(current.id, around.ice.provider().cloned());
            out.say(ClientMessage::Signal { connection: current.id, signal: Signal::Renewed });
        }
    }

    /// What the guest is shown.
    pub fn picture(&self, now: Now) -> Picture {
        if self.current.as_ref().is_some_and(|current| current.stall.is_stalled(now)) {
            return Picture::Interrupted;
        }
        match self.current.as_ref().map(|current| current.stage) {
            Some(Stage::Connected) => Picture::Connected,
            Some(Stage::Interrupted { .. }) => Picture::Interrupted,
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

    fn is_up(&self) -> bool {
        let stage = self.current.as_ref().map(|current| current.stage);
        matches!(stage, Some(Stage::Connected | Stage::Interrupted { .. }))
    }

    fn interrupted(&mut self, around: &Around<'_>) {
        self.wants.line = true;
        if let Some(current) = &mut self.current {
            current.stage = Stage::Interrupted { until: around.now + RECOVER };
        }
    }

    /// `silent`: nothing arrives, and no line or network was lost that would explain it.
    fn ask_restart(&mut self, silent: bool, around: &Around<'_>, out: &mut Outbox) {
        if let Some(current) = &mut self.current {
            let silent = silent && current.silences < ACCUSATIONS;
            (current.restart, current.unanswered) = (Some(around.now), true);
            current.silences += u32::from(silent);
            // Which of the paths carried the media browsers do not always tell.
            current.suspect = silent && (current.relaying.is_relayed() || current.silences > 1);
            out.say(ClientMessage::Signal { connection: current.id, signal: Signal::Restart { silent } });
        }
    }

    /// It does not come up, or not again: the next one may with a relay of somebody else.
    fn fail(&mut self, around: &Around<'_>, random: &mut Random, out: &mut Outbox) {
        if out.heard && around.ice.provider().is_some() {
            self.wants.ice = Some(Need::FromAnother);
        }
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

/// A decoder waits for what was lost, for three seconds in Chromium, before it asks for a whole picture by itself.
fn want_key_frame(connection: ConnectionId, out: &mut Outbox) {
    out.say(ClientMessage::Signal { connection, signal: Signal::KeyFrame });
}
