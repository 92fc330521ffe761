//! The stand-in for the browsers' peer connections: what a page's core asks of one, and what it hears from it.

use super::world::{Evening, FIRST, PEOPLE, Stays};
use crate::domain::{ConnectionId, Now, Role};
use crate::protocol::{Path, Signal};
use crate::stream::{Input, PairSample, PeerCommand, PeerEvent, PeerState, Sample};
use std::collections::BTreeSet;
use std::time::Duration;

/// Which ends of a connection have what they need.
#[derive(Default)]
pub(super) struct Wire {
    answered: BTreeSet<usize>,
    /// The number of the last offer that the guest took.
    offered: u32,
    accepted: bool,
    pub(super) connected: bool,
    media: u64,
    /// When ICE was restarted last.
    restarted: Option<Now>,
    /// When the pair came to be that carries the media.
    pub(super) pair: Now,
    /// The path between them is gone: nothing arrives until ICE has been restarted.
    dead: bool,
}

impl Evening {
    pub(super) fn peer(&mut self, person: usize, id: ConnectionId, command: PeerCommand) {
        let signal = |signal| Input::Peer(id, PeerEvent::Described(signal));
        let candidate = || {
            Input::Peer(
                id,
                PeerEvent::Candidate(Signal::Candidate {
                    candidate: "candidate".to_owned(),
                    sdp_mid: None,
                    sdp_m_line_index: None,
                    username_fragment: None,
                }),
            )
        };
        match command {
            PeerCommand::Open(config) => {
                assert_eq!(config.sends, self.role(person) == Some(Role::Host));
                assert!(self.pages[person].peers.insert(id), "built twice");
            }
            PeerCommand::Offer { generation, restart } => {
                assert_eq!(self.role(person), Some(Role::Host), "the host always offers");
                self.restarts += u32::from(restart);
                self.post(5, person, signal(Signal::Offer { sdp: generation.to_string(), generation }));
                self.post(6, person, candidate());
            }
            PeerCommand::AcceptOffer { sdp, generation } => {
                assert_eq!(sdp, generation.to_string());
                let wire = self.wires.entry(id).or_default();
                wire.answered.insert(person);
                wire.offered = generation;
                self.post(5, person, signal(Signal::Answer { sdp: generation.to_string(), generation }));
                self.post(6, person, candidate());
            }
            PeerCommand::AcceptAnswer(sdp) => {
                let dead = self.has_no_path(id);
                let wire = self.wires.entry(id).or_default();
                wire.accepted = true;
                // Where the guest has seen a later offer meanwhile, the checks of both ends do not match.
                let stays = self.stays == Stays::DeadPaths && wire.dead;
                wire.dead = dead || stays || sdp != wire.offered.to_string();
                // Chromium, restarted twice at once, checks no pair of either restart and stays where it was.
                let settled = wire.restarted.is_none_or(|last| self.now.since(last) >= Duration::from_secs(1));
                wire.restarted = Some(self.now);
                if settled && self.stays == Stays::NextPair {
                    self.stays = Stays::Nothing;
                } else if settled {
                    wire.pair = self.now;
                }
                let mended = wire.connected && !wire.dead;
                self.connect(id);
                if mended {
                    self.tell_ends(id, PeerState::Connected);
                }
            }
            PeerCommand::KeyFrame => {
                assert_eq!(self.role(person), Some(Role::Host), "only the host sends");
                self.key_frames += 1;
            }
            PeerCommand::Configure | PeerCommand::Tell(_) => {
                assert!(self.pages[person].peers.contains(&id), "for a connection that is gone");
            }
            PeerCommand::AddCandidate(_) => {
                assert!(self.pages[person].peers.contains(&id), "a candidate without a connection");
            }
            PeerCommand::Encode(encoding) => {
                assert_eq!(self.role(person), Some(Role::Host), "only the host sends");
                self.encodings.insert(id, encoding);
            }
            PeerCommand::Sample => {
                let sample = self.sample(id);
                self.post(2, person, Input::Peer(id, PeerEvent::Sampled(sample)));
            }
            PeerCommand::Close => {
                if self.pages[person].peers.remove(&id) {
                    let sample = self.sample(id);
                    self.post(2, person, Input::Peer(id, PeerEvent::Sampled(sample)));
                    self.hang_up(person, id);
                }
            }
        }
    }

    /// What has arrived by now is as good as the time while the path is there.
    fn sample(&mut self, id: ConnectionId) -> Sample {
        let needs_relay = self.needs_relay.iter().any(|person| self.pages[*person].peers.contains(&id));
        let wire = self.wires.entry(id).or_default();
        if wire.connected && !wire.dead {
            wire.media = u64::try_from(self.now.since(Now::default()).as_millis()).unwrap();
        }
        let relayed = self.relayed || needs_relay;
        let pair = || PairSample {
            id: format!("{:?}", wire.pair),
            bytes_received: wire.media * 100,
            bytes_sent: 0,
            packets_received: wire.media,
            packets_sent: 0,
        };
        Sample {
            path: if relayed { Path::Relayed } else { Path::Direct },
            relayed: relayed.then(pair).into_iter().collect(),
            selected: wire.connected.then(|| format!("{:?}", wire.pair)),
            media_received: wire.media,
            ..Sample::default()
        }
    }

    /// The first provider's relay dies, over which everything runs.
    pub(super) fn kill_first_relay(&mut self) {
        self.first_is_dead = true;
        for guest in 1..PEOPLE {
            self.kill_paths(guest);
        }
    }

    /// Nothing arrives any more on any path of this person, and ICE takes its time to say so.
    pub(super) fn kill_paths(&mut self, person: usize) {
        for id in self.pages[person].peers.clone() {
            self.wires.entry(id).or_default().dead = true;
            self.post(6_000, person, Input::Peer(id, PeerEvent::State(PeerState::Connecting)));
        }
    }

    /// The paths of this person are there again by themselves, and ICE says so.
    pub(super) fn revive_paths(&mut self, person: usize) {
        for id in self.pages[person].peers.clone() {
            self.wires.entry(id).or_default().dead = false;
            self.post(0, person, Input::Peer(id, PeerEvent::State(PeerState::Connected)));
        }
    }

    /// Where there is no direct way, one end with a relay that lives is enough.
    fn has_no_path(&self, id: ConnectionId) -> bool {
        let mut ends = self.pages.iter().filter(|page| page.peers.contains(&id));
        self.first_is_dead && ends.all(|page| page.provider == FIRST)
    }

    fn connect(&mut self, id: ConnectionId) {
        if self.has_no_path(id) {
            return;
        }
        let ends: Vec<_> = (0..PEOPLE).filter(|person| self.pages[*person].peers.contains(&id)).collect();
        let wire = self.wires.entry(id).or_default();
        if wire.accepted && !wire.answered.is_empty() && ends.len() == 2 && !wire.connected {
            wire.connected = true;
            let hosts = ends.iter().filter(|end| self.role(**end) == Some(Role::Host)).count();
            assert!(hosts <= 1, "a connection between hosts");
            self.tell_ends(id, PeerState::Connected);
        }
    }

    fn tell_ends(&mut self, id: ConnectionId, state: PeerState) {
        for end in (0..PEOPLE).filter(|person| self.pages[*person].peers.contains(&id)).collect::<Vec<_>>() {
            self.post(50, end, Input::Peer(id, PeerEvent::State(state)));
        }
    }

    /// The other end of a closed connection notices after ICE's time-outs.
    pub(super) fn hang_up(&mut self, person: usize, id: ConnectionId) {
        for other in (0..PEOPLE).filter(|other| *other != person) {
            if self.pages[other].peers.contains(&id) {
                self.post(6_000, other, Input::Peer(id, PeerEvent::State(PeerState::Connecting)));
                self.post(16_000, other, Input::Peer(id, PeerEvent::State(PeerState::Failed)));
            }
        }
    }
}
