//! What a crowd saw: who is inside, what was said and what of it arrived, how long it took, and who came back when.

use super::person::Kind;
use crate::domain::Now;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// Written by everybody in the crowd.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// How many are inside.
    pub(super) inside: AtomicUsize,
    /// How many others all of them together can send something to.
    pub(super) within_reach: AtomicUsize,
    offers: Course,
    answers: Course,
    chat: Course,
    reports: Course,
    /// When somebody came back, since the last storm began.
    returned: Mutex<Vec<Now>>,
    refused: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug, Default)]
struct Course {
    said: AtomicU64,
    due: AtomicU64,
    arrived: AtomicU64,
    took: Mutex<Vec<Duration>>,
}

/// How one kind of message fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fared {
    /// How many were said.
    pub said: u64,
    /// How many ears they were for.
    pub due: u64,
    /// How many of these heard them.
    pub arrived: u64,
    /// How long it took, in microseconds: half of them less than this.
    pub p50_us: u64,
    /// 99 %.
    pub p99_us: u64,
    /// 99.9 %.
    pub p999_us: u64,
    /// The longest.
    pub most_us: u64,
}

impl Board {
    pub(super) fn said(&self, kind: Kind, hearers: u64) {
        let course = self.course(kind);
        course.said.fetch_add(1, Relaxed);
        course.due.fetch_add(hearers, Relaxed);
    }

    pub(super) fn arrived(&self, kind: Kind, took: Duration) {
        let course = self.course(kind);
        lock(&course.took).push(took);
        course.arrived.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self, why: String) {
        *lock(&self.refused).entry(why).or_default() += 1;
    }

    pub(super) fn returned(&self, at: Now) {
        lock(&self.returned).push(at);
    }

    /// Begins to count who comes back.
    pub(super) fn nobody_returned(&self) {
        lock(&self.returned).clear();
    }

    /// How long it took until each came back, the first one first.
    pub(super) fn returns(&self, since: Now) -> Vec<Duration> {
        let mut took: Vec<_> = lock(&self.returned).iter().map(|at| at.since(since)).collect();
        took.sort_unstable();
        took
    }

    /// What the server refused, and how often.
    pub(super) fn refusals(&self) -> BTreeMap<String, u64> {
        lock(&self.refused).clone()
    }

    /// Whether everything that was said has arrived.
    pub(super) fn is_quiet(&self) -> bool {
        Kind::ALL
            .into_iter()
            .map(|kind| self.course(kind))
            .all(|course| course.arrived.load(Relaxed) >= course.due.load(Relaxed))
    }

    /// How a kind fared since this was asked last; `None` where nothing was said.
    pub(super) fn take(&self, kind: Kind) -> Option<Fared> {
        let course = self.course(kind);
        let mut took = std::mem::take(&mut *lock(&course.took));
        took.sort_unstable();
        let fared = Fared {
            said: course.said.swap(0, Relaxed),
            due: course.due.swap(0, Relaxed),
            arrived: course.arrived.swap(0, Relaxed),
            p50_us: micros(percentile(&took, 500)),
            p99_us: micros(percentile(&took, 990)),
            p999_us: micros(percentile(&took, 999)),
            most_us: micros(percentile(&took, 1000)),
        };
        (fared.said > 0).then_some(fared)
    }

    const fn course(&self, kind: Kind) -> &Course {
        match kind {
            Kind::Offer => &self.offers,
            Kind::Answer => &self.answers,
            Kind::Chat => &self.chat,
            Kind::Report => &self.reports,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The smallest of these times than which so many of a thousand are not longer. They are sorted.
pub(super) fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<_> = (1..=1000).map(Duration::from_millis).collect();
        let of = |per_mille| percentile(&times, per_mille).as_millis();
        assert_eq!((of(500), of(990), of(999), of(1000)), (500, 990, 999, 1000));
        assert_eq!(percentile(&times[..3], 999), Duration::from_millis(3));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }

    #[test]
    fn what_did_not_arrive_is_seen() {
        let board = Board::default();
        assert!(board.is_quiet() && board.take(Kind::Chat).is_none());
        board.said(Kind::Chat, 2);
        board.arrived(Kind::Chat, Duration::from_micros(70));
        assert!(!board.is_quiet());
        let fared = board.take(Kind::Chat).unwrap();
        assert_eq!((fared.said, fared.due, fared.arrived, fared.p999_us), (1, 2, 1, 70));
        assert!(board.is_quiet() && board.take(Kind::Chat).is_none(), "counted once");
    }
}
