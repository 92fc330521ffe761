//! What a host decides: one peer connection for each guest that asks, each on its own.
//!
//! Closing one connection touches no other; the film's tracks belong to the driver and are shared by all. ICE is restarted
//! by the host alone, whoever wants it; see [`super::negotiation`].

use super::candidates::Candidates;
use super::guest::Around;
use super::ice::Need;
use super::moving::Moving;
use super::negotiation::{Negotiation, Step};
use super::outbox::Outbox;
use super::peer::{PeerCommand, PeerConfig, PeerEvent, PeerState, Sample};
use super::relaying::Relaying;
use crate::domain::{ConnectionId, Now, ParticipantId};
use crate::protocol::{ClientMessage, Signal};
use std::collections::BTreeMap;
use std::time::Duration;

/// The host's side of all its connections.
#[derive(Debug, Default)]
pub struct Host {
    peers: BTreeMap<ConnectionId, Peer>,
    /// Guests that asked before the ICE servers were here, in the order in which they asked.
    waiting: Vec<(ConnectionId, ParticipantId)>,
    /// A restart waits for fresh credentials.
    wants_ice: bool,
    /// Nothing came through to a guest that is reached over this end's relay.
    suspect: bool,
}

#[derive(Debug)]
struct Peer {
    guest: ParticipantId,
    candidates: Candidates,
    negotiation: Negotiation,
    relaying: Relaying,
    moving: Moving,
    /// It was up at least once.
    connected: bool,
    /// When the browser's own word last caused a restart.
    troubled: Option<Now>,
    /// When the guest was last sent a key frame that it wanted.
    key_frame: Option<Now>,
}

/// Between two key frames that a guest wants: each is as large as a second of picture.
const KEY_FRAMES: Duration = Duration::from_millis(500);
/// A restart moves the connection's state itself; what comes so soon after one is its echo.
const ECHO: Duration = Duration::from_secs(4);

impl Host {
    /// A guest wants an offer. Its former connection, if any, is over.
    pub fn ready(&mut self, id: ConnectionId, guest: ParticipantId, around: &Around<'_>, out: &mut Outbox) {
        let former: Vec<_> =
            self.peers.iter().filter(|(other, peer)| peer.guest == guest && **other != id).map(|(id, _)| *id).collect();
        for other in former {
            self.closed(other, around, out);
        }
        self.waiting.retain(|(_, other)| *other != guest);
        if let Some(peer) = self.peers.get_mut(&id) {
            if peer.negotiation.asked_again() {
                out.peer(id, PeerCommand::Offer { generation: peer.negotiation.generation(), restart: false });
            }
            return;
        }
        if around.ice.servers().is_none() {
            self.waiting.push((id, guest));
            return;
        }
        let config = PeerConfig { relay_only: around.relay_only, sends: true };
        out.open_peer(id, config, around.ice.provider().cloned(), around.now);
        let peer = Peer {
            guest,
            candidates: Candidates::default(),
            negotiation: Negotiation::first(),
            relaying: Relaying::default(),
            moving: Moving::default(),
            connected: false,
            troubled: None,
            key_frame: None,
        };
        out.peer(id, PeerCommand::Offer { generation: peer.negotiation.generation(), restart: false });
        self.peers.insert(id, peer);
    }

    /// The ICE servers are here: whoever waits for an offer gets one.
    pub fn ice_settled(&mut self, around: &Around<'_>, out: &mut Outbox) {
        for (id, guest) in std::mem::take(&mut self.waiting) {
            self.ready(id, guest, around, out);
        }
        self.tick(around, out);
    }

    /// The line to the server is back: what was said meanwhile is lost.
    pub fn resumed(&mut self, around: &Around<'_>, out: &mut Outbox) {
        self.restart_where(|_| true, Negotiation::resumed, around, out);
    }

    /// The credentials in hand are new: what runs over a relay must not outlive the old ones.
    pub fn renewed(&mut self, around: &Around<'_>, out: &mut Outbox) {
        self.restart_where(|peer| peer.relaying.is_relayed(), Negotiation::restart_anyway, around, out);
    }

    /// The relay of this end is over: what runs over one ends, and the guests ask for other connections.
    pub fn leave_relay(&mut self, around: &Around<'_>, out: &mut Outbox) {
        let relayed = self.peers.iter().filter(|(_, peer)| peer.relaying.is_relayed());
        for id in relayed.map(|(id, _)| *id).collect::<Vec<_>>() {
            out.say(ClientMessage::Close { connection: id });
            self.closed(id, around, out);
        }
    }

    /// Another network: every path is in doubt.
    pub fn network_changed(&mut self, around: &Around<'_>, out: &mut Outbox) {
        self.restart_where(|_| true, Negotiation::restart_anyway, around, out);
    }

    /// Something from a guest.
    pub fn signal(&mut self, id: ConnectionId, signal: Signal, around: &Around<'_>, out: &mut Outbox) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match signal {
            Signal::Answer { sdp, generation } => {
                if peer.negotiation.answered(generation) {
                    out.peer(id, PeerCommand::AcceptAnswer(sdp));
                    for candidate in peer.candidates.described() {
                        out.peer(id, PeerCommand::AddCandidate(candidate));
                    }
                }
            }
            Signal::Candidate { .. } => {
                if let Some(candidate) = peer.candidates.arrived(signal) {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            Signal::Restart { silent } => {
                // A restart may be under way already, with credentials of the relay that is silent.
                if silent && peer.relaying.is_relayed() {
                    (self.suspect, self.wants_ice) = (true, true);
                }
                self.restart(id, Negotiation::restart_anyway, around, out);
            }
            Signal::KeyFrame => {
                if peer.key_frame.is_none_or(|last| around.now.since(last) >= KEY_FRAMES) {
                    peer.key_frame = Some(around.now);
                    out.peer(id, PeerCommand::KeyFrame);
                }
            }
            Signal::Renewed => peer.negotiation.guest_renewed(),
            // Only hosts say the first two, and what is seen is for the quality.
            Signal::Offer { .. } | Signal::Renew | Signal::Seen(_) => {}
        }
        self.tick(around, out);
    }

    /// A connection reports something.
    pub fn event(&mut self, id: ConnectionId, event: PeerEvent, around: &Around<'_>, out: &mut Outbox) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match event {
            PeerEvent::Described(signal) => {
                peer.negotiation.described(around.now);
                out.say(ClientMessage::Signal { connection: id, signal });
            }
            PeerEvent::Candidate(signal) => out.say(ClientMessage::Signal { connection: id, signal }),
            PeerEvent::Broken => {
                // The guest is told and asks for another one.
                out.say(ClientMessage::Close { connection: id });
                self.closed(id, around, out);
            }
            // A guest that has nothing of a first connection asks for another one by itself.
            PeerEvent::State(PeerState::Failed | PeerState::Connecting) if peer.connected => {
                if peer.troubled.is_none_or(|last| around.now.since(last) >= ECHO) {
                    peer.troubled = Some(around.now);
                    self.restart(id, Negotiation::restart, around, out);
                }
            }
            PeerEvent::State(PeerState::Connected) => peer.connected = true,
            PeerEvent::State(_) | PeerEvent::Sampled(_) | PeerEvent::SideOpened | PeerEvent::Told(_) => {}
        }
    }

    /// A connection's counters.
    pub fn sampled(&mut self, id: ConnectionId, sample: &Sample, now: Now) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.relaying.sampled(sample, now);
            peer.moving.sampled(sample);
        }
    }

    /// A connection is over.
    pub fn closed(&mut self, id: ConnectionId, around: &Around<'_>, out: &mut Outbox) {
        self.waiting.retain(|(other, _)| *other != id);
        if self.peers.remove(&id).is_some() {
            out.close_peer(id, around.now);
        }
    }

    /// Gives every connection up; the guests ask for new ones.
    pub fn replace_all(&mut self, around: &Around<'_>, out: &mut Outbox) {
        for id in self.connections().collect::<Vec<_>>() {
            out.say(ClientMessage::Close { connection: id });
            self.closed(id, around, out);
        }
    }

    /// Time passed.
    pub fn tick(&mut self, around: &Around<'_>, out: &mut Outbox) {
        let (now, relay_only) = (around.now, around.relay_only);
        let is_due = |peer: &mut Peer| peer.moving.is_late(now) || (!relay_only && peer.relaying.attempt(now));
        let due: Vec<_> = self.peers.iter_mut().filter_map(|(id, peer)| is_due(peer).then_some(*id)).collect();
        for id in due {
            self.restart(id, Negotiation::restart, around, out);
        }
        let ready = !around.ice.is_fetching();
        for (id, peer) in &mut self.peers {
            match peer.negotiation.step(ready, around.now) {
                Some(Step::Renew) => self.wants_ice |= renew(*id, out),
                Some(Step::Offer) => {
                    out.configure_peer(*id, around.ice.provider().cloned());
                    out.peer(*id, PeerCommand::Offer { generation: peer.negotiation.generation(), restart: true });
                    peer.candidates.restarted();
                    peer.relaying.restarted(around.now);
                    peer.moving.restarted(around.now);
                }
                None => {}
            }
        }
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self, relay_only: bool) -> Option<Now> {
        let due = |peer: &Peer| {
            let attempt = peer.relaying.next_timeout().filter(|_| !relay_only);
            [peer.negotiation.next_timeout(), peer.moving.next_timeout(), attempt].into_iter().flatten().min()
        };
        self.peers.values().filter_map(due).min()
    }

    /// Once: a restart needs credentials that are fresh.
    #[must_use]
    pub fn wants_ice(&mut self) -> Option<Need> {
        let wanted = std::mem::take(&mut self.wants_ice);
        wanted.then(|| if std::mem::take(&mut self.suspect) { Need::FromAnother } else { Need::Soon })
    }

    /// The connections that are up or on their way.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.peers.keys().copied()
    }

    fn restart_where(
        &mut self,
        concerned: impl Fn(&Peer) -> bool,
        begin: fn(&mut Negotiation, Now) -> bool,
        around: &Around<'_>,
        out: &mut Outbox,
    ) {
        let ids: Vec<_> = self.peers.iter().filter(|(_, peer)| concerned(peer)).map(|(id, _)| *id).collect();
        for id in ids {
            self.restart(id, begin, around, out);
        }
    }

    /// Tries to begin a restart, and has both ends renew their credentials for it where it begins.
    fn restart(
        &mut self,
        id: ConnectionId,
        begin: fn(&mut Negotiation, Now) -> bool,
        around: &Around<'_>,
        out: &mut Outbox,
    ) {
        if let Some(peer) = self.peers.get_mut(&id)
            && begin(&mut peer.negotiation, around.now)
        {
            self.wants_ice |= renew(id, out);
        }
    }
}

fn renew(id: ConnectionId, out: &mut Outbox) -> bool {
    out.say(ClientMessage::Signal { connection: id, signal: Signal::Renew });
    true
}
