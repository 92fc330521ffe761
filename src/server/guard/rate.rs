//! A rate as it is written: `10/5m`.

use std::{num::NonZeroU32, time::Duration};

/// So many requests in so much time, all of them at once if need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    requests: NonZeroU32,
    period: Duration,
}

impl RateLimit {
    /// A rate that stands in the code. Zero counts as one.
    pub const fn of(requests: u32, seconds: u64) -> Self {
        let requests = match NonZeroU32::new(requests) {
            Some(requests) => requests,
            None => NonZeroU32::MIN,
        };
        Self { requests, period: Duration::from_secs(if seconds == 0 { 1 } else { seconds }) }
    }

    /// Reads `10/5m`: requests, and a time in s, m or h. `10/m` is 10 in one minute.
    pub fn parse(text: &str) -> Option<Self> {
        let (requests, time) = text.split_once('/')?;
        let unit = match time.chars().next_back()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let number = &time[..time.len() - 1];
        let number: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
        let requests: NonZeroU32 = requests.parse().ok()?;
        let seconds = number.checked_mul(unit).filter(|seconds| (1..=86_400).contains(seconds))?;
        (requests.get() <= 1_000_000).then_some(Self { requests, period: Duration::from_secs(seconds) })
    }

    /// How many may come at once.
    pub const fn requests(self) -> NonZeroU32 {
        self.requests
    }

    /// So many times as many in the same time.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let requests = NonZeroU32::new(self.requests.get().saturating_mul(factor)).unwrap_or(self.requests);
        Self { requests, ..self }
    }

    /// How long it takes until one more may come.
    pub fn interval(self) -> Duration {
        self.period / self.requests.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_requests_a_time_and_a_unit() {
        assert_eq!(RateLimit::parse("10/5m"), Some(RateLimit::of(10, 300)));
        assert_eq!(RateLimit::parse("1/s"), Some(RateLimit::of(1, 1)));
        assert_eq!(RateLimit::parse("100/2h"), Some(RateLimit::of(100, 7200)));
        assert_eq!(RateLimit::of(10, 300).interval(), Duration::from_secs(30));
        for wrong in ["", "10", "/5m", "0/5m", "10/0m", "10/5", "10/5d", "10/5é", "-1/5m", "10/99999999999999999999h"]
        {
            assert_eq!(RateLimit::parse(wrong), None, "{wrong}");
        }
    }
}
