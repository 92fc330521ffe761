//! Three machines and one limit under any history: requests that are lost, late, doubled or out of order, machines that crash, are cut
//! off or gone, and a Redis that forgets everything.

use super::table::{Reply, Request, Table, YOUNG_FOR};
use super::*;
use proptest::prelude::*;
use proptest::sample::Index;

/// About three times what one machine holds idle where there is plenty.
const LIMIT: u64 = 3_000_000_000;

/// The longest that a machine which is in touch goes without telling: its pauses and a request that gets no answer.
const TELLS_WITHIN: u64 = 2_500;

#[derive(Debug, Clone)]
enum Step {
    /// Somebody is promised so much, as far as it goes.
    Promise { who: usize, bytes: u64 },
    /// So much of what is promised is used.
    Use { who: usize, bytes: u64 },
    /// Promises lapse.
    Release { who: usize },
    /// What is needed gets to disk.
    Write { who: usize },
    /// A request goes out.
    Tell { who: usize },
    /// Any request that is under way arrives, and stays to arrive again.
    Arrive { which: Index },
    /// The answer to the last request arrives.
    Hear { who: usize },
    /// Killed, and started again with what is on disk.
    Crash { who: usize },
    /// Everybody who is in touch tells and is answered.
    Beat,
    /// Time passes.
    Wait { millis: u64 },
    /// Redis is emptied.
    Flush,
    /// No request of theirs arrives any more, or they arrive again.
    Cut { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..3_usize;
    prop_oneof![
        8 => (who(), 0..400_000_000_u64).prop_map(|(who, bytes)| Step::Promise { who, bytes }),
        8 => (who(), 0..300_000_000_u64).prop_map(|(who, bytes)| Step::Use { who, bytes }),
        2 => who().prop_map(|who| Step::Release { who }),
        3 => who().prop_map(|who| Step::Write { who }),
        8 => who().prop_map(|who| Step::Tell { who }),
        8 => any::<Index>().prop_map(|which| Step::Arrive { which }),
        8 => who().prop_map(|who| Step::Hear { who }),
        1 => who().prop_map(|who| Step::Crash { who }),
        3 => Just(Step::Beat),
        3 => (0..2_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Flush),
        1 => who().prop_map(|who| Step::Cut { who }),
    ]
}

struct Machine {
    name: NodeName,
    several: Several,
    used: u64,
    reserved: u64,
    /// What a process after this one would begin with.
    disk: BTreeMap<NodeName, Figures>,
    told: u64,
    asked: Option<u64>,
    heard_at: u64,
    sent_at: u64,
    with_others: bool,
    cut: bool,
}

impl Machine {
    fn new(number: usize) -> Self {
        Self {
            name: format!("{number:016x}").parse().unwrap(),
            several: Several::default(),
            used: 0,
            reserved: 0,
            disk: BTreeMap::new(),
            told: 0,
            asked: None,
            heard_at: 0,
            sent_at: 0,
            with_others: false,
            cut: false,
        }
    }

    fn needs(&self) -> [Need; 1] {
        [Need {
            account: Account::Month,
            limit: ByteCount::new(LIMIT),
            used: ByteCount::new(self.used),
            reserved: ByteCount::new(self.reserved),
        }]
    }

    fn lent(&self) -> u64 {
        self.several.lent(&Account::Month, ByteCount::new(self.used)).get()
    }

    fn held(&self) -> u64 {
        self.used + self.lent()
    }
}

struct World {
    machines: Vec<Machine>,
    table: Table,
    under_way: Vec<Request>,
    answers: Vec<(NodeName, u64, Reply)>,
}

impl World {
    fn new() -> Self {
        let machines = (0..3).map(Machine::new).collect();
        Self { machines, table: Table::default(), under_way: Vec::new(), answers: Vec::new() }
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Promise { who, bytes } => {
                let machine = &mut self.machines[who];
                machine.reserved += bytes.min(machine.lent().saturating_sub(machine.reserved));
            }
            Step::Use { who, bytes } => {
                let machine = &mut self.machines[who];
                let bytes = bytes.min(machine.reserved);
                (machine.used, machine.reserved) = (machine.used + bytes, machine.reserved - bytes);
            }
            Step::Release { who } => self.machines[who].reserved = 0,
            Step::Write { who } => {
                let machine = &mut self.machines[who];
                let figures = machine.several.write(&machine.needs());
                machine.several.is_written(&figures);
                machine.disk = machine.several.others().clone();
                machine.disk.insert(machine.name.clone(), figures);
            }
            Step::Tell { who } => self.tell(who),
            Step::Arrive { which } => {
                if !self.under_way.is_empty() {
                    self.arrive(which.get(&self.under_way).clone());
                }
            }
            Step::Hear { who } => self.hear(who),
            Step::Crash { who } => {
                let machine = &mut self.machines[who];
                machine.several = Several::of(&machine.name, machine.disk.clone());
                (machine.reserved, machine.asked) = (0, None);
                let needs = machine.needs();
                machine.several.begin_anew(&needs);
                // Its clock goes on.
                machine.told += 1_000;
            }
            Step::Beat => (0..3)
                .filter(|who| !self.machines[*who].cut)
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|who| self.beat(who)),
            Step::Wait { millis } => self.wait(millis),
            Step::Flush => self.table.empty(),
            Step::Cut { who } => self.machines[who].cut ^= true,
        }
    }

    fn tell(&mut self, who: usize) {
        let machine = &mut self.machines[who];
        let is_new = machine.several.is_new();
        machine.told += 1;
        machine.asked = Some(machine.told);
        machine.sent_at = self.table.now;
        let others = if machine.with_others { machine.several.others().clone() } else { BTreeMap::new() };
        let (needs, figures) = (machine.needs(), Figures::from([(Figure::Counted(None), machine.used)]));
        let wishes = machine.several.ask(&needs, Idle::At { rate: 0 });
        let (node, told) = (machine.name.clone(), machine.told);
        self.under_way.push(Request { node, told, is_new, figures, others, wishes });
    }

    fn arrive(&mut self, request: Request) {
        if self.machines.iter().any(|machine| machine.name == request.node && machine.cut) {
            return;
        }
        let reply = self.table.tell(&request);
        self.answers.push((request.node, request.told, reply));
    }

    fn hear(&mut self, who: usize) {
        let machine = &mut self.machines[who];
        let mine = |(name, told, _): &&(NodeName, u64, Reply)| *name == machine.name && Some(*told) == machine.asked;
        let Some((_, _, reply)) = self.answers.iter().find(mine).cloned() else { return };
        machine.asked = None;
        match reply {
            Reply::Stale(known) => machine.told = machine.told.max(known),
            Reply::Told { unknown, lent, others } => {
                machine.several.lend(lent);
                machine.several.hear(others);
                machine.with_others = unknown;
                machine.heard_at = machine.sent_at;
            }
        }
    }

    /// A request, its way and its answer.
    fn beat(&mut self, who: usize) {
        self.tell(who);
        let request = self.under_way.last().cloned().unwrap();
        self.arrive(request);
        self.hear(who);
    }

    /// Whoever is in touch tells now and then; whoever is not gives up everything once it is time.
    fn wait(&mut self, millis: u64) {
        self.table.now += millis;
        let lapses = u64::try_from(LAPSES_AFTER.as_millis()).unwrap();
        for who in 0..3 {
            let machine = &mut self.machines[who];
            if self.table.now - machine.heard_at >= lapses {
                let needs = machine.needs();
                machine.several.lapse(&needs);
                machine.reserved = 0;
            } else if !machine.cut && self.table.now - machine.sent_at >= TELLS_WITHIN {
                self.beat(who);
            }
        }
    }

    fn taken(&self) -> u64 {
        self.machines.iter().map(|machine| machine.used + machine.reserved).sum()
    }
}

fn histories() -> u32 {
    if std::env::var_os("TESSRO_AT_LENGTH").is_some() { 2_500 } else { 200 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: histories(), max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    /// Nothing is forgotten: whatever happens to machines and messages, not one byte too many is promised.
    #[test]
    fn what_all_have_used_and_promised_never_passes_the_limit(steps in prop::collection::vec(step(), 300)) {
        let mut world = World::new();
        for step in steps.iter().filter(|step| !matches!(step, Step::Flush)) {
            world.play(step);
            prop_assert!(world.taken() <= LIMIT, "{} too much", world.taken() - LIMIT);
            let held: u64 = world.machines.iter().map(Machine::held).sum();
            prop_assert!(held <= LIMIT, "{} too much is held", held - LIMIT);
        }
    }

    /// Redis forgets everything, as often as it likes: whoever is in touch tells it anew before anything is lent again. A machine that was
    /// cut off at that moment may hold more than the others had heard of; a limit is passed by that at most.
    #[test]
    fn an_emptied_redis_lends_nothing_twice(steps in prop::collection::vec(step(), 300)) {
        let mut world = World::new();
        for who in 0..3 {
            world.beat(who);
        }
        let mut unheard = 0;
        for step in &steps {
            if matches!(step, Step::Flush) {
                let cut = world.machines.iter().filter(|machine| machine.cut);
                unheard += cut.map(Machine::lent).sum::<u64>();
                world.table.empty();
                // Those in touch tell within the time for which nothing is lent.
                prop_assert!(TELLS_WITHIN < YOUNG_FOR);
                world.play(&Step::Beat);
                world.under_way.clear();
            } else {
                world.play(step);
            }
            prop_assert!(world.taken() <= LIMIT + unheard, "{} too much", world.taken() - LIMIT - unheard);
        }
    }

    /// A machine that is gone for an hour: what it held goes to the others, and if it was only cut off, a limit is passed by what it
    /// held, and by no more.
    #[test]
    fn who_is_cut_off_for_long_costs_what_it_held(
        before in prop::collection::vec(step(), 60), after in prop::collection::vec(step(), 200), lives: bool,
    ) {
        let mut world = World::new();
        for step in before.iter().filter(|step| !matches!(step, Step::Flush | Step::Cut { .. })) {
            world.play(step);
        }
        world.play(&Step::Beat);
        world.machines[0].cut = true;
        let lease = world.machines[0].lent();
        let of_the_cut =
            |step: &Step| matches!(step, Step::Promise { who: 0, .. } | Step::Use { who: 0, .. } | Step::Crash { who: 0 });
        let cut_at = world.table.now;
        for step in &after {
            if matches!(step, Step::Flush | Step::Cut { .. }) || of_the_cut(step) && !lives {
                continue;
            }
            world.play(step);
            // An hour and a half in pieces, in which everybody tells.
            world.play(&Step::Wait { millis: 27_000 });
            prop_assert!(world.taken() <= LIMIT + lease, "{} too much", world.taken() - LIMIT - lease);
            let lapsed = world.table.now - cut_at >= 3_600_000;
            prop_assert!(!lapsed || world.machines[0].reserved == 0, "it has given up what it held");
        }
        // It is back, and what it used is known: nobody is lent anything beyond the limit.
        world.machines[0].cut = false;
        let used: u64 = world.machines.iter().map(|machine| machine.used).sum();
        for _ in 0..4 {
            world.play(&Step::Beat);
        }
        let known: u64 = world.machines[1].several.with(std::iter::empty()).values().map(|sum| sum.counted.get()).sum();
        prop_assert_eq!(known + world.machines[1].used, used);
    }
}

/// Whoever needs more gets it while there is some, and what is idle does not keep it from them.
#[test]
fn near_the_limit_what_is_idle_goes_to_who_needs_it() {
    let mut world = World::new();
    for _ in 0..3 {
        world.play(&Step::Beat);
    }
    // The others hold some of it idle; machine 0 wants all there is.
    let mut rounds = 0;
    while world.machines[0].used < LIMIT * 97 / 100 {
        world.play(&Step::Promise { who: 0, bytes: LIMIT });
        world.play(&Step::Use { who: 0, bytes: LIMIT });
        world.play(&Step::Beat);
        rounds += 1;
        assert!(rounds < 60, "{} of {LIMIT} after {rounds} s", world.machines[0].used);
    }
    assert!(world.taken() <= LIMIT);
}
