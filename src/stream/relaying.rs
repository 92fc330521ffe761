//! Whether a connection runs over a relay at this end, and when to look for a direct way again.
//!
//! The selected pair is the wrong witness: media can run over a relayed pair that neither end names as selected. So bytes
//! that grow on any relayed pair tell it as well. While nothing flows, what flowed last counts: it is asked whose relay died when
//! nothing comes over it any more.

use super::peer::Sample;
use crate::domain::Now;
use crate::protocol::Path;
use std::{collections::BTreeMap, time::Duration};

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
    /// Bytes on each relayed pair, both ways.
    pairs: BTreeMap<String, u64>,
    /// Sound and picture, both ways.
    media: u64,
    /// The pair that was selected when some of it flowed last.
    selected: Option<String>,
    now: bool,
    /// When to try next, and the pause after that.
    attempt: Option<(Now, Duration)>,
    attempts: u32,
}

impl Relaying {
    /// The counters, as the browser gives them.
    pub fn sampled(&mut self, sample: &Sample, now: Now) {
        let media = sample.media_received + sample.media_sent;
        let flowed = media.saturating_sub(std::mem::replace(&mut self.media, media));
        let relayed = self.grown(sample);
        if sample.path == Path::Relayed || relayed > MEDIA_BYTES {
            self.now = true;
        } else if flowed > 0 || self.selected != sample.selected {
            // Of little the most tells as well: sound, or what came just before the silence.
            self.now = flowed > 0 && relayed * 2 >= flowed;
        }
        if flowed > 0 {
            self.selected.clone_from(&sample.selected);
        }
        if !self.now {
            (self.attempt, self.attempts) = (None, 0);
        } else if self.attempt.is_none() {
            self.attempt = Some((now + FIRST_PAUSE, FIRST_PAUSE));
        }
    }

    /// How many bytes went over relayed pairs since the last look.
    fn grown(&mut self, sample: &Sample) -> u64 {
        let pairs = sample.relayed.iter().map(|pair| (pair.id.clone(), pair.bytes_received + pair.bytes_sent));
        let before = std::mem::replace(&mut self.pairs, pairs.collect());
        self.pairs.iter().map(|(id, bytes)| bytes.saturating_sub(before.get(id).copied().unwrap_or_default())).sum()
    }

    /// Whether it does now, or did when something flowed last.
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

    /// Media is received, and most of it over the relayed pair.
    fn received(selected: &str, on_relay: (&str, u64), media_received: u64) -> Sample {
        let pair = PairSample { id: on_relay.0.to_owned(), bytes_received: on_relay.1, ..PairSample::default() };
        let selected = Some(selected.to_owned());
        Sample { path: Path::Direct, selected, relayed: vec![pair], media_received, ..Sample::default() }
    }

    #[test]
    fn whose_relay_died_is_known_when_nothing_comes_any_more() {
        let mut relaying = Relaying::default();
        relaying.sampled(&received("other", ("relay", 100_000), 90_000), at(0));
        // A little came, and then nothing.
        relaying.sampled(&received("other", ("relay", 101_300), 91_200), at(1));
        relaying.sampled(&received("other", ("relay", 101_400), 91_200), at(2));
        relaying.sampled(&received("other", ("relay", 101_500), 91_200), at(3));
        assert!(relaying.is_relayed());
        // It goes on by another way.
        relaying.sampled(&received("direct", ("relay", 101_600), 91_200), at(4));
        assert!(!relaying.is_relayed());
    }

    #[test]
    fn sound_alone_tells_it_and_checks_beside_a_direct_way_do_not() {
        let mut relaying = Relaying::default();
        relaying.sampled(&received("other", ("relay", 1_500), 1_400), at(0));
        assert!(relaying.is_relayed());
        relaying.sampled(&received("other", ("relay", 1_900), 200_000), at(1));
        assert!(!relaying.is_relayed());
    }

    #[test]
    fn after_a_restart_the_new_pairs_count_from_their_beginning() {
        let mut relaying = Relaying::default();
        relaying.sampled(&received("direct", ("old", 9_000_000), 8_900_000), at(0));
        relaying.sampled(&received("direct", ("old", 9_000_000), 9_900_000), at(1));
        assert!(!relaying.is_relayed());
        relaying.sampled(&received("direct", ("new", 1_000_000), 10_800_000), at(2));
        assert!(relaying.is_relayed());
    }

    #[test]
    fn bytes_on_a_pair_that_nobody_selected_tell_it() {
        let mut relaying = Relaying::default();
        relaying.sampled(&sample(Path::Direct, 500), at(0));
        assert!(!relaying.is_relayed());
        relaying.sampled(&sample(Path::Direct, 90_000), at(1));
        assert!(relaying.is_relayed());
        relaying.sampled(&Sample { media_sent: 90_000, ..sample(Path::Direct, 90_400) }, at(2));
        assert!(!relaying.is_relayed() && relaying.next_timeout().is_none());
    }
}
