//! However looks, restarts and crashes follow each other: nothing is repeated, nothing is lost, and what was written arrives.

use super::{
    super::{STAGES, WayKind, outbox::Settled},
    *,
};
use crate::domain::ProviderKind;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes, in seconds, and somebody looks at this.
    Look(u64, Things),
    /// The process is gone before what it decided was written.
    CrashBeforeWriting(Things),
    /// The process is gone after it was written and before anything was sent.
    CrashAfterWriting(Things),
    /// All letters that are due are tried, and arrive or not.
    Send(bool),
    /// The clock is set back by so many seconds.
    SetBack(u64),
}

/// How things are.
#[derive(Debug, Clone, Copy)]
struct Things {
    percent: u64,
    in_trouble: bool,
    fails: bool,
    apart: u64,
}

impl Things {
    fn seen(self) -> Observation {
        let provider = || ProviderKind::Twilio.into();
        let counted = |percent: u64| ByteCount::new(percent * 1_000_000_000);
        Observation {
            // A limit so large that no pace is unusual.
            used: ByteCount::new(self.percent),
            counted: ByteCount::new(self.percent),
            limit: ByteCount::new(100),
            budget: None,
            limits: Vec::new(),
            providers: vec![(provider(), self.in_trouble.then_some(Trouble::Silent))],
            drifts: vec![Drift { provider: provider(), ours: counted(100), theirs: counted(100 - self.apart) }],
            meters: vec![(provider(), self.in_trouble.then_some(Unheard::NotTold))],
            counting_fails: self.fails.then(|| "the disk is full".to_owned()),
        }
    }
}

fn things() -> impl Strategy<Value = Things> {
    let apart = prop::sample::select(vec![0, 5, 9, 11, 24, 30]);
    (60..105_u64, any::<bool>(), prop::bool::weighted(0.2), apart)
        .prop_map(|(percent, in_trouble, fails, apart)| Things { percent, in_trouble, fails, apart })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (1..900_u64, things()).prop_map(|(seconds, things)| Step::Look(seconds, things)),
        1 => things().prop_map(Step::CrashBeforeWriting),
        1 => things().prop_map(Step::CrashAfterWriting),
        4 => any::<bool>().prop_map(Step::Send),
        1 => (1..100_000_u64).prop_map(Step::SetBack),
    ];
    prop::collection::vec(step, 1..120)
}

/// What is on disk, and what was seen to happen.
struct World {
    disk: String,
    now: UnixMillis,
    /// What arrived, by name.
    arrived: BTreeSet<String>,
    /// What was written to be sent.
    promised: BTreeSet<String>,
    /// Of each topic, the level that was said and is not over.
    said: BTreeMap<Topic, u8>,
}

impl World {
    fn read(&self) -> State {
        serde_json::from_str(&self.disk).unwrap()
    }

    fn look(&mut self, things: Things, written: bool) {
        let (mut state, before) = (self.read(), self.read());
        let alerts = state.decide(&things.seen(), &STAGES, self.now);
        for alert in &alerts {
            state.outbox.put(alert, &[WayKind::Webhook], self.now);
        }
        if !written {
            return;
        }
        for alert in alerts {
            let level = state.said.get(&alert.topic).map_or(0, |kept| kept.level);
            let known = before.said.get(&alert.topic).map_or(0, |kept| kept.level);
            if alert.severity == Severity::Over {
                assert_eq!(level, 0, "{alert:?}");
            } else {
                let said = self.said.get(&alert.topic).copied().unwrap_or_default();
                assert!(level > said && level > known, "said again: {alert:?} at {level} after {said}");
            }
            self.promised.insert(alert.id);
        }
        // Levels that do not hold any more are over, and may be said again.
        self.said = state.said.iter().map(|(topic, kept)| (topic.clone(), kept.level)).collect();
        self.disk = serde_json::to_string(&state).unwrap();
        // What has no time to pass by itself was said by now.
        let level = |topic: &Topic| state.said.get(topic).map_or(0, |kept| kept.level);
        let stages = STAGES.iter().filter(|stage| u64::from(**stage) <= things.percent).count();
        assert!(usize::from(level(&Topic::Limit)) >= stages, "{things:?} {state:?}");
        assert!(level(&Topic::Counting) >= u8::from(things.fails));
    }

    fn send(&mut self, arrives: bool) {
        let mut state = self.read();
        let due: Vec<_> = state.outbox.due(self.now).map(|letter| letter.alert.id.clone()).collect();
        for id in due {
            let settled = state.outbox.settle(&id, WayKind::Webhook, arrives, Duration::from_secs(5), self.now);
            if settled == Settled::Arrived {
                self.arrived.insert(id);
            }
        }
        self.disk = serde_json::to_string(&state).unwrap();
    }
}

proptest! {
    #[test]
    fn nothing_is_repeated_and_nothing_is_lost(steps in steps()) {
        let now = UnixMillis(1_794_787_200_000);
        let mut world = World {
            disk: serde_json::to_string(&State::default()).unwrap(),
            now,
            arrived: BTreeSet::new(),
            promised: BTreeSet::new(),
            said: BTreeMap::new(),
        };
        for step in steps {
            match step {
                Step::Look(seconds, things) => {
                    world.now = world.now.plus(Duration::from_secs(seconds));
                    world.look(things, true);
                }
                Step::CrashBeforeWriting(things) => world.look(things, false),
                Step::CrashAfterWriting(things) => world.look(things, true),
                Step::Send(arrives) => world.send(arrives),
                Step::SetBack(seconds) => world.now = UnixMillis(world.now.0 - seconds * 1_000),
            }
        }
        // Whatever was written arrives in the end, or is still there.
        let left: BTreeSet<_> = world.read().outbox.letters().iter().map(|letter| letter.alert.id.clone()).collect();
        prop_assert!(world.promised.iter().all(|id| world.arrived.contains(id) || left.contains(id)));
        // Twice, since a clock that was set back may have come to just before a letter's time.
        for _ in 0..2 {
            world.now = world.now.plus(Duration::from_hours(24));
            world.send(true);
        }
        prop_assert_eq!(world.read().outbox.letters().len(), 0);
        prop_assert_eq!(&world.arrived, &world.promised);
    }

    #[test]
    fn what_stays_wrong_is_said_exactly_once(percent in 0..120_u64, looks in 1..400_u64, every in 1..120_u64) {
        let things = Things { percent, in_trouble: true, fails: true, apart: 30 };
        let (mut state, mut now) = (State::default(), UnixMillis(1_794_787_200_000));
        let mut count = BTreeMap::<Topic, u32>::new();
        for _ in 0..looks {
            // A restart between any two looks.
            state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            for alert in state.decide(&things.seen(), &STAGES, now) {
                *count.entry(alert.topic).or_default() += 1;
            }
            now = now.plus(Duration::from_secs(every));
        }
        prop_assert!(count.values().all(|times| *times == 1), "{:?}", count);
        let lasted = Duration::from_secs((looks - 1) * every);
        let twilio = ProviderKind::Twilio;
        let of_twilio = [Topic::Provider(twilio.into()), Topic::Drift(twilio.into()), Topic::Meter(twilio.into())];
        for topic in of_twilio.into_iter().chain([Topic::Counting]) {
            prop_assert_eq!(count.contains_key(&topic), lasted >= topic.patience().before, "{}", topic);
        }
        prop_assert_eq!(count.contains_key(&Topic::Limit), percent >= 70);
    }
}
