//! Any order, any loss, any crash: what holds of sessions that several nodes share.

use super::register::Found;
use super::seats::{Arrival, SeatId, Seats, Tally};
use super::tenure::{Epoch, FIRST, Tenure, Word, Write, Written};
use crate::domain::{Now, SessionCode};
use crate::server::cluster::{BEAT_EVERY, Beat, GONE_AFTER, RunId, Standing};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What Redis does with a session, in Rust; `scripts` compares it with what Redis does.
#[derive(Debug, Clone, Default)]
pub(super) struct Register(BTreeMap<SessionCode, Record>);

#[derive(Debug, Clone)]
struct Record {
    owner: Option<RunId>,
    epoch: Epoch,
    state: Option<Arc<str>>,
}

impl Register {
    pub(super) fn write(&mut self, run: RunId, write: &Write) -> Written {
        if let Some(Record { owner, epoch, .. }) = self.0.get(&write.code) {
            let fenced = if *owner == Some(run) { *epoch > write.epoch } else { *epoch >= write.epoch };
            if fenced {
                return Written::Fenced;
            }
        }
        let (owner, state) = match &write.word {
            Word::State(state) => (Some(run), Some(Arc::clone(state))),
            Word::Free(state) => (None, Some(Arc::clone(state))),
            Word::Over => (None, None),
        };
        self.0.insert(write.code, Record { owner, epoch: write.epoch, state });
        Written::Kept
    }

    pub(super) fn take(
        &mut self,
        run: RunId,
        code: SessionCode,
        may_take: bool,
        lives: impl Fn(RunId) -> bool,
    ) -> Found {
        if !lives(run) {
            return Found::Wait;
        }
        let Some(record) = self.0.get_mut(&code) else { return Found::None };
        let Some(state) = record.state.clone() else { return Found::None };
        match record.owner {
            Some(owner) if owner == run => return Found::Taken(record.epoch, state.to_string()),
            Some(owner) if lives(owner) => return Found::Owned(owner),
            _ if !may_take => return Found::Wait,
            Some(_) | None => {}
        }
        (record.owner, record.epoch) = (Some(run), record.epoch + 1);
        Found::Taken(record.epoch, state.to_string())
    }
}

const NODES: usize = 3;
const CODES: usize = 2;

/// What becomes of something on its way to Redis and back.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    AnswerLost,
    Lost,
}

#[derive(Debug, Clone)]
enum Step {
    Found(usize, usize),
    Change(usize, usize),
    End(usize, usize),
    GiveUp(usize, usize),
    Write(usize, Fate),
    Take(usize, usize, Fate),
    /// Half a second passes, with heartbeats of those who can reach Redis.
    Pass,
    Cut(usize),
    Mend(usize),
    Crash(usize),
    Empty,
}

fn step() -> impl Strategy<Value = Step> {
    let (node, code) = (0..NODES, 0..CODES);
    let fate = prop_oneof![4 => Just(Fate::Arrives), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::Lost)];
    prop_oneof![
        2 => (node.clone(), code.clone()).prop_map(|(node, code)| Step::Found(node, code)),
        4 => (node.clone(), code.clone()).prop_map(|(node, code)| Step::Change(node, code)),
        1 => (node.clone(), code.clone()).prop_map(|(node, code)| Step::End(node, code)),
        1 => (node.clone(), code.clone()).prop_map(|(node, code)| Step::GiveUp(node, code)),
        6 => (node.clone(), fate.clone()).prop_map(|(node, fate)| Step::Write(node, fate)),
        4 => (node.clone(), code, fate).prop_map(|(node, code, fate)| Step::Take(node, code, fate)),
        8 => Just(Step::Pass),
        1 => node.clone().prop_map(Step::Cut),
        2 => node.clone().prop_map(Step::Mend),
        1 => node.prop_map(Step::Crash),
        1 => Just(Step::Empty),
    ]
}

/// Nodes and a Redis.
struct World {
    now: Now,
    runs: u64,
    nodes: Vec<Node>,
    register: Register,
    /// Until when heartbeats hold.
    beats: BTreeMap<RunId, Now>,
    founded: [bool; CODES],
    /// Who wrote with which epoch, until Redis forgets.
    writers: BTreeMap<(SessionCode, Epoch), RunId>,
    states: u64,
}

struct Node {
    run: RunId,
    tenure: Tenure,
    standing: Standing,
    cut: bool,
}

fn code(number: usize) -> SessionCode {
    SessionCode::from_random(number as u64)
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: Now::default(),
            runs: 0,
            nodes: Vec::new(),
            register: Register::default(),
            beats: BTreeMap::new(),
            founded: [false; CODES],
            writers: BTreeMap::new(),
            states: 0,
        };
        world.nodes = (0..NODES).map(|_| world.node()).collect();
        world
    }

    fn node(&mut self) -> Node {
        self.runs += 1;
        Node {
            run: RunId::from_random(self.runs),
            tenure: Tenure::default(),
            standing: Standing::default(),
            cut: false,
        }
    }

    fn state(&mut self) -> Arc<str> {
        self.states += 1;
        self.states.to_string().into()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            // Codes are random: nobody makes one that is in use.
            Step::Found(node, number) if !std::mem::replace(&mut self.founded[number], true) => {
                let state = self.state();
                self.nodes[node].tenure.hold(code(number), FIRST, state);
                self.change(node, number);
            }
            Step::Found(..) => {}
            Step::Change(node, number) => self.change(node, number),
            Step::End(node, number) => self.nodes[node].tenure.say(code(number), Word::Over),
            Step::GiveUp(node, number) => {
                let state = self.state();
                self.nodes[node].tenure.say(code(number), Word::Free(state));
            }
            Step::Write(node, fate) => drop(self.write(node, fate)),
            Step::Take(node, number, fate) => self.take(node, number, fate),
            Step::Pass => self.pass(),
            Step::Cut(node) => self.nodes[node].cut = true,
            Step::Mend(node) => self.nodes[node].cut = false,
            Step::Crash(node) => self.nodes[node] = self.node(),
            Step::Empty => {
                self.register = Register::default();
                self.beats.clear();
                self.writers.clear();
            }
        }
    }

    fn change(&mut self, node: usize, number: usize) {
        let state = self.state();
        self.nodes[node].tenure.say(code(number), Word::State(state));
    }

    /// `false`: nothing was to be written.
    fn write(&mut self, node: usize, fate: Fate) -> bool {
        let Node { run, tenure, cut, .. } = &mut self.nodes[node];
        let Some(write) = tenure.next() else { return false };
        let fate = if *cut { Fate::Lost } else { fate };
        let written = match fate {
            Fate::Arrives | Fate::AnswerLost => self.register.write(*run, &write),
            Fate::Lost => Written::Lost,
        };
        if written == Written::Kept {
            let first = *self.writers.entry((write.code, write.epoch)).or_insert(*run);
            assert_eq!(first, *run, "two nodes wrote with one epoch");
            let newest = self.writers.range((write.code, 0)..=(write.code, Epoch::MAX)).next_back().unwrap();
            assert_eq!(newest.0.1, write.epoch, "one that was fenced wrote");
        }
        let heard = if matches!(fate, Fate::Arrives) { written } else { Written::Lost };
        tenure.written(&write, heard);
        true
    }

    fn take(&mut self, node: usize, number: usize, fate: Fate) {
        let Node { run, tenure, standing, cut } = &mut self.nodes[node];
        if *cut || matches!(fate, Fate::Lost) || tenure.holds(code(number)) {
            return;
        }
        let (beats, now) = (&self.beats, self.now);
        let lives = |run| beats.get(&run).is_some_and(|until| *until > now);
        let found = self.register.take(*run, code(number), standing.is_settled(now), lives);
        if let (Found::Taken(epoch, state), Fate::Arrives) = (found, fate) {
            tenure.hold(code(number), epoch, state.into());
        }
    }

    fn pass(&mut self) {
        self.now = self.now + BEAT_EVERY;
        self.beats.retain(|_, until| *until > self.now);
        for node in &mut self.nodes {
            let beat = match (node.cut, self.beats.contains_key(&node.run)) {
                (true, _) => Beat::Failed,
                (false, true) => Beat::Kept,
                (false, false) => Beat::Fresh,
            };
            if !node.cut {
                self.beats.insert(node.run, self.now + GONE_AFTER);
            }
            let gaps = node.standing.gaps();
            node.standing.beat(beat, self.now);
            if node.standing.gaps() != gaps {
                node.tenure.say_everything();
            }
        }
    }

    /// Everybody reaches Redis again, and everything is said twice.
    fn heal(&mut self) {
        for node in &mut self.nodes {
            node.cut = false;
        }
        for _ in 0..2 {
            self.pass();
            for node in 0..NODES {
                self.nodes[node].tenure.say_everything();
                while self.write(node, Fate::Arrives) {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_session_has_one_writer_an_epoch_and_one_owner_in_the_end(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.writers.clear();
        world.heal();
        for number in 0..CODES {
            let owners = world.nodes.iter().filter(|node| node.tenure.holds(code(number))).count();
            prop_assert!(owners <= 1, "{owners} own it");
        }
    }

    #[test]
    fn a_session_is_had_again_once_its_owner_is_gone(before in 0_usize..6, emptied: bool) {
        let mut world = World::new();
        world.step(&Step::Found(0, 0));
        world.step(&Step::Pass);
        world.write(0, Fate::Arrives);
        (0..before).for_each(|_| world.pass());
        if emptied {
            world.step(&Step::Empty);
            world.pass();
            world.write(0, Fate::Arrives);
        }
        world.step(&Step::Crash(0));
        for passed in 0..12 {
            world.pass();
            world.take(1, 0, Fate::Arrives);
            if world.nodes[1].tenure.holds(code(0)) {
                prop_assert!((passed + 1) * BEAT_EVERY >= GONE_AFTER, "not before it is gone");
                return Ok(());
            }
        }
        prop_assert!(false, "nobody has it");
    }
}

/// What goes between two nodes.
#[derive(Debug, Clone)]
enum Parcel {
    At(SeatId, u64),
    Left(SeatId),
    Tally(Tally),
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Open,
    Say { to_owner: bool, seat: u64 },
    Leave { edge: bool, seat: u64 },
    Deliver { to_owner: bool },
    Lose { to_owner: bool },
    Tick { edge: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Open),
        6 => (any::<bool>(), 1..4_u64).prop_map(|(to_owner, seat)| Event::Say { to_owner, seat }),
        1 => (any::<bool>(), 1..4_u64).prop_map(|(edge, seat)| Event::Leave { edge, seat }),
        10 => any::<bool>().prop_map(|to_owner| Event::Deliver { to_owner }),
        1 => any::<bool>().prop_map(|to_owner| Event::Lose { to_owner }),
        2 => any::<bool>().prop_map(|edge| Event::Tick { edge }),
    ]
}

/// A node with sockets, a node with their sessions, and the ways between.
struct Pair {
    now: Now,
    runs: [RunId; 2],
    ends: [Seats; 2],
    /// What is on its way to each.
    ways: [VecDeque<Parcel>; 2],
    opened: u64,
    /// What arrived at each, by seat.
    heard: [BTreeMap<SeatId, u64>; 2],
}

const EDGE: usize = 0;
const OWNER: usize = 1;

impl Pair {
    fn new() -> Self {
        Self {
            now: Now::default(),
            runs: [RunId::from_random(1), RunId::from_random(2)],
            ends: [Seats::default(), Seats::default()],
            ways: [VecDeque::new(), VecDeque::new()],
            opened: 0,
            heard: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    fn seat(&self, number: u64) -> SeatId {
        SeatId { edge: self.runs[EDGE], number }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Open => {
                self.opened += 1;
                let seat = self.seat(self.opened);
                self.ends[EDGE].open(seat, self.runs[OWNER], self.now);
                self.say(EDGE, seat);
            }
            Event::Say { to_owner, seat } => self.say(if to_owner { EDGE } else { OWNER }, self.seat(seat)),
            Event::Leave { edge, seat } => {
                let (me, seat) = (if edge { EDGE } else { OWNER }, self.seat(seat));
                if self.ends[me].close(seat).is_some() {
                    self.ways[1 - me].push_back(Parcel::Left(seat));
                }
            }
            Event::Deliver { to_owner } => drop(self.deliver(if to_owner { OWNER } else { EDGE })),
            Event::Lose { to_owner } => drop(self.ways[if to_owner { OWNER } else { EDGE }].pop_front()),
            Event::Tick { edge } => self.tick(if edge { EDGE } else { OWNER }),
        }
    }

    fn say(&mut self, me: usize, seat: SeatId) {
        if let Some((_, number)) = self.ends[me].send(seat) {
            self.ways[1 - me].push_back(Parcel::At(seat, number));
        }
    }

    fn tick(&mut self, me: usize) {
        for (_, tally) in self.ends[me].tallies() {
            self.ways[1 - me].push_back(Parcel::Tally(tally));
        }
    }

    fn deliver(&mut self, me: usize) -> bool {
        let Some(parcel) = self.ways[me].pop_front() else { return false };
        let from = self.runs[1 - me];
        match parcel {
            Parcel::At(seat, number) => {
                if me == OWNER && number == 1 {
                    self.ends[me].open(seat, from, self.now);
                }
                match self.ends[me].receive(seat, from, number) {
                    Arrival::Next => {
                        let heard = self.heard[me].entry(seat).or_default();
                        assert_eq!(number, *heard + 1, "in order, and whole");
                        *heard = number;
                    }
                    Arrival::Broken | Arrival::Unknown => self.ways[1 - me].push_back(Parcel::Left(seat)),
                }
            }
            Parcel::Left(seat) => drop(self.ends[me].close(seat)),
            Parcel::Tally(tally) => {
                let (broken, unknown) = self.ends[me].compare(from, &tally, self.runs[me]);
                for seat in broken.into_iter().chain(unknown) {
                    self.ways[1 - me].push_back(Parcel::Left(seat));
                }
            }
        }
        true
    }

    fn settle(&mut self) {
        for _ in 0..3 {
            self.tick(EDGE);
            self.tick(OWNER);
            while self.deliver(EDGE) | self.deliver(OWNER) {}
        }
    }

    fn known(&mut self, me: usize) -> BTreeMap<SeatId, u64> {
        self.ends[me].tallies().into_values().flatten().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_arrives_at_a_seat_is_in_order_and_both_ends_agree_on_what_was_lost(
        events in prop::collection::vec(event(), 1..120)
    ) {
        let mut pair = Pair::new();
        let lossless = !events.iter().any(|event| matches!(event, Event::Lose { .. } | Event::Leave { .. }));
        for event in events {
            pair.event(event);
        }
        pair.settle();
        let (edge, owner) = (pair.known(EDGE), pair.known(OWNER));
        for (seat, sent) in &owner {
            prop_assert!(edge.contains_key(seat), "the owner alone has it");
            prop_assert_eq!(pair.heard[EDGE].get(seat).copied().unwrap_or_default(), *sent);
        }
        for (seat, sent) in &edge {
            // Until an answer comes, an edge waits for it, and not for ever: see `Shared::enter`.
            let waits = !pair.heard[EDGE].contains_key(seat);
            prop_assert!(owner.contains_key(seat) || waits, "the edge alone has it");
            prop_assert!(waits || pair.heard[OWNER].get(seat) == Some(sent));
        }
        if lossless {
            prop_assert_eq!(edge.len() as u64, pair.opened, "nothing breaks where nothing is lost");
        }
    }
}

#[test]
fn a_node_that_says_nothing_breaks_what_is_shared_with_it() {
    let mut pair = Pair::new();
    pair.event(Event::Open);
    pair.settle();
    let seat = pair.seat(1);
    let after = |time| Now::default() + time;
    assert!(pair.ends[EDGE].silent(after(GONE_AFTER)).is_empty());
    let other = pair.runs[OWNER];
    pair.ends[EDGE].hear(other, after(Duration::from_secs(1)));
    assert!(pair.ends[EDGE].silent(after(GONE_AFTER + Duration::from_millis(900))).is_empty());
    assert_eq!(pair.ends[EDGE].silent(after(GONE_AFTER + Duration::from_millis(1_100))), [seat]);
    assert_eq!(pair.ends[OWNER].gone(pair.runs[EDGE]), [seat]);
    assert!(pair.ends[OWNER].interrupted().is_empty());
}
