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
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// After this long without a word from the server it is asked for one.
const QUIET: Duration = Duration::from_secs(20);
/// And after this long without an answer the line is taken for dead.
const DEAF: Duration = Duration::from_secs(8);

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
    Open { heard: Now, asked: Option<Now> },
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
            self.state = State::Open { heard: now, asked: None };
        }
    }

    /// The server said something.
    pub fn heard(&mut self, now: Now) {
        if let State::Open { heard, asked } = &mut self.state {
            (*heard, *asked) = (now, None);
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

    /// Time passed.
    pub fn tick(&mut self, now: Now, random: &mut Random) -> Option<LinkOutput> {
        if self.next_timeout().is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            // What is due on an open line is a probe.
            State::Unwanted | State::Open { asked: None, .. } => None,
            State::Opening { .. } | State::Open { asked: Some(_), .. } => {
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
            State::Open { heard, asked: None } if heard + QUIET <= now => {
                self.state = State::Open { heard, asked: Some(now) };
                true
            }
            State::Unwanted | State::Opening { .. } | State::Open { .. } | State::Pausing { .. } => false,
        }
    }

    /// When `tick` or `probe` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        match self.state {
            State::Unwanted => None,
            // A line that needs longer than the first attempts allow must come up in the end.
            State::Opening { since } => Some(since + ATTEMPT * 2_u32.pow(self.failures.min(2))),
            State::Open { asked: Some(asked), .. } => Some(asked + DEAF),
            State::Open { heard, asked: None } => Some(heard + QUIET),
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
        self.failures = self.failures.saturating_add(1);
        self.state = State::Pausing { until: now + random.around(doubled.min(LONGEST_PAUSE)) };
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
    fn a_deaf_server_is_asked_and_then_left() {
        let (mut link, mut random) = (Link::default(), Random::seeded(1));
        link.want(at(0));
        link.opened(at(10));
        assert!(link.probe(at(20_010)));
        assert_eq!(link.tick(at(20_010), &mut random), None);
        assert_eq!(link.tick(at(28_010), &mut random), Some(LinkOutput::Close));
    }

    proptest! {
        #[test]
        fn pauses_grow_and_stay_bounded(seed: u64, failures in 1_usize..40) {
            let (mut link, mut random) = (Link::default(), Random::seeded(seed));
            let mut now = at(0);
            link.want(now);
            for _ in 0..failures {
                link.closed(now, &mut random);
                let due = link.next_timeout().unwrap();
                prop_assert!(due.since(now) <= LONGEST_PAUSE * 5 / 4);
                now = due;
                prop_assert_eq!(link.tick(now, &mut random), Some(LinkOutput::Open));
            }
        }
    }
}
