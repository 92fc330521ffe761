//! Data through one relay and back: two connections of the same page, each of which may use that relay only.
//!
//! Decides what is said and when to give up; the time of every message is passed in. Bounded: [`ROUNDS`] short messages,
//! and [`POURED`] bytes each way.

use crate::domain::Now;
use std::time::Duration;

/// How often a short message goes there and back.
const ROUNDS: usize = 5;

/// How much is sent each way: enough to see a line's speed, and little enough to do without a second thought.
pub const POURED: u32 = 256 * 1024;

/// The two connections find each other through the relay, or not at all.
const TO_CONNECT: Duration = Duration::from_secs(10);
/// A round that takes longer is lost.
const A_ROUND: Duration = Duration::from_secs(3);
/// After this a direction is judged by what has arrived.
const TO_POUR: Duration = Duration::from_secs(8);

/// One of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Which makes the offer.
    First,
    /// Which answers.
    Second,
}

/// Something that happened between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Both ends can send.
    Opened,
    /// This text arrived at this end.
    Text(End, String),
    /// So many bytes arrived at this end.
    Bytes(End, u32),
    /// The connection cannot be made, or broke.
    Broken,
}

/// Something that is to be sent from one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// This text.
    Text(End, String),
    /// So many bytes of any content, in messages of any size.
    Bytes(End, u32),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// How long it took until both ends could send; `None` where they never could.
    pub connected: Option<Duration>,
    /// The middle one of the rounds, through the relay twice.
    pub round_trip: Option<Duration>,
    /// Bits a second from the first end to the second; `None` where nothing arrived.
    pub there: Option<u64>,
    /// The same on the way back.
    pub back: Option<u64>,
}

impl Carried {
    /// Data ran both ways.
    pub fn both_ways(self) -> bool {
        self.there.is_some() && self.back.is_some()
    }
}

#[derive(Debug)]
enum Step {
    Connecting,
    Round,
    Pouring { from: End, arrived: u32 },
    Done,
}

/// One relay being tried.
#[derive(Debug)]
pub(super) struct Carrying {
    step: Step,
    /// When the step began, or the round.
    since: Now,
    rounds: Vec<Duration>,
    carried: Carried,
}

impl Carrying {
    /// The two connections are being made.
    pub(super) fn begin(now: Now) -> Self {
        Self { step: Step::Connecting, since: now, rounds: Vec::new(), carried: Carried::default() }
    }

    /// Takes in what happened; the answer is what is to be sent.
    pub(super) fn hear(&mut self, heard: Heard, now: Now) -> Option<Say> {
        let round = self.round();
        match (heard, &mut self.step) {
            (Heard::Broken, _) => {
                self.step = Step::Done;
                None
            }
            (Heard::Opened, Step::Connecting) => {
                self.carried.connected = Some(now.since(self.since));
                Some(self.next_round(now))
            }
            // The second end gives back what it hears.
            (Heard::Text(End::Second, text), Step::Round) => Some(Say::Text(End::Second, text)),
            (Heard::Text(End::First, text), Step::Round) if text == round => {
                self.rounds.push(now.since(self.since));
                Some(if self.rounds.len() < ROUNDS { self.next_round(now) } else { self.end_rounds(now) })
            }
            (Heard::Bytes(at, bytes), Step::Pouring { from, arrived }) if at != *from => {
                *arrived = arrived.saturating_add(bytes);
                if *arrived < POURED { None } else { self.end_pouring(now) }
            }
            (Heard::Opened | Heard::Text(..) | Heard::Bytes(..), _) => None,
        }
    }

    /// Gives up what takes too long.
    pub(super) fn look(&mut self, now: Now) -> Option<Say> {
        if self.next_timeout().is_none_or(|due| now < due) {
            return None;
        }
        match self.step {
            // What was lost once is lost: the channel itself sends again, so nothing comes through.
            Step::Connecting | Step::Round => {
                self.step = Step::Done;
                None
            }
            Step::Pouring { .. } => self.end_pouring(now),
            Step::Done => None,
        }
    }

    /// When [`Self::look`] has something to do; `None` once it is over.
    pub(super) fn next_timeout(&self) -> Option<Now> {
        match self.step {
            Step::Connecting => Some(self.since + TO_CONNECT),
            Step::Round => Some(self.since + A_ROUND),
            Step::Pouring { .. } => Some(self.since + TO_POUR),
            Step::Done => None,
        }
    }

    /// The result, once it is over.
    pub(super) fn result(&self) -> Option<Carried> {
        matches!(self.step, Step::Done).then_some(self.carried)
    }

    fn next_round(&mut self, now: Now) -> Say {
        (self.step, self.since) = (Step::Round, now);
        Say::Text(End::First, self.round())
    }

    fn round(&self) -> String {
        format!("round {}", self.rounds.len() + 1)
    }

    fn end_rounds(&mut self, now: Now) -> Say {
        self.rounds.sort_unstable();
        self.carried.round_trip = self.rounds.get(ROUNDS / 2).copied();
        self.pour(End::First, now)
    }

    fn pour(&mut self, from: End, now: Now) -> Say {
        (self.step, self.since) = (Step::Pouring { from, arrived: 0 }, now);
        Say::Bytes(from, POURED)
    }

    /// A line so slow that not everything arrived in time has a speed all the same; one on which nothing did has none.
    fn end_pouring(&mut self, now: Now) -> Option<Say> {
        let Step::Pouring { from, arrived } = self.step else { return None };
        let millis = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX).max(1);
        let speed = (arrived > 0).then(|| u64::from(arrived) * 8 * 1000 / millis);
        match from {
            End::First => {
                self.carried.there = speed;
                Some(self.pour(End::Second, now))
            }
            End::Second => {
                self.carried.back = speed;
                self.step = Step::Done;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    /// Every message takes `delay`, and so many bytes arrive a millisecond.
    fn run(delay: u64, bytes_per_milli: u32) -> (Carried, u64) {
        let mut carrying = Carrying::begin(at(0));
        let mut now = 100;
        let mut next = carrying.hear(Heard::Opened, at(now));
        while let Some(send) = next.take() {
            now += delay;
            next = match send {
                Say::Text(from, text) => {
                    let to = if from == End::First { End::Second } else { End::First };
                    carrying.hear(Heard::Text(to, text), at(now))
                }
                Say::Bytes(from, bytes) => {
                    let to = if from == End::First { End::Second } else { End::First };
                    let begun = now - delay;
                    let (mut arrived, mut answer) = (0, None);
                    while arrived < bytes && answer.is_none() {
                        now += 1;
                        let due = carrying.next_timeout().filter(|due| *due <= at(now));
                        answer = match due {
                            Some(_) => carrying.look(at(now)),
                            None => carrying.hear(Heard::Bytes(to, bytes_per_milli.min(bytes - arrived)), at(now)),
                        };
                        arrived += bytes_per_milli;
                        if carrying.result().is_some() {
                            break;
                        }
                    }
                    assert!(now - begun <= 8_000 + delay);
                    answer
                }
            };
        }
        (carrying.result().unwrap(), now)
    }

    #[test]
    fn round_trip_and_speed_are_what_the_line_has() {
        let (carried, _) = run(20, 1_000);
        assert_eq!(
            (carried.connected, carried.round_trip),
            (Some(Duration::from_millis(100)), Some(at(40).since(at(0))))
        );
        for speed in [carried.there.unwrap(), carried.back.unwrap()] {
            assert!((7_000_000..=8_000_000).contains(&speed), "{speed}");
        }
    }

    #[test]
    fn a_slow_line_is_judged_by_what_arrived() {
        let (carried, now) = run(20, 10);
        assert!(now < 17_000);
        for speed in [carried.there.unwrap(), carried.back.unwrap()] {
            assert!((78_000..=80_000).contains(&speed), "{speed}");
        }
    }

    #[test]
    fn a_relay_that_carries_nothing_is_given_up() {
        let mut carrying = Carrying::begin(at(0));
        assert_eq!(carrying.look(at(9_999)), None);
        assert_eq!(carrying.result(), None);
        carrying.look(at(10_000));
        assert_eq!(carrying.result(), Some(Carried::default()));

        let mut dumb = Carrying::begin(at(0));
        dumb.hear(Heard::Opened, at(50));
        dumb.look(at(3_050));
        let carried = dumb.result().unwrap();
        assert!(carried.connected.is_some() && !carried.both_ways());
    }

    fn any_end() -> impl Strategy<Value = End> {
        prop_oneof![Just(End::First), Just(End::Second)]
    }

    fn any_heard() -> impl Strategy<Value = Heard> {
        prop_oneof![
            Just(Heard::Opened),
            (any_end(), "round [1-6]").prop_map(|(end, text)| Heard::Text(end, text)),
            (any_end(), any::<u32>()).prop_map(|(end, bytes)| Heard::Bytes(end, bytes)),
            Just(Heard::Broken),
        ]
    }

    proptest! {
        /// Whatever the other end and the network do, it is over after the sum of all patience, and no more is sent than said.
        #[test]
        fn it_always_ends_and_sends_a_bounded_amount(
            events in prop::collection::vec((any_heard(), 0_u64..4_000), 0..60),
        ) {
            let mut carrying = Carrying::begin(at(0));
            let (mut now, mut poured, mut texts) = (0, 0_u64, 0);
            let mut count = |sent: Option<Say>| match sent {
                Some(Say::Bytes(_, bytes)) => poured += u64::from(bytes),
                Some(Say::Text(End::First, _)) => texts += 1,
                Some(Say::Text(End::Second, _)) | None => {}
            };
            for (heard, pause) in events {
                now += pause;
                count(carrying.look(at(now)));
                count(carrying.hear(heard, at(now)));
            }
            while let Some(due) = carrying.next_timeout() {
                count(carrying.look(due));
                prop_assert!(due <= at(now.max(10_000) + 60_000));
            }
            prop_assert!(carrying.result().is_some());
            prop_assert!(poured <= 2 * u64::from(POURED) && texts <= ROUNDS);
        }
    }
}
