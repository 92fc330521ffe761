//! How long whoever failed has to wait before the next try: longer each time, up to a bound.
//!
//! The first few failures cost nothing, since people mistype. A try is counted as it begins and taken back if it succeeds,
//! so that many at once are no way around the waiting. Time is passed in.

use crate::domain::Now;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Failures are forgotten after so long without another one.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// Failures by key, and the delays that come of them.
pub struct Delays<K> {
    free: u32,
    first: Duration,
    longest: Duration,
    failures: Mutex<HashMap<K, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Now,
}

impl<K> std::fmt::Debug for Delays<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys are addresses and codes, which do not belong in a log.
        f.debug_struct("Delays").field("free", &self.free).field("longest", &self.longest).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq> Delays<K> {
    /// `free` failures cost nothing, the next one `first`, and each further one twice as much, up to `longest`.
    pub fn new(free: u32, first: Duration, longest: Duration) -> Self {
        Self { free, first, longest, failures: Mutex::default() }
    }

    /// How long the key has to wait; zero where it may try now. Counts nothing.
    pub fn wait(&self, key: &K, now: Now) -> Duration {
        let Some(Failures { count, last }) = self.lock().get(key).copied() else {
            return Duration::ZERO;
        };
        let Some(doublings) = count.checked_sub(self.free + 1) else {
            return Duration::ZERO;
        };
        let delay = self.first.saturating_mul(2_u32.saturating_pow(doublings.min(31))).min(self.longest);
        (last + delay).since(now)
    }

    /// Whether the key has failures to its name.
    pub fn has_failed(&self, key: &K) -> bool {
        self.lock().contains_key(key)
    }

    /// A try begins: it counts as failed until [`Self::succeeded`].
    pub fn begin(&self, key: K, now: Now) {
        let mut failures = self.lock();
        let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
        *entry = Failures { count: entry.count.saturating_add(1), last: now };
    }

    /// The try did not fail: as if it had not been.
    pub fn succeeded(&self, key: &K) {
        let mut failures = self.lock();
        if let Some(entry) = failures.get_mut(key) {
            entry.count = entry.count.saturating_sub(1);
            if entry.count == 0 {
                failures.remove(key);
            }
        }
    }

    /// Drops what was long ago.
    pub fn forget_idle(&self, now: Now) {
        let mut failures = self.lock();
        failures.retain(|_, failures| now.since(failures.last) < FORGET_AFTER);
        failures.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn delays() -> Delays<u8> {
        Delays::new(2, Duration::from_secs(1), Duration::from_secs(10))
    }

    #[test]
    fn the_wait_doubles_after_the_first_few_and_has_a_bound() {
        let delays = delays();
        let mut waits = Vec::new();
        for _ in 0..8 {
            delays.begin(1, at(100));
            waits.push(delays.wait(&1, at(100)).as_secs());
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 10, 10]);
        assert_eq!((delays.wait(&1, at(109)), delays.wait(&1, at(110))), (Duration::from_secs(1), Duration::ZERO));
        assert!(delays.wait(&2, at(100)).is_zero() && !delays.has_failed(&2));
    }

    #[test]
    fn success_costs_nothing_and_wipes_nothing_out() {
        let delays = delays();
        for _ in 0..100 {
            delays.begin(1, at(0));
            delays.succeeded(&1);
        }
        assert!(!delays.has_failed(&1));
        for _ in 0..3 {
            delays.begin(1, at(0));
        }
        delays.begin(1, at(0));
        delays.succeeded(&1);
        assert_eq!(delays.wait(&1, at(0)), Duration::from_secs(1));
    }

    #[test]
    fn what_was_an_hour_ago_is_forgotten() {
        let delays = delays();
        for _ in 0..9 {
            delays.begin(1, at(0));
        }
        delays.forget_idle(at(3_599));
        assert!(delays.has_failed(&1));
        delays.forget_idle(at(3_600));
        assert!(!delays.has_failed(&1));
    }
}
