//! When a provider is asked next what it counted, and about which months.
//!
//! Pure: time and chance are passed in. What any API allows is far from here: Cloudflare's 300 queries in 5 minutes are the least
//! of them, and nobody is asked more than twice a minute. The driver is `super::poller`.

use crate::{
    domain::{Now, UnixMillis},
    server::usage::Month,
};
use std::time::Duration;

/// Nobody counts faster than that, and every question is one of a bounded number.
const LEAST: Duration = Duration::from_mins(1);

/// The pause after a first failure, which doubles with each that follows.
const FIRST: Duration = Duration::from_mins(1);

/// The longest pause after failures. A count that is away for longer than a part of a day is noticed by people.
const LONGEST: Duration = Duration::from_hours(1);

/// The longest that a provider may ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_hours(24);

/// For so long after a month has ended its count is asked for too: providers book late.
const LATE: Duration = Duration::from_hours(3 * 24);

/// Of each pause up to this part is added by chance, so that many servers with one account do not come at once.
const SPREAD: f64 = 0.1;

/// When to ask.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    every: Duration,
    next: Now,
    failures: u32,
}

impl Schedule {
    /// Asks at once, and then so often.
    pub(super) fn new(every: Duration, now: Now) -> Self {
        Self { every: every.max(LEAST), next: now, failures: 0 }
    }

    /// When it is time.
    pub(super) fn next(&self) -> Now {
        self.next
    }

    /// There was an answer. `chance` is between 0 and 1.
    pub(super) fn answered(&mut self, now: Now, chance: f64) {
        self.failures = 0;
        self.next = now + spread(self.every, chance);
    }

    /// There was none, and the provider may have asked to be left alone.
    pub(super) fn failed(&mut self, leave_alone: Option<Duration>, now: Now, chance: f64) {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let asked = leave_alone.unwrap_or_default().min(LONGEST_ASKED);
        self.next = now + spread(doubled.max(asked), chance);
    }
}

/// Which months to ask about: the one before while it may still be booked, then this one.
pub(super) fn months(wall: UnixMillis) -> impl Iterator<Item = Month> {
    let month = Month::of(wall);
    let began = month.starts_at();
    let before = UnixMillis(began.0.saturating_sub(1));
    let late = began.until(wall) < LATE && began.0 > 0;
    late.then(|| Month::of(before)).into_iter().chain([month])
}

fn spread(pause: Duration, chance: f64) -> Duration {
    pause + pause.mul_f64(SPREAD * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Now = Now::since_start(Duration::from_secs(5));

    fn asked(wall: &str) -> Vec<String> {
        let wall = wall.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        months(UnixMillis(wall.try_into().unwrap())).map(|month| month.to_string()).collect()
    }

    #[test]
    fn in_its_first_days_a_month_is_asked_about_with_the_one_before() {
        assert_eq!(asked("2027-01-01T00:00:00Z"), ["2026-12", "2027-01"]);
        assert_eq!(asked("2026-11-03T23:59:59.999Z"), ["2026-10", "2026-11"]);
        assert_eq!(asked("2026-11-04T00:00:00Z"), ["2026-11"]);
        assert_eq!(asked("2024-02-29T23:59:59Z"), ["2024-02"]);
        assert_eq!(asked("2024-03-01T00:00:00Z"), ["2024-02", "2024-03"]);
        assert_eq!(asked("1970-01-01T00:00:00Z"), ["1970-01"]);
    }

    #[test]
    fn failures_wait_longer_each_time_and_an_answer_ends_it() {
        let mut schedule = Schedule::new(Duration::from_mins(10), START);
        assert_eq!(schedule.next(), START);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            schedule.failed(None, START, 0.0);
            pauses.push((schedule.next() - START).as_secs() / 60);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        schedule.answered(START, 0.0);
        assert_eq!(schedule.next() - START, Duration::from_mins(10));
        schedule.failed(Some(Duration::from_mins(50)), START, 0.0);
        assert_eq!(schedule.next() - START, Duration::from_mins(50));
        schedule.failed(Some(Duration::from_hours(500)), START, 0.0);
        assert_eq!(schedule.next() - START, LONGEST_ASKED);
    }

    /// What came of asking once: whether there was an answer, what the provider asked for, how long it took, and chance.
    fn outcomes() -> impl Strategy<Value = Vec<(bool, Option<u64>, u64, f64)>> {
        prop::collection::vec((any::<bool>(), prop::option::of(0_u64..200_000), 0_u64..20, 0.0..=1.0), 1..60)
    }

    proptest! {
        #[test]
        fn nobody_is_asked_too_often_or_forgotten(every in 1_u64..86_400, outcomes in outcomes()) {
            let every = Duration::from_secs(every);
            let mut schedule = Schedule::new(every, START);
            for (answered, leave_alone, took, chance) in outcomes {
                let now = schedule.next() + Duration::from_secs(took);
                let leave_alone = leave_alone.map(Duration::from_secs);
                if answered {
                    schedule.answered(now, chance);
                } else {
                    schedule.failed(leave_alone, now, chance);
                }
                let pause = schedule.next() - now;
                prop_assert!(pause >= LEAST);
                if answered {
                    prop_assert!(pause >= every && pause <= every.max(LEAST).mul_f64(1.1) + Duration::from_millis(1));
                } else {
                    let asked = leave_alone.unwrap_or_default().min(LONGEST_ASKED);
                    prop_assert!(pause >= asked);
                    prop_assert!(pause <= asked.max(LONGEST).mul_f64(1.1) + Duration::from_millis(1));
                }
            }
        }

        #[test]
        fn the_present_month_is_always_asked_about_and_last(wall in 0_u64..253_000_000_000_000) {
            let months: Vec<_> = months(UnixMillis(wall)).collect();
            prop_assert_eq!(months.last(), Some(&Month::of(UnixMillis(wall))));
            prop_assert!(months.len() <= 2);
            if let [before, this] = months[..] {
                prop_assert_eq!(before.next(), this);
            }
        }
    }
}
