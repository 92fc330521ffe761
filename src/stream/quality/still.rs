//! A film that stands: its picture is delivered once, then nothing is sent until it moves again.

use crate::domain::Now;
use std::time::Duration;

/// After a pause or a jump the picture is sent for this long: its last frame arrives, and gets sharp.
const LINGER: Duration = Duration::from_millis(1500);
/// Whoever comes to a film that stands is sent its picture for at most this long at a time.
const DELIVERY: Duration = Duration::from_secs(3);
/// Once a guest says that it has a picture, it gets this much longer to become sharp.
const SHARPEN: Duration = Duration::from_millis(500);
/// A guest that never says so is no reason to send a standing picture all evening.
const DELIVERIES: u8 = 10;

/// One guest's share in a film that stands.
#[derive(Debug, Default)]
pub(super) struct Still {
    until: Option<Now>,
    has_picture: bool,
    deliveries: u8,
}

impl Still {
    /// The film stands, or stands elsewhere, from now on.
    pub(super) fn stands(&mut self, now: Now) {
        self.deliveries = 0;
        self.prolong(now + LINGER);
    }

    /// The connection is up.
    pub(super) fn connected(&mut self, now: Now) {
        self.deliveries = 0;
        self.has_picture = false;
        self.prolong(now + DELIVERY);
    }

    /// The guest says how many frames it has had.
    pub(super) fn seen(&mut self, frames: u32, now: Now) {
        if frames > 0 && !self.has_picture {
            self.has_picture = true;
            self.until = Some(now + SHARPEN);
        } else if frames == 0 && !self.delivers(now) && self.deliveries < DELIVERIES {
            self.deliveries += 1;
            self.has_picture = false;
            self.prolong(now + DELIVERY);
        }
    }

    /// Whether the standing picture is sent now.
    pub(super) fn delivers(&self, now: Now) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Time passed.
    pub(super) fn tick(&mut self, now: Now) {
        self.until = self.until.filter(|until| now < *until);
    }

    /// When `tick` has something to do.
    pub(super) fn next_timeout(&self) -> Option<Now> {
        self.until
    }

    fn prolong(&mut self, until: Now) {
        self.until = self.until.max(Some(until));
    }
}
