//! How often a rung may change: down as soon as trouble is proven, up only after a long calm, and never to and fro.

use super::rung::Rung;
use crate::domain::Now;
use std::time::Duration;

/// Between two steps, once a connection has settled.
const BETWEEN: Duration = Duration::from_secs(30);
/// Between two steps while it settles: long enough to see what the last one did.
const WHILE_SETTLING: Duration = Duration::from_secs(2);
/// A step up that had to be taken back within this time was one too many.
const REGRET: Duration = Duration::from_secs(90);
/// The first pause after a regret; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(16);

/// A rung with its history.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    rung: Rung,
    changed: Now,
    raised: Option<Now>,
    troubled: Now,
    pause: Duration,
    not_before: Now,
}

impl Pace {
    pub(super) fn starting(rung: Rung, now: Now) -> Self {
        Self { rung, changed: now, raised: None, troubled: now, pause: FIRST_PAUSE, not_before: now }
    }

    pub(super) fn rung(&self) -> Rung {
        self.rung
    }

    /// Something is wrong at this rung, though perhaps not proven.
    pub(super) fn trouble(&mut self, now: Now) {
        self.troubled = now;
    }

    /// Whether a proven trouble may lower the rung now.
    pub(super) fn may_fall(&self, settling: bool, now: Now) -> bool {
        now.since(self.changed) >= if settling { WHILE_SETTLING } else { BETWEEN }
    }

    pub(super) fn fall(&mut self, to: Rung, now: Now) {
        if self.raised.is_some_and(|raised| now.since(raised) < REGRET) {
            self.not_before = now + self.pause;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        self.raised = None;
        self.troubled = now;
        self.set(to, now);
    }

    /// Whether it has been calm for long enough to try a higher rung.
    pub(super) fn may_rise(&self, settling: bool, now: Now) -> bool {
        !settling && now >= self.not_before && now.since(self.changed) >= BETWEEN && now.since(self.troubled) >= BETWEEN
    }

    pub(super) fn rise(&mut self, to: Rung, now: Now) {
        self.raised = Some(now);
        self.set(to, now);
    }

    /// Something else decided: a choice, another source, another guest.
    pub(super) fn set(&mut self, to: Rung, now: Now) {
        self.rung = to;
        self.changed = now;
    }
}
