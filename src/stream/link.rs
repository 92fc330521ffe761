//! The line to the server: when to open a socket, when to give an attempt up, how long to pause before the next.
//!
//! Refuses to know what is said on the line; see `session` for that.

use super::random::Random;
use super::view::LinkView;
use crate::domain::Now;
use std::time::Duration;

/// A browser backs off by itself for longer than 5 s into a dead network, so an attempt is given up before that.
const ATTEMPT: Duration = Duration::from_secs(2);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause while the trouble is young: a tunnel, a lift, a server that restarts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause after [`MANY_FAILURES`].
const LONGEST_PAUSE_LATER: Duration = Duration::from_secs(8);
/// So many failures are a minute or two.
const MANY_FAILURES: u32 = 30;
/// Each fourth attempt has this long: a line that needs longer than [`ATTEMPT`] must come up in the end.
const PATIENT_ATTEMPT: Duration = Duration::from_secs(8);
/// After this long without a word from the server it is asked for one.
const QUIET: Duration = Duration::from_secs(20);
/// And after this long without an answer the line is taken for dead.
const DEAF: Duration = Duration::from_secs(8);
/// The same, where something else says that the network is in trouble.
pub const DEAF_IN_TROUBLE: Duration = Duration::from_millis(2500);
/// The same in another network: with another address the line is dead, and browsers do not always say so.
pub const DEAF_IN_ANOTHER_NETWORK: Duration = Duration::from_secs(1);

/// What the driver is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOutput {
    /// Open a socket; drop the one before it, if any.
    Open,
    /// Close the socket.
    Close,
}

/// The state of the line.
#[derive(Debug, Clone)]
pub struct Link {
    state: State,
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unwanted,
    Opening { since: Now },
    Open { heard: Now, deaf_at: Option<Now> },
    Pausing { until: Now },
}

impl Default for Link {
    fn default() -> Self {
        Self { state: State::Unwanted, failures: 0 }
    }
}

impl Link {
    /// The line is needed from now on.
    pub fn want(&mut self, now: Now) -> Option<LinkOutput> {
        matches!(self.state, State::Unwanted).then(|| self.open(now))
    }

    /// The line is not needed any more.
    pub fn unwant(&mut self) -> Option<LinkOutput> {
        let was = std::mem::replace(&mut self.state, State::Unwanted);
        self.failures = 0;
        matches!(was, State::Opening { .. } | State::Open { .. }).then_some(LinkOutput::Close)
    }

    /// The socket is open.
    pub fn opened(&mut self, now: Now) {
        if matches!(self.state, State::Opening { .. }) {
            self.state = State::Open { heard: now, deaf_at: None };
        }
    }

    /// The server said something.
    pub fn heard(&mut self, now: Now) {
        if let State::Open { heard, deaf_at } = &mut self.state {
            (*heard, *deaf_at) = (now, None);
            self.failures = 0;
        }
    }

    /// The socket closed, or could not be opened.
    pub fn closed(&mut self, now: Now, random: &mut Random) {
        if matches!(self.state, State::Opening { .. } | State::Open { .. }) {
            self.pause(now, random);
        }
    }

    /// A person wants no pause.
    pub fn try_now(&mut self, now: Now) -> Option<LinkOutput> {
        matches!(self.state, State::Pausing { .. }).then(|| self.open(now))
    }

    /// Another network, or one again: an attempt that began in the former one leads nowhere.
    pub fn network_changed(&mut self, now: Now) -> Option<LinkOutput> {
        matches!(self.state, State::Opening { .. } | State::Pausing { .. }).then(|| self.open(now))
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, random: &mut Random) -> Option<LinkOutput> {
        if self.next_timeout().is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            // What is due on an open line is a probe.
            State::Unwanted | State::Open { deaf_at: None, .. } => None,
            State::Opening { .. } | State::Open { deaf_at: Some(_), .. } => {
                self.pause(now, random);
                Some(LinkOutput::Close)
            }
            State::Pausing { .. } => Some(self.open(now)),
        }
    }

    /// True: nothing was heard for a while, so ask the server for a sign of life.
    #[must_use]
    pub fn probe(&mut self, now: Now) -> bool {
        match self.state {
            State::Open { heard, deaf_at: None } if heard + QUIET <= now => {
                self.state = State::Open { heard, deaf_at: Some(now + DEAF) };
                true
            }
            State::Unwanted | State::Opening { .. } | State::Open { .. } | State::Pausing { .. } => false,
        }
    }

    /// Something else says that the network is in trouble, or another one. True: ask the server for a sign of life, for which
    /// it has this long.
    #[must_use]
    pub fn doubt(&mut self, deaf: Duration, now: Now) -> bool {
        let State::Open { heard, deaf_at } = self.state else { return false };
        let soon = now + deaf;
        let asked = deaf_at.is_some_and(|deaf_at| deaf_at <= soon);
        if !asked {
            self.state = State::Open { heard, deaf_at: Some(soon) };
        }
        !asked
    }

    /// When `tick` or `probe` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        match self.state {
            State::Unwanted => None,
            State::Opening { since } => Some(since + if self.failures % 4 == 3 { PATIENT_ATTEMPT } else { ATTEMPT }),
            State::Open { deaf_at: Some(deaf_at), .. } => Some(deaf_at),
            State::Open { heard, deaf_at: None } => Some(heard + QUIET),
            State::Pausing { until } => Some(until),
        }
    }

    /// Whether something can be said.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// What people are shown. A first attempt is no trouble yet.
    pub fn view(&self) -> LinkView {
        match self.state {
            State::Unwanted => LinkView::Idle,
            State::Open { .. } => LinkView::Online,
            State::Opening { .. } if self.failures == 0 => LinkView::Connecting,
            State::Opening { .. } | State::Pausing { .. } => LinkView::Away,
        }
    }

    fn open(&mut self, now: Now) -> LinkOutput {
        self.state = State::Opening { since: now };
        LinkOutput::Open
    }

    fn pause(&mut self, now: Now, random: &mut Random) {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(10)));
        let longest = if self.failures < MANY_FAILURES { LONGEST_PAUSE } else { LONGEST_PAUSE_LATER };
        self.failures = self.failures.saturating_add(1);
        self.state = State::Pausing { until: now + random.around(doubled.min(longest)) };
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
    fn an_attempt_into_a_dead_network_is_given_up() {
        let (mut link, mut random) = (Link::default(), Random::seeded(1));
        assert_eq!(link.want(at(0)), Some(LinkOutput::Open));
        assert_eq!(link.tick(at(1999), &mut random), None);
        assert_eq!(link.tick(at(2000), &mut random), Some(LinkOutput::Close));
        assert_eq!(link.view(), LinkView::Away);
        let due = link.next_timeout().unwrap();
        assert_eq!(link.tick(due, &mut random), Some(LinkOutput::Open));
    }

    #[test]
    fn a_new_network_ends_the_pause_and_the_attempt_that_began_in_the_old_one() {
        let (mut link, mut random) = (Link::default(), Random::seeded(1));
        assert_eq!(link.network_changed(at(0)), None, "nobody wants a line");
        link.want(at(0));
        assert_eq!(link.network_changed(at(1500)), Some(LinkOutput::Open));
        assert_eq!(link.tick(at(3499), &mut random), None, "the new attempt has all its time");
        assert_eq!(link.tick(at(3500), &mut random), Some(LinkOutput::Close));
        assert_eq!(link.network_changed(at(3501)), Some(LinkOutput::Open));
        link.opened(at(3510));
        assert_eq!(link.network_changed(at(3600)), None, "an open one is doubted, not dropped");
    }

    #[test]
    fn a_deaf_server_is_asked_and_then_left() {
        let (mut link, mut random) = (Link::default(), Random::seeded(1));
        link.want(at(0));
        link.opened(at(10));
        assert!(link.probe(at(20_010)));
        assert_eq!(link.tick(at(20_010), &mut random), None);
        assert_eq!(link.tick(at(28_010), &mut random), Some(LinkOutput::Close));
    }

    #[test]
    fn a_doubted_line_is_left_sooner() {
        let (mut link, mut random) = (Link::default(), Random::seeded(1));
        link.want(at(0));
        link.opened(at(10));
        assert!(link.doubt(DEAF_IN_TROUBLE, at(1000)));
        assert!(!link.doubt(DEAF_IN_TROUBLE, at(1500)), "one question at a time");
        assert_eq!(link.tick(at(3499), &mut random), None);
        assert!(link.doubt(DEAF_IN_ANOTHER_NETWORK, at(2000)), "the answer may be lost with the former network");
        assert_eq!(link.tick(at(2999), &mut random), None);
        assert_eq!(link.tick(at(3000), &mut random), Some(LinkOutput::Close));
    }

    /// The pauses after so many failures, one after the other.
    fn pauses(seed: u64, failures: usize) -> Vec<Duration> {
        let (mut link, mut random) = (Link::default(), Random::seeded(seed));
        let mut now = at(0);
        link.want(now);
        let pause = |_| {
            link.closed(now, &mut random);
            let due = link.next_timeout().unwrap();
            let pause = due.since(now);
            now = due;
            assert_eq!(link.tick(now, &mut random), Some(LinkOutput::Open));
            pause
        };
        (0..failures).map(pause).collect()
    }

    #[test]
    fn pauses_grow_to_the_longest_and_no_two_pages_keep_step() {
        let pages: Vec<_> = (0..101).map(|seed| pauses(seed, 40)).collect();
        let median = |place: usize| {
            let mut all: Vec<_> = pages.iter().map(|pauses| pauses[place]).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        let is_about = |median: Duration, pause: Duration| median.abs_diff(pause) <= pause / 10;
        let mut undisturbed = FIRST_PAUSE;
        for place in 0..40 {
            let longest = if place < MANY_FAILURES as usize { LONGEST_PAUSE } else { LONGEST_PAUSE_LATER };
            let expected = undisturbed.min(longest);
            assert!(is_about(median(place), expected), "pause {place}: {:?}, not {expected:?}", median(place));
            // Until a bound is reached each is longer than the one before.
            if place > 0 && undisturbed <= longest {
                assert!(median(place) > median(place - 1), "pause {place}: {:?}", median(place));
            }
            undisturbed = undisturbed.saturating_mul(2);
        }
        assert!(median(39) > median(MANY_FAILURES as usize - 1), "later the longest is longer");
        for pair in pages.windows(2) {
            assert_ne!(pair[0], pair[1], "two pages that lost the same server");
        }
    }

    proptest! {
        #[test]
        fn pauses_grow_and_stay_bounded(seed: u64, failures in 1_usize..60) {
            for pause in pauses(seed, failures) {
                prop_assert!(pause <= LONGEST_PAUSE_LATER * 5 / 4);
            }
        }
    }
}
