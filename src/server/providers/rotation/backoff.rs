//! How long it is left alone what failed: twice as long each time, up to an hour.

use crate::domain::UnixMillis;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: usize,
    since: UnixMillis,
    pause: Duration,
}

impl Backoff {
    /// One more, after which the other side may have asked for a pause.
    pub(super) fn fail(&mut self, asked: Option<Duration>, now: UnixMillis) {
        let doubled = if self.failures == 0 { FIRST } else { self.pause.saturating_mul(2) };
        self.pause = doubled.max(asked.unwrap_or_default()).min(LONGEST);
        (self.failures, self.since) = (self.failures.saturating_add(1), now);
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether it may be tried. A clock that was set back is no reason to wait.
    pub(super) fn is_over(&self, now: UnixMillis) -> bool {
        now < self.since || self.until() <= now
    }

    pub(super) fn until(&self) -> UnixMillis {
        self.since.plus(self.pause)
    }

    pub(super) fn failures(&self) -> usize {
        self.failures
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }
}
