//! The bytes that were really relayed, by participant, in both directions, readable while they run.
//!
//! Counts payload as it crosses the relay: what clients wrapped it in is not part of it, and neither are the headers of
//! IP and UDP. The counters are atomics that only the thread of an allocation adds to; the map of participants is asked
//! when an allocation begins or ends and when somebody reads. What may be relayed in all can be bounded: a packet beyond the bound
//! is neither counted nor passed on. Refuses to know what a byte costs.

use super::credential::Holder;
use crate::domain::{ByteCount, Now};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long the figures of a participant are kept who has no allocation any more and whom nobody forgot by name.
const KEPT: Duration = Duration::from_hours(25);

/// What was relayed for one participant since their figures were first kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// What the participant sent to peers.
    pub sent: ByteCount,
    /// What peers sent to the participant.
    pub received: ByteCount,
    /// Packets that the participant sent to peers.
    pub packets_sent: u64,
    /// Packets that peers sent to the participant.
    pub packets_received: u64,
    /// How many allocations the participant has now.
    pub allocations: u32,
}

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    packets_sent: AtomicU64,
    packets_received: AtomicU64,
}

#[derive(Debug, Default)]
struct Entry {
    counters: Arc<Counters>,
    allocations: u32,
    idle_since: Now,
}

/// The figures of everyone.
#[derive(Debug)]
pub struct Meter {
    entries: Mutex<HashMap<Holder, Entry>>,
    /// Everything that was ever relayed.
    relayed: AtomicU64,
    /// Up to where it may be.
    bound: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { entries: Mutex::default(), relayed: AtomicU64::new(0), bound: AtomicU64::new(u64::MAX) }
    }
}

/// What one allocation counts with, until it is dropped.
#[derive(Debug)]
pub(super) struct Line {
    meter: Arc<Meter>,
    holder: Holder,
    counters: Arc<Counters>,
    last_used: Now,
}

impl Meter {
    /// What was relayed for this participant; `None` where nothing is kept about them.
    pub fn read(&self, holder: Holder) -> Option<Traffic> {
        self.entries().get(&holder).map(Entry::traffic)
    }

    /// What was relayed for everyone about whom something is kept.
    pub fn read_all(&self) -> BTreeMap<Holder, Traffic> {
        self.entries().iter().map(|(holder, entry)| (*holder, entry.traffic())).collect()
    }

    /// All that was relayed since the start.
    pub fn total(&self) -> ByteCount {
        ByteCount::new(self.relayed.load(Ordering::Relaxed))
    }

    /// How much may still be relayed.
    pub fn left(&self) -> ByteCount {
        ByteCount::new(self.bound.load(Ordering::Relaxed)).minus(self.total())
    }

    /// From now on no more than this is relayed in all, counted from the start of the relay; exactly, whatever runs.
    pub fn bound(&self, bytes: ByteCount) {
        self.bound.store(bytes.get(), Ordering::Relaxed);
    }

    /// Whether so many bytes more may be relayed; they are counted then. Two threads at the very end may keep each other from the last
    /// packet that would have fitted, and never let one more through.
    fn pass(&self, bytes: u64) -> bool {
        let before = self.relayed.fetch_add(bytes, Ordering::Relaxed);
        let passes = before.saturating_add(bytes) <= self.bound.load(Ordering::Relaxed);
        if !passes {
            self.relayed.fetch_sub(bytes, Ordering::Relaxed);
        }
        passes
    }

    /// The last figures of a participant who is gone; nothing is kept of them. Not of one who still has an allocation:
    /// theirs go on.
    pub fn forget(&self, holder: Holder) -> Option<Traffic> {
        let mut entries = self.entries();
        let entry = entries.get(&holder)?;
        let traffic = entry.traffic();
        if entry.allocations == 0 {
            entries.remove(&holder);
        }
        Some(traffic)
    }

    /// An allocation of this participant begins.
    pub(super) fn open(self: &Arc<Self>, holder: Holder, now: Now) -> Line {
        let mut entries = self.entries();
        let entry = entries.entry(holder).or_default();
        entry.allocations += 1;
        Line { meter: Arc::clone(self), holder, counters: Arc::clone(&entry.counters), last_used: now }
    }

    /// Drops those who have been gone for longer than a day.
    pub(super) fn forget_idle(&self, now: Now) {
        self.entries().retain(|_, entry| entry.allocations > 0 || now.since(entry.idle_since) < KEPT);
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn entries(&self) -> MutexGuard<'_, HashMap<Holder, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            sent: ByteCount::new(read(&self.counters.sent)),
            received: ByteCount::new(read(&self.counters.received)),
            packets_sent: read(&self.counters.packets_sent),
            packets_received: read(&self.counters.packets_received),
            allocations: self.allocations,
        }
    }
}

impl Line {
    /// A packet of the participant goes to a peer, if it may.
    #[must_use]
    pub(super) fn sent(&mut self, bytes: usize, now: Now) -> bool {
        self.last_used = now;
        if !self.meter.pass(bytes as u64) {
            return false;
        }
        self.counters.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.counters.packets_sent.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// A packet of a peer goes to the participant, if it may.
    #[must_use]
    pub(super) fn received(&mut self, bytes: usize, now: Now) -> bool {
        self.last_used = now;
        if !self.meter.pass(bytes as u64) {
            return false;
        }
        self.counters.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.counters.packets_received.fetch_add(1, Ordering::Relaxed);
        true
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(entry) = self.meter.entries().get_mut(&self.holder) {
            entry.allocations = entry.allocations.saturating_sub(1);
            entry.idle_since = self.last_used;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParticipantId, SessionCode};
    use crate::server::relay::credential::Mint;

    fn holder(number: u64) -> Holder {
        Mint::new(b"").holder(SessionCode::from_random(1), ParticipantId::from_random(number))
    }

    fn at(time: Duration) -> Now {
        Now::since_start(time)
    }

    #[test]
    fn allocations_of_one_participant_count_together() {
        let meter = Arc::new(Meter::default());
        let (mut one, mut other) = (meter.open(holder(1), Now::default()), meter.open(holder(1), Now::default()));
        assert!(one.sent(100, Now::default()) && other.sent(20, Now::default()) && other.received(3, Now::default()));
        let traffic = meter.read(holder(1)).unwrap();
        assert_eq!((traffic.sent.get(), traffic.received.get()), (120, 3));
        assert_eq!((traffic.packets_sent, traffic.packets_received, traffic.allocations), (2, 1, 2));
        assert_eq!(meter.read(holder(2)), None);
    }

    #[test]
    fn figures_outlive_the_allocations_until_they_are_asked_for() {
        let meter = Arc::new(Meter::default());
        let mut line = meter.open(holder(1), Now::default());
        assert!(line.sent(100, Now::default()));
        assert_eq!(meter.forget(holder(1)).unwrap().sent.get(), 100);
        assert_eq!(meter.read(holder(1)).unwrap().allocations, 1);
        drop(line);
        assert_eq!(meter.read_all().len(), 1);
        assert_eq!(meter.forget(holder(1)).unwrap().sent.get(), 100);
        assert_eq!(meter.read(holder(1)), None);
    }

    #[test]
    fn no_packet_passes_a_bound_and_what_does_not_pass_is_not_counted() {
        let meter = Arc::new(Meter::default());
        let (mut one, mut other) = (meter.open(holder(1), Now::default()), meter.open(holder(2), Now::default()));
        meter.bound(ByteCount::new(1_000));
        let passed = (0..50).filter(|_| one.sent(30, Now::default())).count();
        assert_eq!((passed, other.received(11, Now::default()), other.received(10, Now::default())), (33, false, true));
        assert_eq!((meter.total(), meter.left()), (ByteCount::new(1_000), ByteCount::ZERO));
        meter.bound(ByteCount::new(1_100));
        assert!(other.received(100, Now::default()) && !one.sent(1, Now::default()));
        let [one, other] = [1, 2].map(|number| meter.read(holder(number)).unwrap());
        assert_eq!(one.sent.get() + other.received.get(), 1_100);
        assert_eq!((one.packets_sent, other.packets_received), (33, 2));
    }

    #[test]
    fn figures_that_nobody_asks_for_go_after_a_day() {
        let meter = Arc::new(Meter::default());
        let mut line = meter.open(holder(1), Now::default());
        meter.forget_idle(at(KEPT * 2));
        assert!(line.received(1, at(KEPT * 2)));
        drop(line);
        meter.forget_idle(at(KEPT * 2 + KEPT / 2));
        assert!(meter.read(holder(1)).is_some());
        meter.forget_idle(at(KEPT * 3));
        assert_eq!(meter.read(holder(1)), None);
    }
}
