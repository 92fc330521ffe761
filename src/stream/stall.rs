//! Whether the film plays and nothing of it arrives.
//!
//! ICE notices a dead path after 6 to 17 s; what arrives tells it sooner. Refuses to know why nothing comes: a host whose
//! disk sleeps looks the same, so asking for another path is repeated with growing pauses and does no harm.

use crate::domain::Now;
use std::time::Duration;

/// Sound alone brings a packet every 20 ms, so this long without any is no jitter.
pub const SILENCE: Duration = Duration::from_millis(1500);
/// How often to look while media is expected and may have ceased: often enough to notice a silence in time.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often to look while nothing comes: whatever comes then is to be known at once.
const LOOK_IN_SILENCE: Duration = Duration::from_millis(200);
/// How often to look while the browser says of each look that something came just before it.
const LOOK_AT_EASE: Duration = Duration::from_secs(1);
/// Just before.
const BRISK: Duration = Duration::from_millis(200);
/// The pause after the first ask; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(4);
/// The longest pause between two asks.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What arrived on one connection.
#[derive(Debug, Default)]
pub struct Stall {
    received: u64,
    /// When something arrived last, or was first expected; `None` while nothing is expected.
    heard: Option<Now>,
    /// At the last look something had come just before it.
    brisk: bool,
    asks: u32,
    asked: Option<Now>,
}

impl Stall {
    /// Whether media is expected: connected, and the film plays.
    pub fn expect(&mut self, expected: bool, now: Now) {
        match (expected, self.heard) {
            (true, None) => self.heard = Some(now),
            (false, Some(_)) => {
                self.heard = None;
                (self.asks, self.asked) = (0, None);
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// All that has arrived so far, in bytes, and for how long nothing has come since, where the browser tells. Where it
    /// does not, or speaks of longer ago than one look, what is new counts as of now. True: something came.
    pub fn sampled(&mut self, received: u64, quiet: Option<Duration>, now: Now) -> bool {
        let is_new = received != self.received;
        let quiet = quiet.filter(|quiet| *quiet <= LOOK_AT_EASE);
        self.brisk = is_new && quiet.is_some_and(|quiet| quiet <= BRISK);
        if is_new {
            self.received = received;
            (self.asks, self.asked) = (0, None);
            let came = Now::since_start(now.since(Now::default()).saturating_sub(quiet.unwrap_or_default()));
            self.heard = self.heard.map(|heard| heard.max(came));
        }
        is_new
    }

    /// How often to look while something is expected.
    pub fn look_every(&self) -> Option<Duration> {
        self.heard.map(|_| match (self.is_asking(), self.brisk) {
            (true, _) => LOOK_IN_SILENCE,
            (false, true) => LOOK_AT_EASE,
            (false, false) => LOOK_EVERY,
        })
    }

    /// Whether another path was asked for, and nothing has come since.
    pub fn is_asking(&self) -> bool {
        self.asks > 0
    }

    /// Whether the picture stands still.
    pub fn is_stalled(&self, now: Now) -> bool {
        self.heard.is_some_and(|heard| now.since(heard) >= SILENCE)
    }

    /// True: ask for another path now.
    #[must_use]
    pub fn ask(&mut self, now: Now) -> bool {
        let due = self.is_stalled(now) && self.asked.is_none_or(|asked| now.since(asked) >= self.pause());
        if due {
            self.asked = Some(now);
            self.asks += 1;
        }
        due
    }

    /// When [`Self::ask`] may say yes.
    pub fn next_timeout(&self) -> Option<Now> {
        let silent = self.heard? + SILENCE;
        Some(self.asked.map_or(silent, |asked| silent.max(asked + self.pause())))
    }

    fn pause(&self) -> Duration {
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.asks.saturating_sub(1).min(8))).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    #[test]
    fn silence_is_noticed_after_a_second_and_a_half_and_mended_by_one_byte() {
        let mut stall = Stall::default();
        stall.expect(true, at(0));
        stall.sampled(1000, None, at(500));
        assert!(!stall.ask(at(1999)));
        assert!(stall.ask(at(2000)) && stall.is_stalled(at(2000)));
        stall.sampled(1001, None, at(2100));
        assert!(!stall.is_stalled(at(2100)));
        assert_eq!(stall.next_timeout(), Some(at(3600)));
    }

    #[test]
    fn looks_are_rare_while_packets_come_and_a_silence_counts_from_the_last_of_them() {
        let mut stall = Stall::default();
        assert_eq!(stall.look_every(), None);
        stall.expect(true, at(0));
        assert_eq!(stall.look_every(), Some(LOOK_EVERY));
        stall.sampled(1000, Some(Duration::from_millis(20)), at(1000));
        assert_eq!(stall.look_every(), Some(LOOK_AT_EASE));
        // The last packet came at 1100.
        stall.sampled(1001, Some(Duration::from_millis(900)), at(2000));
        assert_eq!(stall.look_every(), Some(LOOK_EVERY));
        assert!(!stall.ask(at(2599)) && stall.ask(at(2600)));
        // A clock that is not ours, and a browser that says nothing.
        for quiet in [Some(Duration::from_secs(70)), None] {
            let mut stall = Stall::default();
            stall.expect(true, at(0));
            stall.sampled(1, quiet, at(1000));
            assert_eq!((stall.look_every(), stall.next_timeout()), (Some(LOOK_EVERY), Some(at(2500))));
        }
    }

    #[test]
    fn asks_get_rarer_and_a_paused_film_has_none() {
        let mut stall = Stall::default();
        stall.expect(true, at(0));
        let asks: Vec<_> = (0..120_000).step_by(500).filter(|millis| stall.ask(at(*millis))).collect();
        assert_eq!(asks, [1500, 5500, 13_500, 29_500, 59_500, 89_500, 119_500]);
        stall.expect(false, at(120_000));
        assert!(!stall.ask(at(200_000)) && stall.next_timeout().is_none());
        stall.expect(true, at(200_000));
        assert!(!stall.is_stalled(at(201_000)), "what was silent while paused does not count");
    }
}
