//! Whether media moved to what the last ICE restart found.
//!
//! A restart gathers anew, so that whatever pair is selected after it is another one (RFC 8445, section 9). As long as it is
//! the former one, media lives on credentials that the restart was to replace, and goes dark with them.

use super::peer::Sample;
use crate::domain::Now;
use std::time::Duration;

/// TURN over TLS through a slow proxy takes 5 s. The pause doubles with each restart that moved nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(6);
/// What so many restarts did not move stays; the next renewal begins anew.
const MOST: u32 = 4;

/// One connection at the end that restarts ICE.
#[derive(Debug, Default)]
pub struct Moving {
    /// The browser's name for the selected pair.
    selected: Option<String>,
    /// What was selected when ICE was restarted, and when to look whether it still is.
    left: Option<(String, Now)>,
    /// Restarts in a row that moved nothing.
    vain: u32,
}

impl Moving {
    /// The counters, as the browser gives them.
    pub fn sampled(&mut self, sample: &Sample) {
        self.selected.clone_from(&sample.selected);
        if self.left.as_ref().is_some_and(|(left, _)| self.selected.as_ref().is_some_and(|now| now != left)) {
            (self.left, self.vain) = (None, 0);
        }
    }

    /// ICE is restarted.
    pub fn restarted(&mut self, now: Now) {
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.vain));
        self.left = self.selected.clone().map(|selected| (selected, now + pause));
    }

    /// True: the last restart moved nothing, so restart once more.
    #[must_use]
    pub fn is_late(&mut self, now: Now) -> bool {
        let late = self.left.as_ref().is_some_and(|(_, due)| *due <= now);
        if late {
            self.left = None;
            self.vain = (self.vain + 1) % MOST;
        }
        late && self.vain > 0
    }

    /// When [`Self::is_late`] may say yes.
    pub fn next_timeout(&self) -> Option<Now> {
        self.left.as_ref().map(|(_, due)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Now {
        Now::since_start(Duration::from_secs(secs))
    }

    fn on(pair: &str) -> Sample {
        Sample { selected: Some(pair.to_owned()), ..Sample::default() }
    }

    #[test]
    fn a_restart_that_moved_nothing_is_repeated_after_growing_pauses_and_not_for_ever() {
        let mut moving = Moving::default();
        moving.sampled(&on("old"));
        moving.restarted(at(0));
        let mut repeated = vec![];
        for second in 0..200 {
            moving.sampled(&on("old"));
            if moving.is_late(at(second)) {
                repeated.push(second);
                moving.restarted(at(second));
            }
        }
        assert_eq!(repeated, [6, 18, 42]);
        assert_eq!(moving.next_timeout(), None);
    }

    #[test]
    fn another_pair_ends_it_and_no_pair_says_nothing() {
        let mut moving = Moving::default();
        moving.restarted(at(0));
        assert!(!moving.is_late(at(100)), "nothing was selected that could be left");
        moving.sampled(&on("old"));
        moving.restarted(at(100));
        moving.sampled(&Sample::default());
        moving.sampled(&on("new"));
        assert_eq!(moving.next_timeout(), None);
    }
}
