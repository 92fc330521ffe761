//! Whether a provider that failed is asked again.
//!
//! Closed: it is asked. After some failures in a row it opens: nobody waits for a provider that is down. When its pause is over
//! it is half open: one caller tries it, and how that goes decides. Pure: time is passed in, and nothing is known of who is
//! asked and how.

use crate::domain::Now;
use std::time::Duration;

/// So many failures in a row are no accident.
pub(super) const MOST_FAILURES: u32 = 3;

/// The first pause; each further one is twice as long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest of those: a provider that is back is noticed within a minute.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The longest that a provider is left alone because it asked for it: whoever comes earlier may be refused for longer still, and
/// a date that is farther ahead is a mistake.
const LONGEST_WISH: Duration = Duration::from_hours(1);

/// A trial that nothing is heard of for so long is lost: no provider is waited for that long.
pub(super) const LOST: Duration = Duration::from_secs(5);

/// One provider's.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Goes up whenever what was asked before says nothing any more.
    era: u64,
    /// Credentials are to be had, and the relay that they are for does not echo.
    silent: bool,
    /// When it was asked first of those times since it was last heard of.
    asked: Option<Now>,
    /// How long it was waited for then.
    took: Duration,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The provider is asked.
    Closed,
    /// It is left alone, or asked only where nobody else answers since its relay is silent.
    Open,
    /// One caller tries it out.
    HalfOpen,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Now, pause: Duration },
    HalfOpen { since: Now, pause: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Leave to ask once. Is given back with how it went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Permit(u64);

/// How asking went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There are credentials.
    Answered,
    /// There are none.
    Failed {
        /// How long the provider asked to be left alone.
        leave_alone: Option<Duration>,
    },
}

/// What is worth telling the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is not asked for so long.
    Opened(Duration),
    /// It answers again.
    Closed,
}

impl Breaker {
    /// Whether the provider may be asked now.
    pub(super) fn decide(&mut self, now: Now) -> Option<Permit> {
        let permit = match self.state {
            State::Closed { .. } => Permit(self.era),
            State::Open { until, pause } if until <= now => self.try_out(pause, now),
            State::HalfOpen { since, pause } if now.since(since) >= LOST => self.try_out(pause, now),
            State::Open { .. } | State::HalfOpen { .. } => return None,
        };
        self.asked.get_or_insert(now);
        Some(permit)
    }

    /// Whether it took so long the last time, or somebody waits for it that long now. No reason to leave it alone, but none to wait
    /// for it either.
    pub(super) fn takes(&self, long: Duration, now: Now) -> bool {
        self.took >= long || self.asked.is_some_and(|asked| now.since(asked) >= long)
    }

    /// How it went. What was asked before the breaker last opened says nothing any more.
    pub(super) fn report(&mut self, permit: Permit, outcome: Outcome, now: Now) -> Option<Change> {
        self.took = self.asked.take().map_or(self.took, |asked| now.since(asked));
        if permit.0 != self.era {
            return None;
        }
        match (self.state, outcome) {
            (State::Closed { .. }, Outcome::Answered) => {
                self.state = State::default();
                None
            }
            (State::Closed { failures }, Outcome::Failed { leave_alone: None }) if failures + 1 < MOST_FAILURES => {
                self.state = State::Closed { failures: failures + 1 };
                None
            }
            (State::Closed { .. }, Outcome::Failed { leave_alone }) => Some(self.open(FIRST_PAUSE, leave_alone, now)),
            (State::HalfOpen { .. }, Outcome::Answered) => {
                self.state = State::default();
                Some(Change::Closed)
            }
            (State::HalfOpen { pause, .. }, Outcome::Failed { leave_alone }) => {
                Some(self.open((pause * 2).min(LONGEST_PAUSE), leave_alone, now))
            }
            (State::Open { .. }, _) => None,
        }
    }

    /// Whether the relay echoes that its credentials are for. True where that is news.
    pub(super) fn hear(&mut self, echoes: bool) -> bool {
        std::mem::replace(&mut self.silent, !echoes) == echoes
    }

    /// Whether others are better asked first. It is no reason not to ask at all: the relay may be silent where the server is, and
    /// not where its visitors are.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(super) fn standing(&self) -> Standing {
        match self.state {
            State::Closed { .. } if self.silent => Standing::Open,
            State::Closed { .. } => Standing::Closed,
            State::Open { .. } => Standing::Open,
            State::HalfOpen { .. } => Standing::HalfOpen,
        }
    }

    fn try_out(&mut self, pause: Duration, now: Now) -> Permit {
        self.era += 1;
        self.state = State::HalfOpen { since: now, pause };
        Permit(self.era)
    }

    fn open(&mut self, pause: Duration, leave_alone: Option<Duration>, now: Now) -> Change {
        self.era += 1;
        let wait = pause.max(leave_alone.unwrap_or_default().min(LONGEST_WISH));
        self.state = State::Open { until: now + wait, pause };
        Change::Opened(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAILED: Outcome = Outcome::Failed { leave_alone: None };

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    /// Asks and fails; how long it is left alone then.
    fn fail(breaker: &mut Breaker, now: Now) -> Option<Duration> {
        let permit = breaker.decide(now).unwrap();
        match breaker.report(permit, FAILED, now)? {
            Change::Opened(pause) => Some(pause),
            Change::Closed => panic!("it failed"),
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            assert_eq!((fail(&mut breaker, at(0)), fail(&mut breaker, at(0))), (None, None));
            let permit = breaker.decide(at(0)).unwrap();
            assert_eq!(breaker.report(permit, Outcome::Answered, at(0)), None);
        }
        assert_eq!((fail(&mut breaker, at(0)), fail(&mut breaker, at(0))), (None, None));
        assert_eq!(fail(&mut breaker, at(0)), Some(FIRST_PAUSE));
        assert_eq!((breaker.decide(at(0)), breaker.decide(at(1_999))), (None, None));
    }

    #[test]
    fn who_hangs_takes_long_from_then_on_until_it_is_quick_again() {
        const LONG: Duration = Duration::from_millis(700);
        let mut breaker = Breaker::default();
        let permit = breaker.decide(at(0)).unwrap();
        breaker.decide(at(600)).unwrap();
        assert!(!breaker.takes(LONG, at(699)) && breaker.takes(LONG, at(700)));
        breaker.report(permit, FAILED, at(1_900));
        assert!(breaker.takes(LONG, at(10_000)), "it may hang again");
        let permit = breaker.decide(at(10_000)).unwrap();
        breaker.report(permit, FAILED, at(10_050));
        assert!(!breaker.takes(LONG, at(10_050)), "who fails at once is not waited for long");
    }

    #[test]
    fn one_tries_it_out_and_the_pause_doubles_up_to_a_minute() {
        let mut breaker = Breaker::default();
        let (mut now, mut pauses) = (at(0), Vec::new());
        let mut pause = (0..MOST_FAILURES).find_map(|_| fail(&mut breaker, now)).unwrap();
        for _ in 0..7 {
            pauses.push(pause.as_secs());
            now = now + pause;
            pause = fail(&mut breaker, now).unwrap();
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        let trial = breaker.decide(now + pause).unwrap();
        assert_eq!(breaker.decide(now + pause), None, "one is enough");
        assert_eq!(breaker.report(trial, Outcome::Answered, now), Some(Change::Closed));
        assert_eq!((fail(&mut breaker, now), fail(&mut breaker, now)), (None, None));
        assert_eq!(fail(&mut breaker, now), Some(FIRST_PAUSE), "and all is forgotten");
    }

    #[test]
    fn a_provider_that_asks_to_be_left_alone_is() {
        let mut breaker = Breaker::default();
        let permit = breaker.decide(at(0)).unwrap();
        let asked = Outcome::Failed { leave_alone: Some(Duration::from_secs(30)) };
        assert_eq!(breaker.report(permit, asked, at(0)), Some(Change::Opened(Duration::from_secs(30))));
        let late = breaker.decide(at(30_000)).unwrap();
        let forever = Outcome::Failed { leave_alone: Some(Duration::MAX) };
        assert_eq!(breaker.report(late, forever, at(30_000)), Some(Change::Opened(Duration::from_hours(1))));
    }

    #[test]
    fn a_provider_that_asks_for_minutes_gets_them_and_what_follows_is_as_ever() {
        let mut breaker = Breaker::default();
        let permit = breaker.decide(at(0)).unwrap();
        let asked = Outcome::Failed { leave_alone: Some(Duration::from_mins(10)) };
        assert_eq!(breaker.report(permit, asked, at(0)), Some(Change::Opened(Duration::from_mins(10))));
        assert_eq!(breaker.decide(at(599_999)), None);
        assert_eq!(fail(&mut breaker, at(600_000)), Some(FIRST_PAUSE * 2));
    }

    #[test]
    fn a_trial_that_is_lost_does_not_close_the_door_for_good() {
        let mut breaker = Breaker::default();
        while fail(&mut breaker, at(0)).is_none() {}
        let lost = breaker.decide(at(2_000)).unwrap();
        assert_eq!(breaker.decide(at(6_999)), None);
        let second = breaker.decide(at(7_000)).unwrap();
        assert_eq!(breaker.report(lost, FAILED, at(7_001)), None, "too late to say anything");
        assert_eq!(breaker.report(second, Outcome::Answered, at(7_002)), Some(Change::Closed));
    }

    #[test]
    fn a_silent_relay_opens_it_and_an_echo_closes_it_again() {
        let mut breaker = Breaker::default();
        assert!(!breaker.hear(true), "that is no news");
        assert_eq!((breaker.hear(false), breaker.standing()), (true, Standing::Open));
        assert!(!breaker.hear(false));
        assert!(breaker.decide(at(0)).is_some(), "it is the last resort, and not out of reach");
        assert_eq!((breaker.hear(true), breaker.standing()), (true, Standing::Closed));
        while fail(&mut breaker, at(0)).is_none() {}
        breaker.hear(true);
        assert_eq!(breaker.standing(), Standing::Open, "an echo mints no credentials");
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(u64),
        Ask,
        Report { which: prop::sample::Index, failed: bool, leave_alone: Option<u64> },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..9_000_u64).prop_map(Step::Wait),
            Just(Step::Ask),
            (any::<prop::sample::Index>(), prop::bool::weighted(0.8), prop::option::weighted(0.1, 0..5_000_000_u64))
                .prop_map(|(which, failed, leave_alone)| Step::Report { which, failed, leave_alone }),
        ]
    }

    proptest! {
        #[test]
        fn in_any_order_it_is_left_alone_while_open_and_tried_by_one(steps in prop::collection::vec(step(), 1..120)) {
            let mut breaker = Breaker::default();
            let mut now = at(0);
            let mut out = Vec::new();
            // What a second, simpler reading knows: until when it is open, and who tries it since when.
            let (mut open_until, mut trial) = (None::<Now>, None::<(Now, u64)>);
            for step in steps {
                match step {
                    Step::Wait(millis) => now = now + Duration::from_millis(millis),
                    Step::Ask => {
                        let permit = breaker.decide(now);
                        if let Some((since, _)) = trial {
                            prop_assert_eq!(permit.is_some(), now.since(since) >= LOST);
                        } else if let Some(until) = open_until {
                            prop_assert_eq!(permit.is_some(), until <= now);
                        } else {
                            prop_assert!(permit.is_some());
                        }
                        if let Some(permit) = permit {
                            if open_until.is_some() {
                                trial = Some((now, permit.0));
                            }
                            out.push(permit);
                        }
                    }
                    Step::Report { which, failed, leave_alone } => {
                        if out.is_empty() {
                            continue;
                        }
                        let permit = out.swap_remove(which.index(out.len()));
                        let id = permit.0;
                        let leave_alone = leave_alone.map(Duration::from_millis);
                        let outcome = if failed { Outcome::Failed { leave_alone } } else { Outcome::Answered };
                        match breaker.report(permit, outcome, now) {
                            Some(Change::Opened(pause)) => {
                                let wish = leave_alone.unwrap_or_default().min(LONGEST_WISH);
                                prop_assert!(failed && (FIRST_PAUSE..=LONGEST_PAUSE.max(wish)).contains(&pause));
                                prop_assert!(pause >= wish);
                                (open_until, trial) = (Some(now + pause), None);
                            }
                            Some(Change::Closed) => {
                                prop_assert!(!failed && trial.is_some_and(|(_, trying)| trying == id));
                                (open_until, trial) = (None, None);
                            }
                            None => {}
                        }
                    }
                }
            }
        }
    }
}
