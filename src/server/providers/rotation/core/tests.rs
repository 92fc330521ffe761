use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// How long someone goes on with what they read of the disk before.
const BEHIND: Duration = Duration::from_mins(2);

const WEEKLY: Rules = Rules { every: Duration::from_hours(7 * 24), life: Duration::from_hours(48) };

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Done,
    Failed { done: bool, leave_alone: bool },
    Crashed { done: bool },
}

/// A provider, a disk, and those who have credentials.
struct World {
    now: UnixMillis,
    rules: Rules,
    provider: BTreeMap<KeyId, KeyName>,
    disk: Ring,
    /// The key that signed before, and until when someone may still sign with it.
    stale: Option<(KeyId, UnixMillis)>,
    /// When the last credential of a key ends.
    live_until: BTreeMap<KeyId, UnixMillis>,
    rotation: Rotation,
    count: u64,
}

impl World {
    fn new(rules: Rules) -> Self {
        let rotation = Rotation::new(Ring::default(), rules);
        Self {
            now: START,
            rules,
            provider: BTreeMap::new(),
            disk: Ring::default(),
            stale: None,
            live_until: BTreeMap::new(),
            rotation,
            count: 0,
        }
    }

    fn fresh(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn restart(&mut self) {
        self.rotation = Rotation::new(self.disk.clone(), self.rules);
    }

    fn next(&mut self) -> Step {
        let name = KeyName::from_random(self.fresh());
        self.rotation.next(self.now, name)
    }

    fn current(&self) -> Option<&KeyId> {
        self.disk.current.as_ref().map(|key| &key.id)
    }

    /// Credentials are signed, by someone who is up to date and by someone who is not.
    fn sign(&mut self) {
        let stale = self.stale.as_ref().filter(|(_, until)| self.now < *until).map(|(id, _)| id);
        for id in self.current().into_iter().chain(stale).cloned().collect::<Vec<_>>() {
            assert!(self.provider.contains_key(&id), "a key signs that the provider does not have");
            self.live_until.insert(id, self.now.plus(self.rules.life));
        }
    }

    fn store(&mut self, ring: &Ring) {
        let before = self.current().cloned();
        self.disk = ring.clone();
        if before.as_ref() != self.current() {
            assert!(self.current().is_some(), "there was a key, and there is none");
            self.stale = before.map(|id| (id, self.now.plus(BEHIND)));
        }
    }

    fn delete(&mut self, key: &Listed) {
        let live = self.live_until.get(&key.id).is_some_and(|until| self.now <= *until);
        assert!(!live && self.current() != Some(&key.id), "a key is deleted whose credentials live");
        self.provider.remove(&key.id);
    }

    /// Carries a step out, or part of it.
    fn carry_out(&mut self, step: &Step, fate: Fate) {
        let (done, heard) = match fate {
            Fate::Done => (true, true),
            Fate::Failed { done, .. } | Fate::Crashed { done } => (done, false),
        };
        let made = KeyId(self.fresh().to_string());
        match step {
            Step::Store(ring) if done => self.store(ring),
            Step::Create(name) if done => drop(self.provider.insert(made.clone(), name.clone())),
            Step::Delete(key) if done => self.delete(key),
            Step::Store(_) | Step::Create(_) | Step::Delete(_) | Step::List | Step::Prove(_) => {}
            Step::Wait(until) => {
                assert!(*until > self.now, "it waits for nothing");
                return;
            }
        }
        match fate {
            Fate::Crashed { .. } => self.restart(),
            Fate::Failed { leave_alone, .. } => {
                self.rotation.failed(step, leave_alone.then_some(Duration::from_mins(10)), self.now);
            }
            Fate::Done => {}
        }
        if !heard {
            return;
        }
        match step {
            Step::Store(_) => self.rotation.stored(),
            Step::List => {
                let listed = self.provider.iter().map(|(id, name)| Listed { name: name.clone(), id: id.clone() });
                let listed = listed.collect();
                self.rotation.listed(listed, self.now);
            }
            Step::Create(name) => self.rotation.created(name.clone(), made, "s".into(), self.now),
            Step::Prove(_) => self.rotation.proved(),
            Step::Delete(key) => self.rotation.deleted(key.clone()),
            Step::Wait(_) => {}
        }
    }

    /// Lets everything succeed until there is nothing to do.
    fn settle(&mut self) {
        for _ in 0..100 {
            let step = self.next();
            if matches!(step, Step::Wait(_)) {
                return;
            }
            self.carry_out(&step, Fate::Done);
        }
        panic!("it never comes to rest");
    }

    /// Lets time pass, in which everything succeeds and credentials are signed.
    fn live(&mut self, time: Duration) {
        let end = self.now.plus(time);
        loop {
            self.settle();
            self.sign();
            let Step::Wait(until) = self.next() else { unreachable!() };
            if until > end {
                self.now = end;
                return;
            }
            self.now = until;
        }
    }

    fn check(&self) {
        assert!(self.disk.keys().count() <= MOST_KEYS);
        assert!(self.provider.len() <= MOST_KEYS + 1, "{:?}", self.provider);
        assert!(self.current().is_none_or(|id| self.provider.contains_key(id)), "the key that signs is gone");
    }
}

#[test]
fn the_first_key_is_made_at_once_and_each_next_one_when_it_is_due() {
    let mut world = World::new(WEEKLY);
    world.settle();
    let first = world.current().unwrap().clone();
    world.live(DAY * 6);
    assert_eq!((world.current(), world.provider.len()), (Some(&first), 1));
    world.live(DAY + HOUR);
    assert!(world.current() != Some(&first) && world.provider.contains_key(&first), "both work side by side");
    // The last credential of it ends 48 h after the change.
    world.live(HOUR * 46);
    assert!(world.provider.contains_key(&first));
    world.live(HOUR * 3);
    assert_eq!(world.provider.keys().collect::<Vec<_>>(), [world.current().unwrap()]);
    world.live(DAY * 365);
    assert!(world.provider.len() <= 2 && world.live_until.len() > 50);
}

#[test]
fn steps_come_in_an_order_that_a_crash_cannot_hurt() {
    let mut world = World::new(WEEKLY);
    let mut steps = Vec::new();
    loop {
        let step = world.next();
        steps.push(match &step {
            Step::Store(ring) if ring.making.is_some() => "store the name",
            Step::Store(ring) if ring.next.is_some() => "store the key",
            Step::Store(_) => "let it sign",
            Step::List => "list",
            Step::Create(_) => "create",
            Step::Prove(_) => "prove",
            Step::Delete(_) => "delete",
            Step::Wait(_) => break,
        });
        world.carry_out(&step, Fate::Done);
    }
    assert_eq!(steps, ["store the name", "list", "create", "store the key", "prove", "let it sign"]);
}

#[test]
fn a_key_that_was_made_and_lost_is_deleted_before_another_one_is_made() {
    let mut world = World::new(WEEKLY);
    while !matches!(world.next(), Step::Create(_)) {
        let step = world.next();
        world.carry_out(&step, Fate::Done);
    }
    world.restart();
    let mut crashed = false;
    for _ in 0..20 {
        let step = world.next();
        let fate = if matches!(step, Step::Create(_)) && !crashed {
            crashed = true;
            Fate::Crashed { done: true }
        } else {
            Fate::Done
        };
        world.carry_out(&step, fate);
        assert!(world.provider.len() <= 1);
    }
    assert!(crashed && world.current().is_some());
}

#[test]
fn keys_of_others_are_left_alone() {
    let mut world = World::new(WEEKLY);
    let others = KeyId("others".to_owned());
    world.provider.insert(others.clone(), KeyName::from_random(u64::MAX));
    world.live(DAY * 30);
    assert!(world.provider.contains_key(&others));
}

#[test]
fn a_key_that_the_operator_deleted_is_replaced() {
    let mut world = World::new(WEEKLY);
    world.live(DAY);
    let gone = world.current().unwrap().clone();
    world.provider.remove(&gone);
    // What it signs until that is noticed fails, so it is not signed with here.
    world.now = world.now.plus(DAY);
    world.settle();
    assert!(world.current() != Some(&gone) && world.provider.contains_key(world.current().unwrap()));
    world.stale = None;
    world.live(DAY * 3);
    assert_eq!(world.disk.keys().count(), 1);
}

#[test]
fn a_new_key_that_is_gone_before_it_proved_is_made_anew() {
    let mut world = World::new(WEEKLY);
    let prove = loop {
        let step = world.next();
        if matches!(step, Step::Prove(_)) {
            break step;
        }
        world.carry_out(&step, Fate::Done);
    };
    world.provider.clear();
    let refused = Fate::Failed { done: false, leave_alone: false };
    world.carry_out(&prove, refused);
    let mut signs = false;
    for _ in 0..200 {
        let step = world.next();
        let unknown = matches!(step, Step::Prove(_)) && world.provider.is_empty();
        if let Step::Wait(until) = step {
            world.now = until;
        } else {
            world.carry_out(&step, if unknown { refused } else { Fate::Done });
        }
        signs = signs || world.current().is_some_and(|id| world.provider.contains_key(id));
    }
    assert!(signs);
    world.check();
}

#[test]
fn credentials_that_live_longer_from_now_on_keep_the_key_longer() {
    let mut world = World::new(WEEKLY);
    world.settle();
    let first = world.current().unwrap().clone();
    world.rules.life = DAY * 20;
    world.restart();
    world.live(DAY * 7 + HOUR);
    world.rules.life = DAY;
    world.restart();
    world.live(DAY * 19);
    assert!(world.provider.contains_key(&first), "what it signed for 20 days lives");
    world.live(DAY * 2);
    assert!(!world.provider.contains_key(&first));
}

#[test]
fn where_credentials_outlive_keys_the_keys_live_longer() {
    let mut world = World::new(Rules { every: HOUR, life: DAY * 2 });
    world.live(DAY * 20);
    assert_eq!(world.provider.len(), MOST_KEYS);
    world.check();
}

#[test]
fn a_clock_that_was_ahead_stops_nothing() {
    let mut world = World::new(WEEKLY);
    world.live(DAY);
    world.now = START.plus(DAY * 3_650);
    world.settle();
    let made_ahead = world.current().unwrap().clone();
    world.now = START.plus(DAY * 2);
    world.stale = None;
    world.settle();
    world.live(DAY * 7 + HOUR);
    assert!(world.current() != Some(&made_ahead), "it is replaced a period after the clock was put right");
}

#[test]
fn what_fails_is_tried_again_after_longer_and_longer_pauses() {
    let mut world = World::new(WEEKLY);
    let failed = Fate::Failed { done: false, leave_alone: false };
    let (mut pauses, mut since) = (Vec::new(), world.now);
    while pauses.len() < 9 {
        let step = world.next();
        if let Step::Wait(until) = step {
            world.now = until;
        } else if matches!(step, Step::Create(_)) {
            pauses.push(since.until(world.now).as_secs());
            since = world.now;
            world.carry_out(&step, failed);
        } else {
            world.carry_out(&step, Fate::Done);
        }
    }
    assert_eq!(pauses, [0, 30, 60, 120, 240, 480, 960, 1_920, 3_600]);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Done),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(done, leave_alone)| Fate::Failed { done, leave_alone }),
        1 => any::<bool>().prop_map(|done| Fate::Crashed { done }),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let hours = |range: std::ops::Range<u64>| range.prop_map(Duration::from_hours);
    (hours(1..24 * 40_u64), hours(1..24 * 4_u64)).prop_map(|(every, life)| Rules { every, life })
}

proptest! {
    #[test]
    fn whatever_fails_and_whenever_it_dies(
        rules in rules(),
        fates in prop::collection::vec((fate(), prop::option::weighted(0.3, 0..3_600_000_u64)), 1..300),
    ) {
        let mut world = World::new(rules);
        for (fate, passes) in fates {
            world.sign();
            let step = world.next();
            if let Step::Wait(until) = step {
                prop_assert!(until > world.now);
                world.now = until;
                continue;
            }
            world.carry_out(&step, fate);
            world.check();
            world.now = world.now.plus(Duration::from_millis(passes.unwrap_or(5)));
        }
        // Once nothing fails any more there is a key that signs, and nothing is left over.
        let pause = Duration::from_hours(2);
        world.now = world.now.plus(pause);
        world.restart();
        world.live(rules.every.max(rules.life) * 2 + DAY * 2);
        world.settle();
        let ours: Vec<_> = world.disk.keys().map(|key| key.id.clone()).collect();
        prop_assert!(world.current().is_some());
        prop_assert!(world.provider.keys().all(|id| ours.contains(id)), "a key was left behind");
        let age = world.disk.current.as_ref().unwrap().created_at.until(world.now);
        prop_assert!(age <= rules.every.max(rules.life + DAY), "it turns no more");
    }
}
