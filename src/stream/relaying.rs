//! Whether a connection runs over a relay at this end, and when to look for a direct way again.
//!
//! The selected pair is the wrong witness: media can run over a relayed pair that neither end names as selected. So bytes
//! that grow on any relayed pair tell it as well.

use super::peer::Sample;
use crate::domain::Now;
use crate::protocol::Path;
use std::time::Duration;

/// Checks and keep-alives on a relayed pair stay below this between two looks; sound alone is ten times as much.
pub(super) const MEDIA_BYTES: u64 = 2_000;
/// No attempt is made more often than this: it costs an allocation at both ends.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// Relays cost money: a way that opens in the first minutes is found within this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// What did not come about in so many attempts hardly will, and each leaves a pair to be counted.
const HOPEFUL_ATTEMPTS: u32 = 10;
/// The pause after them.
const RARELY: Duration = Duration::from_mins(5);

/// One connection at one end.
#[derive(Debug, Default)]
pub struct Relaying {
    seen: u64,
    now: bool,
    /// When to try next, and the pause after that.
    attempt: Option<(Now, Duration)>,
    attempts: u32,
}

impl Relaying {
    /// The counters, as the browser gives them.
    pub fn sampled(&mut self, sample: &Sample, now: Now) {
        let bytes = sample.relayed.iter().map(|pair| pair.bytes_received + pair.bytes_sent).sum::<u64>();
        let grown = bytes.saturating_sub(self.seen);
        self.seen = self.seen.max(bytes);
        self.now = sample.path == Path::Relayed || grown > MEDIA_BYTES;
        if !self.now {
            (self.attempt, self.attempts) = (None, 0);
        } else if self.attempt.is_none() {
            self.attempt = Some((now + FIRST_PAUSE, FIRST_PAUSE));
        }
    }

    /// Whether it does now.
    pub fn is_relayed(&self) -> bool {
        self.now
    }

    /// ICE is restarted, for whatever reason: that is an attempt, too.
    pub fn restarted(&mut self, now: Now) {
        if let Some((next, pause)) = &mut self.attempt {
            *next = now + *pause;
        }
    }

    /// True: look for a direct way now.
    #[must_use]
    pub fn attempt(&mut self, now: Now) -> bool {
        let Some((next, pause)) = &mut self.attempt else { return false };
        let due = *next <= now;
        if due {
            self.attempts += 1;
            let hopeful = self.attempts < HOPEFUL_ATTEMPTS;
            *pause = if hopeful { (*pause * 3 / 2).min(LONGEST_PAUSE) } else { RARELY };
            *next = now + *pause;
        }
        due
    }

    /// When [`Self::attempt`] says yes.
    pub fn next_timeout(&self) -> Option<Now> {
        self.attempt.map(|(next, _)| next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::PairSample;
    use super::*;

    fn at(secs: u64) -> Now {
        Now::since_start(Duration::from_secs(secs))
    }

    fn sample(path: Path, bytes_sent: u64) -> Sample {
        let pair =
            PairSample { id: "1".to_owned(), bytes_received: 0, bytes_sent, packets_received: 0, packets_sent: 0 };
        Sample { path, relayed: vec![pair], ..Sample::default() }
    }

    #[test]
    fn attempts_are_30_s_apart_at_least_a_minute_at_most_and_later_rare() {
        let mut relaying = Relaying::default();
        let mut attempts = vec![];
        for second in 0..4000 {
            relaying.sampled(&sample(Path::Relayed, second * 100_000), at(second));
            if relaying.attempt(at(second)) {
                attempts.push(second);
            }
        }
        assert_eq!(attempts[0], 30);
        let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (hopeful, rare) = pauses.split_at(9);
        assert!(hopeful.iter().all(|pause| (30..=60).contains(pause)), "{pauses:?}");
        assert!(rare.iter().all(|pause| *pause == 300) && rare.len() > 5, "{pauses:?}");
    }

    #[test]
    fn bytes_on_a_pair_that_nobody_selected_tell_it() {
        let mut relaying = Relaying::default();
        relaying.sampled(&sample(Path::Direct, 500), at(0));
        assert!(!relaying.is_relayed());
        relaying.sampled(&sample(Path::Direct, 90_000), at(1));
        assert!(relaying.is_relayed());
        relaying.sampled(&sample(Path::Direct, 90_400), at(2));
        assert!(!relaying.is_relayed() && relaying.next_timeout().is_none());
    }
}
