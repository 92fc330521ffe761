//! Who of the line is asked when, and when to stop waiting: one caller's question, without the asking.
//!
//! The first is asked at once, the next when it fails or has not answered after 700 ms, and so on; the first answer wins. Beside
//! one that others wait for, or that took that long the last time, the next is asked at once. Whoever is left alone by their
//! [`Breaker`] is passed over. Where several answers are wanted, so many are asked at once, and with one in hand nobody waits
//! longer than for a slow one. Providers whose relay is silent are asked last: their credentials are of little use, and better
//! than none. It is over within [`BUDGET`], with an answer or without.
//!
//! Pure: time is passed in, and nothing is known of providers but their places.

use super::breaker::{Breaker, Permit};
use crate::domain::Now;
use std::{collections::VecDeque, time::Duration};

/// A mint takes about 0.1 s: by then it is slow, and another one may be quicker.
pub(super) const SLOW: Duration = Duration::from_millis(700);

/// What a caller waits for at most. A page has 2 s (promise 8), and the first of the line gives up by itself a moment before.
pub(super) const BUDGET: Duration = Duration::from_millis(1_900);

/// One question to the line.
#[derive(Debug)]
pub(super) struct Race {
    began: Now,
    /// How many answers are wanted.
    wanted: usize,
    /// Places that nobody looked at yet, the next one first, and whether they are a last resort: the line is gone through
    /// twice.
    places: VecDeque<(usize, bool)>,
    /// Asked, and not heard of.
    running: usize,
    answered: usize,
    /// When the one asked last is slow.
    slow_at: Now,
    over: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// One that was asked gave credentials.
    Answered,
    /// One that was asked gave none.
    Failed,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Ask the provider in this place.
    Ask(usize, Permit),
    /// Take what there is.
    Over,
}

impl Race {
    /// `places` of the line in the order in which they are asked.
    pub(super) fn new(places: &[usize], wanted: usize, now: Now) -> Self {
        let places = [false, true].into_iter().flat_map(|last| places.iter().map(move |place| (*place, last)));
        Self { began: now, wanted, places: places.collect(), running: 0, answered: 0, slow_at: now, over: false }
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.running = self.running.saturating_sub(1);
        match input {
            Input::Answered => self.answered += 1,
            Input::Failed => {}
        }
    }

    /// What to do now; `doors` are the breakers of the line.
    pub(super) fn poll_output(&mut self, doors: &mut [Breaker], now: Now) -> Option<Output> {
        if self.over {
            return None;
        }
        let patience_ends = self.answered > 0 && now.since(self.began) >= SLOW;
        if self.answered >= self.wanted || patience_ends || now.since(self.began) >= BUDGET {
            return Some(self.end());
        }
        while self.running + self.answered < self.wanted || self.slow_at <= now {
            let Some((place, last_resort)) = self.places.pop_front() else { break };
            let Some(door) = doors.get_mut(place).filter(|door| door.is_silent() == last_resort) else { continue };
            let patience = if door.takes(SLOW, now) { Duration::ZERO } else { SLOW };
            if let Some(permit) = door.decide(now) {
                self.running += 1;
                self.slow_at = now + patience;
                return Some(Output::Ask(place, permit));
            }
        }
        (self.running == 0).then(|| self.end())
    }

    /// When there is something to do without anything having happened.
    pub(super) fn next_timeout(&self) -> Now {
        let budget = self.began + BUDGET;
        let next_asked = if self.places.is_empty() { budget } else { self.slow_at };
        let patience = if self.answered > 0 { self.began + SLOW } else { budget };
        budget.min(next_asked).min(patience)
    }

    fn end(&mut self) -> Output {
        self.over = true;
        Output::Over
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::breaker::{MOST_FAILURES, Outcome},
        *,
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// How a provider of the made-up world behaves.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Manner {
        Answers(u64),
        Fails(u64),
        Hangs,
        LeftAlone,
        /// Answers, and its relay is silent.
        Silent(u64),
        /// Answers, and somebody else has waited for it for a while.
        Awaited(u64),
    }
    use Manner::{Answers, Awaited, Fails, Hangs, LeftAlone, Silent};

    /// Places in the order in which they were asked and when, places that had answered at the end, and when that was.
    #[derive(Debug, PartialEq, Eq)]
    struct Course {
        asked: Vec<(usize, u64)>,
        answered: Vec<usize>,
        over: u64,
    }

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    /// Runs a race in virtual time.
    fn run(manners: &[Manner], wanted: usize) -> Course {
        // Left alone since just now.
        let door = |manner: &Manner| {
            let mut door = Breaker::default();
            if *manner == LeftAlone {
                for _ in 0..MOST_FAILURES {
                    let permit = door.decide(at(0)).unwrap();
                    door.report(permit, Outcome::Failed { leave_alone: None }, at(0));
                }
            }
            if matches!(manner, Awaited(_)) {
                door.decide(at(0)).unwrap();
            }
            door.hear(!matches!(manner, Silent(_)));
            door
        };
        let began = if manners.iter().any(|manner| matches!(manner, Awaited(_))) { 700 } else { 0 };
        let mut doors: Vec<_> = manners.iter().map(door).collect();
        let mut race = Race::new(&(0..manners.len()).collect::<Vec<_>>(), wanted, at(began));
        let mut course = Course { asked: Vec::new(), answered: Vec::new(), over: 0 };
        let mut events = BTreeSet::new();
        let mut millis = began;
        loop {
            while let Some(output) = race.poll_output(&mut doors, at(millis)) {
                match output {
                    Output::Ask(place, _) => {
                        course.asked.push((place, millis));
                        match manners[place] {
                            Answers(after) | Silent(after) | Awaited(after) => {
                                events.insert((millis + after, place, true));
                            }
                            Fails(after) => {
                                events.insert((millis + after, place, false));
                            }
                            Hangs => {}
                            LeftAlone => panic!("{place} was asked"),
                        }
                    }
                    Output::Over => {
                        course.over = millis;
                        return course;
                    }
                }
            }
            let timeout = u64::try_from(race.next_timeout().since(at(0)).as_millis()).unwrap();
            assert!(timeout > millis, "it waits for nothing");
            match events.first().copied() {
                Some((when, place, answers)) if when <= timeout => {
                    events.pop_first();
                    millis = when;
                    if answers {
                        course.answered.push(place);
                    }
                    race.handle(if answers { Input::Answered } else { Input::Failed });
                }
                _ => millis = timeout,
            }
        }
    }

    fn course(asked: &[(usize, u64)], answered: &[usize], over: u64) -> Course {
        Course { asked: asked.to_vec(), answered: answered.to_vec(), over }
    }

    #[test]
    fn who_answers_quickly_is_the_only_one_asked() {
        assert_eq!(run(&[Answers(100), Answers(1)], 1), course(&[(0, 0)], &[0], 100));
    }

    #[test]
    fn when_the_first_hangs_the_second_answers_in_time() {
        assert_eq!(run(&[Hangs, Answers(100)], 1), course(&[(0, 0), (1, 700)], &[1], 800));
        assert_eq!(run(&[Hangs, Hangs, Answers(100)], 1), course(&[(0, 0), (1, 700), (2, 1_400)], &[2], 1_500));
    }

    #[test]
    fn beside_one_that_others_wait_for_the_next_is_asked_at_once() {
        assert_eq!(run(&[Awaited(5_000), Answers(100)], 1), course(&[(0, 700), (1, 700)], &[1], 800));
        assert_eq!(run(&[Awaited(50), Answers(100)], 1), course(&[(0, 700), (1, 700)], &[0], 750));
        let slow = run(&[Awaited(5_000), Hangs, Answers(100)], 1);
        assert_eq!(slow, course(&[(0, 700), (1, 700), (2, 1_400)], &[2], 1_500));
    }

    #[test]
    fn a_slow_one_may_still_win() {
        assert_eq!(run(&[Answers(900), Answers(500)], 1), course(&[(0, 0), (1, 700)], &[0], 900));
    }

    #[test]
    fn after_a_failure_the_next_is_asked_at_once() {
        assert_eq!(run(&[Fails(50), Fails(50), Answers(50)], 1), course(&[(0, 0), (1, 50), (2, 100)], &[2], 150));
        assert_eq!(run(&[Fails(50)], 1), course(&[(0, 0)], &[], 50));
    }

    #[test]
    fn whoever_is_left_alone_is_passed_over() {
        assert_eq!(run(&[LeftAlone, Answers(50)], 1), course(&[(1, 0)], &[1], 50));
        assert_eq!(run(&[LeftAlone, LeftAlone], 1), course(&[], &[], 0));
        assert_eq!(run(&[], 1), course(&[], &[], 0));
    }

    #[test]
    fn nobody_is_waited_for_beyond_the_budget() {
        assert_eq!(run(&[Hangs], 1).over, 1_900);
        assert_eq!(run(&[Hangs, Answers(5_000)], 1), course(&[(0, 0), (1, 700)], &[], 1_900));
    }

    #[test]
    fn two_answers_are_waited_for_while_the_second_is_not_slow() {
        assert_eq!(run(&[Answers(100), Answers(300)], 2), course(&[(0, 0), (1, 0)], &[0, 1], 300));
        assert_eq!(run(&[Answers(100), Hangs, Answers(1)], 2), course(&[(0, 0), (1, 0)], &[0], 700));
        assert_eq!(run(&[Answers(100), Fails(50), Answers(50)], 2), course(&[(0, 0), (1, 0), (2, 50)], &[0, 2], 100));
        assert_eq!(run(&[Answers(100)], 2), course(&[(0, 0)], &[0], 100));
        assert_eq!(run(&[Hangs, Answers(900)], 2), course(&[(0, 0), (1, 0)], &[1], 900));
    }

    #[test]
    fn whose_relay_is_silent_is_asked_where_nobody_else_answers() {
        assert_eq!(run(&[Silent(10), Answers(50)], 1), course(&[(1, 0)], &[1], 50));
        assert_eq!(run(&[Silent(10), Fails(50)], 1), course(&[(1, 0), (0, 50)], &[0], 60));
        assert_eq!(run(&[Silent(10), Hangs], 1), course(&[(1, 0), (0, 700)], &[0], 710));
        assert_eq!(run(&[Silent(10)], 1), course(&[(0, 0)], &[0], 10));
        assert_eq!(run(&[Silent(10), Answers(50)], 2), course(&[(1, 0), (0, 0)], &[0, 1], 50));
    }

    fn manner() -> impl Strategy<Value = Manner> {
        prop_oneof![(1..3_000_u64).prop_map(Answers), (1..3_000_u64).prop_map(Fails), Just(Hangs), Just(LeftAlone)]
    }

    proptest! {
        #[test]
        fn it_ends_within_the_budget_in_order_and_with_whatever_there_was(
            manners in prop::collection::vec(manner(), 0..6),
            wanted in 1_usize..4,
        ) {
            // That nobody is asked who is left alone, `run` checks itself.
            let course = run(&manners, wanted);
            prop_assert!(course.over <= 1_900);
            prop_assert!(course.asked.is_sorted_by_key(|(place, _)| *place));
            prop_assert!(course.asked.iter().map(|(place, _)| place).collect::<BTreeSet<_>>().len() == course.asked.len());
            prop_assert!(course.answered.len() <= wanted);
            // Whoever answered in time is not lost.
            for (place, when) in &course.asked {
                if let Answers(after) = manners[*place] {
                    prop_assert!(!course.answered.contains(place) || when + after <= course.over);
                    prop_assert!(course.answered.contains(place) || when + after >= course.over);
                }
            }
            // Nothing is given up while there is somebody to ask or to wait for.
            if course.answered.is_empty() && course.over < 1_900 {
                for (place, manner) in manners.iter().enumerate() {
                    let asked = course.asked.iter().any(|(asked, _)| *asked == place);
                    prop_assert!(asked == (*manner != LeftAlone) && matches!(manner, Fails(_) | LeftAlone));
                }
            }
            // The first that answers quickly is answer enough.
            if let (Some(Answers(after)), 1) = (manners.first(), wanted) && *after < 700 {
                prop_assert_eq!(course.asked.len(), 1);
            }
        }
    }
}
