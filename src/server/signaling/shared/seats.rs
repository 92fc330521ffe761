//! Both ends of the seats whose socket is at one node and whose session is at another: nothing that is lost on the way goes unnoticed.
//!
//! Every message of a seat has a number in its direction, and every half second each node tells each other one how many it sent at every
//! seat that they share. A number that is missing, a seat that only one of them knows, or a node that says nothing breaks the seat:
//! the socket closes and its page resumes. So nothing has to arrive, and what arrives is in order and whole.
//! No I/O and no clock; `properties` loses, delays and repeats messages.

use crate::domain::Now;
use crate::server::cluster::{GONE_AFTER, RunId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One seat: a socket by the node that it is at, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SeatId {
    pub(super) edge: RunId,
    pub(super) number: u64,
}

/// How many messages were sent at each seat.
pub(super) type Tally = Vec<(SeatId, u64)>;

/// What is to be done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one.
    Next,
    /// One before it is missing: the seat is broken.
    Broken,
    /// There is no such seat here.
    Unknown,
}

/// This node's ends.
#[derive(Debug, Default)]
pub(super) struct Seats {
    ends: BTreeMap<SeatId, End>,
    heard: BTreeMap<RunId, Now>,
}

#[derive(Debug)]
struct End {
    peer: RunId,
    sent: u64,
    received: u64,
}

impl Seats {
    /// A seat that is shared with another node.
    pub(super) fn open(&mut self, seat: SeatId, peer: RunId, now: Now) {
        self.ends.insert(seat, End { peer, sent: 0, received: 0 });
        let heard = self.heard.entry(peer).or_insert(now);
        *heard = (*heard).max(now);
    }

    /// Who is at the other end, and the number of the next message to them; `None` where there is no such seat.
    pub(super) fn send(&mut self, seat: SeatId) -> Option<(RunId, u64)> {
        let end = self.ends.get_mut(&seat)?;
        end.sent += 1;
        Some((end.peer, end.sent))
    }

    /// A message arrived.
    pub(super) fn receive(&mut self, seat: SeatId, from: RunId, number: u64) -> Arrival {
        let Some(end) = self.ends.get_mut(&seat).filter(|end| end.peer == from) else { return Arrival::Unknown };
        if number != end.received + 1 {
            self.ends.remove(&seat);
            return Arrival::Broken;
        }
        end.received = number;
        Arrival::Next
    }

    /// This end is gone; who is at the other one, where there was one.
    pub(super) fn close(&mut self, seat: SeatId) -> Option<RunId> {
        self.ends.remove(&seat).map(|end| end.peer)
    }

    /// Whether a seat is shared with this node.
    pub(super) fn is_shared(&self, seat: SeatId, with: RunId) -> bool {
        self.ends.get(&seat).is_some_and(|end| end.peer == with)
    }

    /// Another node lives.
    pub(super) fn hear(&mut self, from: RunId, now: Now) {
        if let Some(heard) = self.heard.get_mut(&from) {
            *heard = (*heard).max(now);
        }
    }

    /// What to tell each node that seats are shared with.
    pub(super) fn tallies(&mut self) -> BTreeMap<RunId, Tally> {
        let mut tallies = BTreeMap::<_, Tally>::new();
        for (seat, end) in &self.ends {
            tallies.entry(end.peer).or_default().push((*seat, end.sent));
        }
        self.heard.retain(|peer, _| tallies.contains_key(peer));
        tallies
    }

    /// What another node tells: the seats that are broken here, and those that it alone knows.
    pub(super) fn compare(&mut self, from: RunId, tally: &Tally, me: RunId) -> (Vec<SeatId>, Vec<SeatId>) {
        let told: BTreeMap<_, _> = tally.iter().copied().collect();
        let is_broken = |seat: &SeatId, end: &End| match told.get(seat) {
            Some(sent) => *sent != end.received,
            // Not yet known there: it was asked for, and the answer is awaited.
            None => seat.edge != me || end.received > 0,
        };
        let broken: Vec<_> = self
            .ends
            .iter()
            .filter(|(seat, end)| end.peer == from && is_broken(seat, end))
            .map(|(seat, _)| *seat)
            .collect();
        let known: BTreeSet<_> = self.ends.iter().filter(|(_, end)| end.peer == from).map(|(seat, _)| *seat).collect();
        self.ends.retain(|seat, _| !broken.contains(seat));
        (broken, told.into_keys().filter(|seat| !known.contains(seat)).collect())
    }

    /// The seats shared with nodes that say nothing any more: they are broken.
    pub(super) fn silent(&mut self, now: Now) -> Vec<SeatId> {
        let heard = &self.heard;
        let gone = |peer: RunId| heard.get(&peer).is_none_or(|heard| now.since(*heard) > GONE_AFTER);
        let peers: BTreeSet<_> = self.ends.values().map(|end| end.peer).filter(|peer| gone(*peer)).collect();
        self.take(|end| peers.contains(&end.peer))
    }

    /// The seats shared with a node that is gone: they are broken.
    pub(super) fn gone(&mut self, peer: RunId) -> Vec<SeatId> {
        self.take(|end| end.peer == peer)
    }

    /// Anything may have been lost: every seat is broken.
    pub(super) fn interrupted(&mut self) -> Vec<SeatId> {
        self.take(|_| true)
    }

    fn take(&mut self, which: impl Fn(&End) -> bool) -> Vec<SeatId> {
        let taken: Vec<_> = self.ends.iter().filter(|(_, end)| which(end)).map(|(seat, _)| *seat).collect();
        self.ends.retain(|_, end| !which(end));
        taken
    }
}
