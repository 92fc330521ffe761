//! Whether this node is in touch with the others, decided from its heartbeats alone.
//!
//! After each gap it waits for as long as a heartbeat holds before it believes what Redis says of others: a Redis that was emptied,
//! or that came back with what it knew earlier, has to hear from everybody first. Knows no socket and no clock.

use super::GONE_AFTER;
use crate::domain::Now;

/// What became of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The one before was still known.
    Kept,
    /// Redis knew of none: the first, one that came late, or Redis forgot.
    Fresh,
    /// It did not arrive, or nobody knows whether it did.
    Failed,
}

/// How this node stands. `Default`: not in touch yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    since: Option<Now>,
    gaps: u64,
}

impl Standing {
    /// Takes what became of a heartbeat; `true` where that begins or ends a time in touch.
    pub(in crate::server) fn beat(&mut self, beat: Beat, now: Now) -> bool {
        let before = *self;
        match beat {
            Beat::Kept if self.since.is_some() => {}
            Beat::Kept | Beat::Fresh => {
                self.since = Some(now);
                self.gaps += 1;
            }
            Beat::Failed => self.since = None,
        }
        *self != before
    }

    /// Whether Redis answers.
    pub const fn is_up(&self) -> bool {
        self.since.is_some()
    }

    /// How often touch was found again: whatever Redis has to know is to be told anew whenever this grows.
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Whether Redis can be believed about nodes of which it says that they are gone.
    pub fn is_settled(&self, now: Now) -> bool {
        self.since.is_some_and(|since| now.since(since) > GONE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_redis_says_of_others_is_believed_once_everybody_had_time_to_speak() {
        let at = |millis| Now::since_start(Duration::from_millis(millis));
        let mut standing = Standing::default();
        assert!(!standing.is_up() && !standing.is_settled(at(60_000)));
        assert!(standing.beat(Beat::Fresh, at(1_000)));
        assert!(!standing.beat(Beat::Kept, at(2_500)));
        assert!(standing.is_up() && !standing.is_settled(at(3_000)) && standing.is_settled(at(3_001)));
        assert!(standing.beat(Beat::Failed, at(4_000)), "a gap");
        assert!(!standing.is_up() && !standing.is_settled(at(60_000)));
        assert!(standing.beat(Beat::Kept, at(5_000)), "short enough for nobody to have taken anything");
        assert_eq!(standing.gaps(), 2);
        assert!(standing.beat(Beat::Fresh, at(9_000)), "emptied in between");
        assert!(!standing.is_settled(at(11_000)) && standing.is_settled(at(11_001)));
    }
}
