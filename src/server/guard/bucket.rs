//! Counting by key: a burst of `requests`, then one more each `interval` (GCRA, by governor).

use super::RateLimit;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use std::{hash::Hash, time::Duration};

/// A request that may pass, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many may come at once.
    pub limit: u32,
    /// How many more may come now.
    pub remaining: u32,
    /// How long it takes until all of them may come again.
    pub reset: Duration,
}

/// A request that may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// How many may come at once.
    pub limit: u32,
    /// How long it takes until the next one may pass.
    pub retry_after: Duration,
    /// How long it takes until all of them may come again.
    pub reset: Duration,
}

pub(super) struct Bucket<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>,
    rate: RateLimit,
    clock: C,
}

impl<K: Hash + Eq + Clone, C: Clock> std::fmt::Debug for Bucket<K, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys are addresses, which do not belong in a log.
        f.debug_struct("Bucket").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    pub(super) fn new(rate: RateLimit) -> Self {
        Self::with_clock(rate, DefaultClock::default())
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Bucket<K, C> {
    fn with_clock(rate: RateLimit, clock: C) -> Self {
        // The interval is never zero: a rate has at most a million requests in at least a second.
        let quota = Quota::with_period(rate.interval())
            .unwrap_or_else(|| Quota::per_second(rate.requests()))
            .allow_burst(rate.requests());
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Self { limiter, rate, clock }
    }

    pub(super) fn rate(&self) -> RateLimit {
        self.rate
    }

    pub(super) fn take(&self, key: &K) -> Result<Allowance, TooMany> {
        let limit = self.rate.requests().get();
        match self.limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(limit);
                Ok(Allowance { limit, remaining, reset: self.rate.interval() * (limit - remaining) })
            }
            Err(refusal) => {
                let retry_after = refusal.wait_time_from(self.clock.now());
                Err(TooMany { limit, retry_after, reset: retry_after + self.rate.interval() * (limit - 1) })
            }
        }
    }

    pub(super) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.limiter.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    #[test]
    fn ten_pass_at_once_and_the_eleventh_waits_for_thirty_seconds() {
        let clock = FakeRelativeClock::default();
        let bucket = Bucket::with_clock(RateLimit::of(10, 300), clock.clone());
        for passed in 1..=10 {
            let allowance = bucket.take(&"a").unwrap();
            assert_eq!((allowance.limit, allowance.remaining), (10, 10 - passed));
            assert_eq!(allowance.reset, Duration::from_secs(30) * passed);
        }
        let refused = bucket.take(&"a").unwrap_err();
        assert_eq!((refused.retry_after, refused.reset), (Duration::from_secs(30), Duration::from_mins(5)));
        assert!(bucket.take(&"b").is_ok());

        clock.advance(Duration::from_secs(30));
        assert!(bucket.take(&"a").is_ok());
        assert!(bucket.take(&"a").is_err());
    }

    #[test]
    fn a_participant_renews_credentials_of_half_a_minute_for_ever_and_reloads_beside() {
        let clock = FakeRelativeClock::default();
        let bucket = Bucket::with_clock(crate::server::guard::PARTICIPANT_RATE, clock.clone());
        for renewal in 0..2_000 {
            clock.advance(Duration::from_secs(15));
            assert!(bucket.take(&"a").is_ok(), "renewal {renewal}");
            assert!(renewal % 2 == 0 || bucket.take(&"a").is_ok(), "a reload beside renewal {renewal}");
        }
    }

    #[test]
    fn those_who_are_idle_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let bucket = Bucket::with_clock(RateLimit::of(10, 300), clock.clone());
        for key in 0..1000 {
            bucket.take(&key).unwrap();
        }
        clock.advance(Duration::from_secs(61));
        bucket.take(&0).unwrap();
        bucket.forget_idle();
        assert_eq!(bucket.keys(), 1);
    }
}
