//! The cap under any interleaving and any crash: a million steps of people who ask, relay, leave and lie still, against limits of
//! every kind.
//!
//! Three worlds. In one everybody stops where their promise ends, and in another a relay stops them all where its promises together
//! end, as the built-in one does: the limit of all is never passed. In the third bytes are known only afterwards, as with providers
//! far away: limits are passed by what nobody had promised, and by nothing else.
//!
//! Strangers relay as well, in between, and what they relay never comes to more than their share of a month and what nobody had
//! promised to them: at the relay in this process, which asks whether they go on, what one of them sends between two looks.

use super::tests::Books;
use super::*;
use crate::server::usage::ProviderLimits;
use proptest::prelude::*;

const LIMIT: u64 = 50_000_000;
const OF_TWILIO: u64 = 10_000_000;
const OF_A_SESSION: u64 = 20_000_000;
const OF_STRANGERS: u64 = LIMIT / 20;
/// What somebody sends at most before it is looked at again.
const PIECE: u64 = 3_000_000;

#[derive(Debug, Clone)]
enum Step {
    Ask { who: u64, where_: usize, stranger: bool },
    Relay { who: u64, where_: usize, stranger: bool, bytes: u64 },
    Leave { who: u64 },
    Wait { millis: u64 },
    Tick,
    Crash,
    NextMonth,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..12_u64, 0..2_usize, any::<bool>()).prop_map(|(who, where_, stranger)| Step::Ask { who, where_, stranger }),
        8 => (0..12_u64, 0..2_usize, prop::bool::weighted(0.25), 0..PIECE)
            .prop_map(|(who, where_, stranger, bytes)| Step::Relay { who, where_, stranger, bytes }),
        2 => (0..12_u64).prop_map(|who| Step::Leave { who }),
        4 => (0..30_000_u64).prop_map(|millis| Step::Wait { millis }),
        4 => Just(Step::Tick),
        1 => Just(Step::Crash),
        1 => Just(Step::NextMonth),
    ]
}

/// Where whoever relays is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// Where their own promise ends.
    Each,
    /// Where the promises of all at this relay end.
    Together,
    /// Nowhere.
    Never,
}

struct World {
    cap: Cap,
    books: Books,
    now: Now,
    stopped: Stopped,
    /// What was relayed that nobody had promised, this month.
    unpromised: u64,
    /// What of it strangers relayed.
    unpromised_to_strangers: u64,
}

fn limits() -> Limits {
    Limits {
        month: ByteCount::new(LIMIT),
        providers: ProviderLimits::parse("twilio=0.01").unwrap(),
        session: Some(ByteCount::new(OF_A_SESSION)),
        ..Limits::default()
    }
}

fn cap(world: Stopped) -> Cap {
    let mut cap = Cap::new(limits());
    if world == Stopped::Together {
        cap.cuts_here(provider(0));
    }
    cap
}

fn provider(number: usize) -> ProviderName {
    ["cloudflare", "twilio"][number].parse().unwrap()
}

fn participant(who: u64) -> ParticipantId {
    ParticipantId::from_random(who)
}

/// Four people to a session.
fn session(who: u64) -> Party {
    Party::Session(participant(who / 4 * 4))
}

fn holder(who: u64, stranger: bool) -> Holder {
    if stranger { Holder::Stranger(participant(who)) } else { Holder::Participant(participant(who)) }
}

fn parties(who: u64, stranger: bool) -> Vec<Party> {
    vec![if stranger { Party::Strangers } else { session(who) }]
}

impl World {
    fn new(world: Stopped) -> Self {
        let (cap, books, now) = (cap(world), Books::default(), Now::default());
        Self { cap, books, now, stopped: world, unpromised: 0, unpromised_to_strangers: 0 }
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Ask { who, where_, stranger } => {
                let (holder, parties) = (holder(who, stranger), parties(who, stranger));
                let _refused = self.cap.lease(&provider(where_), holder, parties, &self.books, self.now);
            }
            Step::Relay { who, where_, stranger, bytes } => self.relay(who, where_, stranger, bytes),
            Step::Leave { who } => self.cap.release(participant(who)),
            Step::Wait { millis } => self.now = self.now + Duration::from_millis(millis),
            Step::Tick => drop(self.cap.tick(&self.books, self.now)),
            Step::Crash => {
                // What was promised is on disk before it is given away.
                let promises = self.cap.promises().clone();
                self.cap = cap(self.stopped);
                self.cap.restore(promises, self.now);
            }
            Step::NextMonth => {
                (self.books, self.unpromised, self.unpromised_to_strangers) = (Books::default(), 0, 0);
            }
        }
    }

    fn relay(&mut self, who: u64, where_: usize, stranger: bool, bytes: u64) {
        let (holder, parties, provider) = (holder(who, stranger), parties(who, stranger), provider(where_));
        let left = self.cap.leases.get(&(holder, provider.clone())).map_or(0, |lease| lease.left.get());
        let (bytes, promised) = match self.stopped {
            Stopped::Together if where_ == 0 => {
                let all = self.cap.reserved_by(&provider).get();
                // Sessions are looked at in tests of their own: here they may use one another's promises.
                let is_over = stranger && self.cap.goes_on(holder, &parties, &self.books).is_err();
                (if is_over { 0 } else { bytes.min(all) }, all)
            }
            Stopped::Each | Stopped::Together => (bytes.min(left), left),
            Stopped::Never => (bytes, left),
        };
        let beyond = bytes.saturating_sub(promised);
        self.unpromised += beyond;
        self.unpromised_to_strangers += if stranger { beyond } else { 0 };
        self.books.month += bytes;
        *self.books.providers.entry(provider.clone()).or_default() += bytes;
        for party in &parties {
            *self.books.parties.entry(party.clone()).or_default() += bytes;
        }
        self.cap.measured(&provider, holder, &parties, ByteCount::new(bytes), &self.books, self.now);
    }

    fn holds(&self) -> Result<(), TestCaseError> {
        let promised: u64 = self.cap.leases.held.values().map(|lease| lease.left.get()).sum();
        prop_assert_eq!(promised, self.cap.reserved().get());
        let by_provider: u64 = self.cap.promises().values().map(|sum| sum.get()).sum();
        prop_assert_eq!(promised, by_provider);
        // A promise that was made in time is kept, so a limit is passed by what nobody had promised and by nothing else.
        prop_assert!(self.books.month + promised <= LIMIT + self.unpromised);
        let twilio = provider(1);
        prop_assert!(
            self.books.provider(&twilio).get() + self.cap.reserved_by(&twilio).get() <= OF_TWILIO + self.unpromised
        );
        // Where the promises of all are one, a session may use those of another until it is told to stop.
        for who in [0, 4, 8].into_iter().filter(|_| self.stopped != Stopped::Together) {
            prop_assert!(self.books.party(&session(who)).get() <= OF_A_SESSION + self.unpromised);
        }
        let (by_strangers, to_strangers) =
            (self.books.party(&Party::Strangers).get(), self.cap.leases.to_strangers.get());
        prop_assert!(to_strangers <= OF_STRANGERS);
        if self.stopped == Stopped::Together {
            let elsewhere = self.cap.leases.of_strangers_but_at(Some(&provider(0))).get();
            prop_assert!(by_strangers + elsewhere <= OF_STRANGERS + PIECE);
        } else {
            prop_assert!(by_strangers + to_strangers <= OF_STRANGERS + self.unpromised_to_strangers);
        }
        prop_assert!(self.stopped == Stopped::Never || self.unpromised == 0);
        Ok(())
    }
}

/// Of 400 steps each: a million in `script/test crash`, and a part of it with every commit.
fn histories() -> u32 {
    if std::env::var_os("TESSRO_AT_LENGTH").is_some() { 2_500 } else { 150 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: histories(), max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_passed_by_more_than_what_nobody_had_promised(
        world in prop::sample::select(vec![Stopped::Each, Stopped::Together, Stopped::Never]),
        steps in prop::collection::vec(step(), 400),
    ) {
        let mut world = World::new(world);
        for step in &steps {
            world.play(step);
            world.holds()?;
        }
    }

    /// Whoever goes on relaying at a limit is told to stop, sooner or later, and the others are not in their way.
    #[test]
    fn whoever_goes_on_at_a_limit_is_told_to_stop(rate in 10_000..2_000_000_u64, every in 1..6_u64, stranger: bool) {
        let mut world = World::new(Stopped::Never);
        world.play(&Step::Ask { who: 1, where_: 0, stranger });
        let told = (0..20_000).find(|_| {
            world.now = world.now + Duration::from_secs(every);
            world.relay(1, 0, stranger, rate * every);
            !world.cap.tick(&world.books, world.now).is_empty()
        });
        prop_assert!(told.is_some());
        let limit = if stranger { OF_STRANGERS } else { OF_A_SESSION };
        prop_assert!(world.books.month <= limit + rate * every, "{} at {rate}", world.books.month);
    }
}
