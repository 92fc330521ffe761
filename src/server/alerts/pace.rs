//! How much is relayed in an hour, and whether that is unusual.
//!
//! The usual hour is the mean of those hours of the last seven days in which anything was relayed: films come in evenings, and a
//! mean over quiet hours would make each of them unusual. Before three such hours are known it is half a percent of the limit. The last
//! hour is unusual from four times the usual one on, if at this pace the month's limit would be reached before the month ends; it
//! is worse from sixteen times on. It is over once the last hour is below half of that.
//!
//! Pure. Fed with what was counted here, as it grows: what a provider says late was relayed at some other time. What grew
//! while nobody looked, across a restart, was relayed nobody knows when, and is in no hour.

use crate::{
    domain::{ByteCount, UnixMillis},
    server::usage::Month,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// How long hours are remembered.
const WEEK: u64 = 7 * 24;

/// So many hours make a usual one.
const ENOUGH: u64 = 3;

/// Less than this in an hour is nothing: control messages, a check.
const QUIET: u64 = 1_000_000;

/// How often the usual hour is unusual, and what is worse.
const UNUSUAL: [u64; 2] = [4, 16];

/// What was relayed lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// What this month had counted when it was looked at last, by this process.
    #[serde(skip)]
    seen: Option<(UnixMillis, u64)>,
    /// By hours since 1970.
    hours: BTreeMap<u64, u64>,
    /// By minutes since 1970, for an hour.
    minutes: BTreeMap<u64, u64>,
}

/// What is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Burn {
    /// How bad: 0 for not at all.
    pub(super) level: u8,
    /// How bad it was before, so that it is still not over.
    pub(super) holds: u8,
    /// What the last hour had.
    pub(super) last_hour: ByteCount,
    /// What is usual.
    pub(super) usual: ByteCount,
    /// In how many hours the limit is reached at this pace.
    pub(super) hours_left: u64,
}

impl Pace {
    /// What was counted this month, as it is now.
    pub(super) fn add(&mut self, counted: ByteCount, now: UnixMillis) {
        let more = match self.seen {
            None => 0,
            // The clock was set back: nobody knows since when.
            Some((at, _)) if now < at => 0,
            Some((at, before)) if Month::of(at) == Month::of(now) => counted.get().saturating_sub(before),
            Some(_) => counted.get(),
        };
        self.seen = Some((now, counted.get()));
        let (hour, minute) = (now.0 / HOUR, now.0 / MINUTE);
        if more > 0 {
            add(&mut self.hours, hour, more);
            add(&mut self.minutes, minute, more);
        }
        // What lies ahead was written by a clock that was wrong.
        self.hours.retain(|then, _| (hour.saturating_sub(WEEK)..=hour).contains(then));
        self.minutes.retain(|then, _| (minute.saturating_sub(59)..=minute).contains(then));
    }

    /// The last minute in which anything was relayed.
    pub(super) fn last_minute(&self) -> Option<u64> {
        self.minutes.keys().next_back().copied()
    }

    /// Whether it is unusual where so much of a limit is used; `None` where nothing is left to reach.
    pub(super) fn burn(&self, used: ByteCount, limit: ByteCount, now: UnixMillis) -> Option<Burn> {
        let left = limit.get().checked_sub(used.get()).filter(|left| *left > 0)?;
        let last_hour: u64 = self.minutes.values().sum();
        let usual = self.usual(limit, now);
        let rest = now.until(Month::of(now).next().starts_at()).as_millis();
        // With this many times as much it would be reached in time.
        let level = |part: u64| {
            let reached = u128::from(last_hour) * u128::from(part) * rest >= u128::from(left) * u128::from(HOUR);
            let many =
                |times: &&u64| u128::from(last_hour) * u128::from(part) >= u128::from(usual) * u128::from(**times);
            if reached { UNUSUAL.iter().filter(many).count() } else { 0 }
        };
        let small = |level: usize| u8::try_from(level).unwrap_or(u8::MAX);
        Some(Burn {
            level: small(level(1)),
            holds: small(level(2)),
            last_hour: ByteCount::new(last_hour),
            usual: ByteCount::new(usual),
            hours_left: left.checked_div(last_hour).unwrap_or(u64::MAX),
        })
    }

    fn usual(&self, limit: ByteCount, now: UnixMillis) -> u64 {
        let before = now.0 / HOUR - (now.0 / HOUR).min(1);
        let busy = || self.hours.range(..before).map(|(_, bytes)| *bytes).filter(|bytes| *bytes >= QUIET);
        let count = busy().count() as u64;
        let usual = if count < ENOUGH { limit.get() / 200 } else { busy().sum::<u64>() / count };
        usual.max(1)
    }
}

fn add(sums: &mut BTreeMap<u64, u64>, time: u64, bytes: u64) {
    let sum = sums.entry(time).or_default();
    *sum = sum.saturating_add(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;
    const LIMIT: ByteCount = ByteCount::new(1_000 * GB);
    /// 2026-11-16T00:00:00Z: 360 hours are left.
    const MIDDLE: u64 = 1_794_787_200_000;

    /// Somebody who looks every minute.
    struct Evening {
        pace: Pace,
        used: u64,
        now: u64,
    }

    impl Evening {
        fn begin(now: u64) -> Self {
            Self { pace: Pace::default(), used: 0, now: now - MINUTE }
        }

        /// In each of these hours so much is relayed.
        fn relay(&mut self, gb_an_hour: &[u64]) -> &mut Self {
            for gb in gb_an_hour {
                for _ in 0..60 {
                    self.now += MINUTE;
                    self.used += gb * GB / 60;
                    self.pace.add(ByteCount::new(self.used), UnixMillis(self.now));
                }
            }
            self
        }

        fn burn(&self, limit: ByteCount) -> Burn {
            self.pace.burn(ByteCount::new(self.used), limit, UnixMillis(self.now)).unwrap()
        }
    }

    #[test]
    fn four_times_the_usual_is_unusual_if_the_limit_comes_into_reach() {
        let mut evening = Evening::begin(MIDDLE - 30 * HOUR);
        assert_eq!(evening.relay(&[2, 0, 0, 2, 0, 2, 2, 0]).burn(LIMIT).level, 0);
        assert_eq!(evening.relay(&[7]).burn(LIMIT).level, 0);
        // The hour with 7 is a usual one by now.
        let burn = evening.relay(&[0, 9]).burn(LIMIT);
        assert_eq!((burn.usual.gb_text(0).to_string(), burn.level), ("3".to_owned(), 0));
        let burn = evening.relay(&[0, 0, 20]).burn(LIMIT);
        assert_eq!((burn.level, burn.last_hour.gb_text(1).to_string()), (1, "20.0".to_owned()));
        assert_eq!(burn.hours_left, (1_000 * GB - evening.used) / (20 * GB / 60 * 60));
        // So little passes of a large limit that it is nothing.
        assert_eq!(evening.burn(ByteCount::new(100_000 * GB)).level, 0);
        let burn = evening.relay(&[9]).burn(LIMIT);
        assert_eq!((burn.level, burn.holds), (0, 1));
    }

    #[test]
    fn before_there_is_a_usual_hour_two_percent_of_the_limit_are_unusual() {
        let mut evening = Evening::begin(MIDDLE);
        assert_eq!(evening.relay(&[19]).burn(LIMIT).level, 0);
        assert_eq!(evening.relay(&[21]).burn(LIMIT).level, 1);
        assert_eq!(evening.relay(&[90]).burn(LIMIT).level, 2);
    }

    #[test]
    fn at_the_months_end_the_limit_is_out_of_reach() {
        let end = Month::of(UnixMillis(MIDDLE)).next().starts_at().0;
        assert_eq!(Evening::begin(end - 3 * HOUR).relay(&[100]).burn(LIMIT).level, 0);
    }

    #[test]
    fn a_month_that_turns_and_a_clock_that_is_set_back_invent_nothing() {
        let turn = Month::of(UnixMillis(MIDDLE)).next().starts_at().0;
        let mut evening = Evening::begin(turn - HOUR);
        let pace = &mut evening.relay(&[1]).pace;
        pace.add(ByteCount::new(5), UnixMillis(turn + MINUTE));
        let relayed: u64 = pace.hours.values().sum();
        assert!(relayed > 0 && relayed <= GB + 5, "{relayed}");
        for wall in [turn - 5 * HOUR, turn - 5 * HOUR + 1] {
            pace.add(ByteCount::new(GB), UnixMillis(wall));
            assert_eq!(pace.hours.values().sum::<u64>(), 0);
        }
        assert_eq!(pace.burn(ByteCount::ZERO, ByteCount::ZERO, UnixMillis(turn)), None);
    }
    #[test]
    fn what_grew_across_a_restart_is_in_no_hour() {
        let mut evening = Evening::begin(MIDDLE);
        let before = evening.relay(&[2]).burn(LIMIT).last_hour;
        evening.pace = serde_json::from_str(&serde_json::to_string(&evening.pace).unwrap()).unwrap();
        // A backup was restored, or the sums were made anew.
        evening.used += 500 * GB;
        evening.pace.add(ByteCount::new(evening.used), UnixMillis(evening.now + 1));
        assert_eq!(evening.burn(LIMIT).last_hour, before);
    }
}
