//! A token bucket: how much may come at once, and how fast for ever. Time is passed in.

use crate::domain::Now;
use std::time::Duration;

/// Holds up to `burst` tokens and gains one every `every`.
#[derive(Debug)]
pub(super) struct Bucket {
    burst: u32,
    every: Duration,
    left: u32,
    /// Up to when gained tokens are counted in `left`.
    counted: Now,
}

impl Bucket {
    /// A full bucket.
    pub(super) const fn full(burst: u32, every: Duration, now: Now) -> Self {
        Self {
            burst,
            every,
            left: burst,
            counted: now,
        }
    }

    /// Takes a token; false where there is none.
    pub(super) fn take(&mut self, now: Now) -> bool {
        let gained = now.since(self.counted).as_nanos() / self.every.as_nanos().max(1);
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        if gained >= self.burst - self.left {
            self.left = self.burst;
            self.counted = now;
        } else {
            self.left += gained;
            self.counted = self.counted + self.every * gained;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = Bucket::full(3, Duration::from_millis(20), at(0));
        assert!((0..3).all(|_| bucket.take(at(0))));
        assert!(!bucket.take(at(19)));
        assert!(bucket.take(at(20)));
        assert!(!bucket.take(at(39)));
        assert!(bucket.take(at(1_000)) && bucket.take(at(1_000)) && bucket.take(at(1_000)));
        assert!(!bucket.take(at(1_000)));
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_and_never_less(steps in proptest::collection::vec(0_u64..100, 1..300)) {
            let (burst, every) = (5_u64, 20_u64);
            let mut bucket = Bucket::full(5, Duration::from_millis(every), at(0));
            let (mut now, mut passed) = (0, 0);
            for step in steps {
                now += step;
                if bucket.take(at(now)) {
                    passed += 1;
                } else {
                    prop_assert!(step < every, "a token was due");
                }
                prop_assert!(passed <= burst + now / every);
            }
        }
    }
}
