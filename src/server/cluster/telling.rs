//! When a node tells the others what it counted, and when it has to give up what it holds.
//!
//! Sans-IO: answers and the time go in, what is to be done comes out. Tells every second, and at once where little is left; one request
//! is under way at a time, each has a number that only grows, and what is answered to any but the last one is nobody's business. Knows
//! neither what is told nor whom.

use crate::domain::Now;
use crate::server::usage::LAPSES_AFTER;
use std::collections::VecDeque;
use std::time::Duration;

/// How often a node tells.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// The shortest pause, however much is asked for.
const PAUSE: Duration = Duration::from_millis(100);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Time has passed.
    Timeout,
    /// Little is left of what this node holds.
    Hungry,
    /// The request of this number was answered; `unknown`: nobody remembered this node.
    Answered { number: u64, unknown: bool },
    /// A larger number was known already.
    Stale { number: u64, known: u64 },
    /// No answer came, or it made no sense.
    Failed { number: u64 },
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Tell, under this number, and with what is known of others.
    Tell { number: u64, with_others: bool },
    /// What this node holds may be others' by now.
    Lapse,
}

/// See the module's words.
#[derive(Debug)]
pub(super) struct Telling {
    number: u64,
    /// When the request under way was sent.
    under_way: Option<Now>,
    due: Now,
    /// When the last request that was answered had been sent; at first, when this node began.
    confirmed: Now,
    last: Option<Now>,
    lapsed: bool,
    with_others: bool,
    outputs: VecDeque<Output>,
}

impl Telling {
    /// Begins to tell at `now`, with numbers from `first` on: larger than those of any process before this one on the same books,
    /// such as the milliseconds of the clock. Where they are not, that is found out.
    pub(super) fn new(first: u64, now: Now) -> Self {
        Self {
            number: first,
            under_way: None,
            due: now,
            confirmed: now,
            last: None,
            lapsed: false,
            with_others: false,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Hungry => self.due = self.due.min(self.last.map_or(now, |last| last + PAUSE)),
            Input::Answered { number, unknown } if self.is_under_way(number) => {
                self.confirmed = self.under_way.take().unwrap_or(now);
                (self.with_others, self.lapsed) = (unknown, false);
                if unknown {
                    self.due = now;
                }
            }
            Input::Stale { number, known } if self.is_under_way(number) => {
                self.under_way = None;
                self.number = self.number.max(known);
                self.due = now;
            }
            Input::Failed { number } if self.is_under_way(number) => self.under_way = None,
            Input::Timeout | Input::Answered { .. } | Input::Stale { .. } | Input::Failed { .. } => {}
        }
        if !self.lapsed && now.since(self.confirmed) >= LAPSES_AFTER {
            self.lapsed = true;
            self.outputs.push_back(Output::Lapse);
        }
        if self.under_way.is_none() && now >= self.due {
            self.number += 1;
            (self.under_way, self.last, self.due) = (Some(now), Some(now), now + EVERY);
            self.outputs.push_back(Output::Tell { number: self.number, with_others: self.with_others });
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to handle a time-out at the latest.
    pub(super) fn next_timeout(&self) -> Now {
        let lapse = self.confirmed + LAPSES_AFTER;
        match (self.under_way, self.lapsed) {
            (None, true) => self.due,
            (None, false) => self.due.min(lapse),
            // An answer comes, or that there is none.
            (Some(sent), true) => sent + LAPSES_AFTER,
            (Some(_), false) => lapse,
        }
    }

    /// A number for something that is told once, beside the rest.
    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn is_under_way(&self, number: u64) -> bool {
        self.under_way.is_some() && self.number == number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    fn all(telling: &mut Telling) -> Vec<Output> {
        std::iter::from_fn(|| telling.poll_output()).collect()
    }

    #[test]
    fn it_tells_every_second_and_sooner_where_little_is_left() {
        let mut telling = Telling::new(40, at(0));
        telling.handle(Input::Timeout, at(0));
        assert_eq!(all(&mut telling), [Output::Tell { number: 41, with_others: false }]);
        telling.handle(Input::Hungry, at(10));
        assert_eq!(all(&mut telling), [], "one request at a time");
        telling.handle(Input::Answered { number: 41, unknown: true }, at(20));
        assert_eq!(all(&mut telling), [Output::Tell { number: 42, with_others: true }], "nobody remembered");
        telling.handle(Input::Answered { number: 41, unknown: false }, at(21));
        telling.handle(Input::Answered { number: 42, unknown: false }, at(30));
        assert_eq!((all(&mut telling), telling.next_timeout()), (vec![], at(1_020)));
        telling.handle(Input::Hungry, at(50));
        assert_eq!((all(&mut telling), telling.next_timeout()), (vec![], at(120)));
        telling.handle(Input::Timeout, at(120));
        telling.handle(Input::Stale { number: 43, known: 99 }, at(125));
        let [first, second] = [43, 100].map(|number| Output::Tell { number, with_others: false });
        assert_eq!(all(&mut telling), [first, second]);
    }

    #[test]
    fn what_is_held_lapses_once_and_holds_again_after_an_answer() {
        let mut telling = Telling::new(0, at(0));
        telling.handle(Input::Timeout, at(0));
        let lapse = u64::try_from(LAPSES_AFTER.as_millis()).unwrap();
        let (mut lapses, mut asked) = (Vec::new(), 0);
        for second in 0..=2 * lapse / 1_000 {
            telling.handle(Input::Timeout, at(second * 1_000));
            for output in all(&mut telling) {
                match output {
                    Output::Lapse => lapses.push(second),
                    Output::Tell { number, .. } => {
                        telling.handle(Input::Failed { number }, at(second * 1_000 + 900));
                        asked += 1;
                    }
                }
            }
        }
        assert_eq!((lapses, asked), (vec![lapse / 1_000], 2 * lapse / 1_000 + 1));
        telling.handle(Input::Timeout, at(2 * lapse + 1_000));
        let Some(Output::Tell { number, .. }) = telling.poll_output() else { panic!("it goes on telling") };
        telling.handle(Input::Answered { number, unknown: false }, at(2 * lapse + 1_100));
        telling.handle(Input::Timeout, at(3 * lapse + 900));
        assert!(!all(&mut telling).contains(&Output::Lapse));
        telling.handle(Input::Timeout, at(3 * lapse + 1_000));
        assert!(all(&mut telling).contains(&Output::Lapse));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(u64),
        Hungry,
        Answer(bool),
        Late,
        Fail,
        Stale(u64),
    }

    proptest! {
        /// Whatever comes back: numbers grow, one request is under way at a time, and it never falls silent.
        #[test]
        fn it_goes_on_telling_whatever_comes_back(steps in prop::collection::vec(prop_oneof![
            (0..5_000_u64).prop_map(Step::Wait),
            Just(Step::Hungry),
            any::<bool>().prop_map(Step::Answer),
            Just(Step::Late),
            Just(Step::Fail),
            (0..200_u64).prop_map(Step::Stale),
        ], 1..80)) {
            let (mut telling, mut millis, mut last, mut under_way) = (Telling::new(0, at(0)), 0, 0_u64, None);
            for step in steps {
                let number = under_way.unwrap_or_default();
                let input = match step {
                    Step::Wait(time) => {
                        millis += time;
                        Input::Timeout
                    }
                    Step::Hungry => Input::Hungry,
                    Step::Answer(unknown) => Input::Answered { number, unknown },
                    Step::Late => Input::Answered { number: last.saturating_sub(1), unknown: true },
                    Step::Fail => Input::Failed { number },
                    Step::Stale(known) => Input::Stale { number, known },
                };
                if !matches!(step, Step::Wait(_) | Step::Hungry | Step::Late) {
                    under_way = None;
                }
                telling.handle(input, at(millis));
                for output in all(&mut telling) {
                    if let Output::Tell { number, .. } = output {
                        prop_assert!(number > last && under_way.is_none());
                        (last, under_way) = (number, Some(number));
                    }
                }
                prop_assert!(under_way.is_some() || telling.next_timeout() <= at(millis) + EVERY);
            }
        }
    }
}
