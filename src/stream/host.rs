//! What a host decides: one peer connection for each guest that asks, each on its own.
//!
//! Closing one connection touches no other; the film's tracks belong to the driver and are shared by all.

use super::candidates::Candidates;
use super::guest::Around;
use super::outbox::Outbox;
use super::peer::{PeerCommand, PeerConfig, PeerEvent, PeerState};
use crate::domain::{ConnectionId, ParticipantId};
use crate::protocol::{ClientMessage, Signal};
use std::collections::BTreeMap;

/// The host's side of all its connections.
#[derive(Debug, Default)]
pub struct Host {
    peers: BTreeMap<ConnectionId, Peer>,
    /// Guests that asked before the ICE servers were here, in the order in which they asked.
    waiting: Vec<(ConnectionId, ParticipantId)>,
}

#[derive(Debug)]
struct Peer {
    guest: ParticipantId,
    candidates: Candidates,
}

impl Host {
    /// A guest wants an offer. Its former connection, if any, is over.
    pub fn ready(&mut self, id: ConnectionId, guest: ParticipantId, around: &Around<'_>, out: &mut Outbox) {
        let former: Vec<_> =
            self.peers.iter().filter(|(other, peer)| peer.guest == guest && **other != id).map(|(id, _)| *id).collect();
        for other in former {
            self.closed(other, around, out);
        }
        self.waiting.retain(|(_, other)| *other != guest);
        if let Some(peer) = self.peers.get(&id) {
            // The offer got lost, or is still on its way: a second one of the same connection does no harm.
            if !peer.candidates.is_described() {
                out.peer(id, PeerCommand::Offer);
            }
            return;
        }
        if around.ice.servers().is_none() {
            self.waiting.push((id, guest));
            return;
        }
        let config = PeerConfig { relay_only: around.relay_only, sends: true };
        out.open_peer(id, config, around.ice.provider().cloned(), around.now);
        out.peer(id, PeerCommand::Offer);
        self.peers.insert(id, Peer { guest, candidates: Candidates::default() });
    }

    /// The ICE servers are here: whoever waits for an offer gets one.
    pub fn ice_settled(&mut self, around: &Around<'_>, out: &mut Outbox) {
        for (id, guest) in std::mem::take(&mut self.waiting) {
            self.ready(id, guest, around, out);
        }
    }

    /// Something from a guest.
    pub fn signal(&mut self, id: ConnectionId, signal: Signal, out: &mut Outbox) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match signal {
            // A guest that was offered twice answers twice; the first answer settles it.
            Signal::Answer { .. } if peer.candidates.is_described() => {}
            Signal::Answer { sdp } => {
                out.peer(id, PeerCommand::AcceptAnswer(sdp));
                for candidate in peer.candidates.described() {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            Signal::Candidate { .. } => {
                if let Some(candidate) = peer.candidates.arrived(signal) {
                    out.peer(id, PeerCommand::AddCandidate(candidate));
                }
            }
            // Only hosts offer, and what is seen is for the quality.
            Signal::Offer { .. } | Signal::Seen(_) => {}
        }
    }

    /// A connection reports something.
    pub fn event(&mut self, id: ConnectionId, event: PeerEvent, around: &Around<'_>, out: &mut Outbox) {
        if !self.peers.contains_key(&id) {
            return;
        }
        match event {
            PeerEvent::Described(signal) | PeerEvent::Candidate(signal) => {
                out.say(ClientMessage::Signal { connection: id, signal });
            }
            PeerEvent::State(PeerState::Failed) | PeerEvent::Broken => {
                // The guest is told and asks for another one.
                out.say(ClientMessage::Close { connection: id });
                self.closed(id, around, out);
            }
            PeerEvent::State(PeerState::Connected | PeerState::Connecting) | PeerEvent::Sampled(_) => {}
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

    /// The connections that are up or on their way.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.peers.keys().copied()
    }
}
