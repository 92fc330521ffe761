//! The cap under any interleaving and any crash: a million steps of people who ask, relay, leave and lie still, against limits of
//! every kind.
//!
//! Three worlds. In one everybody stops where their promise ends, and in another a relay stops them all where its promises together
//! end, as the built-in one does: the limit of all is never passed. In the third bytes are known only afterwards, as with providers
//! far away: limits are passed by what nobody had promised, and by nothing else.
//!
//! Promises are written down now and then. A crash leaves what was written last, and whoever had been promised something relays
//! on: limits are passed by what the disk did not know of yet, and by what was given to others, who watch, before the
//! promises of before the crash had lapsed. Of whom the disk knows nothing but their provider, as a party, nothing is kept back.
//!
//! Strangers relay as well, in between, and what they relay never comes to more than their share of a month and what nobody had
//! promised to them: at the relay in this process, which asks whether they go on, what one of them sends between two looks.

use super::tests::Books;
use super::*;
use crate::server::money::{Budget, Money, Prices};
use crate::server::usage::ProviderLimits;
use proptest::prelude::*;

const LIMIT: u64 = 50_000_000;
const OF_A_DAY: u64 = 30_000_000;
const OF_TWILIO: u64 = 10_000_000;
const OF_A_SESSION: u64 = 20_000_000;
const OF_A_PARTICIPANT: u64 = 12_000_000;
const OF_AN_ADDRESS: u64 = 16_000_000;
const OF_AN_APP: u64 = 14_000_000;
const OF_STRANGERS: u64 = LIMIT / 20;
/// What a month may cost, in millionths: 60 MB over Cloudflare at these prices, or 15 MB over Twilio.
const BUDGET: u64 = 6_000;
const PRICES: &str = "cloudflare=0.10/GB,twilio=0.40/GB";
/// What a byte costs over each, in parts of which a millionth has [`PARTS`].
const COSTS: [u64; 2] = [1, 4];
const PARTS: u64 = 10_000;
/// What somebody sends at most before it is looked at again.
const PIECE: u64 = 3_000_000;
const PEOPLE: u64 = 12;

#[derive(Debug, Clone)]
enum Step {
    Ask {
        who: u64,
        where_: usize,
        stranger: bool,
    },
    Relay {
        who: u64,
        where_: usize,
        stranger: bool,
        bytes: u64,
    },
    Leave {
        who: u64,
    },
    Wait {
        millis: u64,
    },
    Tick,
    /// What is promised is written down.
    Write,
    Crash,
    /// The operator sets other limits, the half of what they were or those of before.
    Exchange {
        halved: bool,
    },
    NextDay,
    NextMonth,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..PEOPLE, 0..2_usize, any::<bool>())
            .prop_map(|(who, where_, stranger)| Step::Ask { who, where_, stranger }),
        16 => (0..PEOPLE, 0..2_usize, prop::bool::weighted(0.25), 0..PIECE)
            .prop_map(|(who, where_, stranger, bytes)| Step::Relay { who, where_, stranger, bytes }),
        4 => (0..PEOPLE).prop_map(|who| Step::Leave { who }),
        8 => (0..30_000_u64).prop_map(|millis| Step::Wait { millis }),
        8 => Just(Step::Tick),
        6 => Just(Step::Write),
        2 => Just(Step::Crash),
        1 => any::<bool>().prop_map(|halved| Step::Exchange { halved }),
        2 => Just(Step::NextDay),
        2 => Just(Step::NextMonth),
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

/// Limits of all, each a sum over the providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfAll {
    Month,
    Day,
    Twilio,
    Budget,
}

impl OfAll {
    const EACH: [Self; 4] = [Self::Month, Self::Day, Self::Twilio, Self::Budget];

    fn limit(self) -> u64 {
        match self {
            Self::Month => LIMIT,
            Self::Day => OF_A_DAY,
            Self::Twilio => OF_TWILIO,
            Self::Budget => BUDGET * PARTS,
        }
    }

    /// What so many bytes over each provider take of it.
    fn of(self, bytes: [u64; 2]) -> u64 {
        match self {
            Self::Month | Self::Day => bytes[0] + bytes[1],
            Self::Twilio => bytes[1],
            Self::Budget => bytes[0] * COSTS[0] + bytes[1] * COSTS[1],
        }
    }
}

struct World {
    cap: Cap,
    books: Books,
    now: Now,
    stopped: Stopped,
    /// Limits are the half of what they were.
    halved: bool,
    /// What is promised, as it is on disk.
    on_disk: BTreeMap<ProviderName, ByteCount>,
    /// What was promised before a crash to those who relay on since, and when that was.
    stranded: BTreeMap<Key, u64>,
    crashed: Now,
    /// Up to where each limit of all may be used, in the order of [`OfAll::EACH`].
    tops: [u64; 4],
    /// The same of parties, and of strangers all together.
    tops_of_parties: BTreeMap<Party, u64>,
    /// What was relayed that nobody had promised, this month.
    unpromised: u64,
}

fn limits(halved: bool) -> Limits {
    let of = |bytes: u64| ByteCount::new(part(bytes, halved));
    let budget = Budget { limit: Money::micros(part(BUDGET, halved)), prices: Prices::parse(PRICES).unwrap() };
    Limits {
        month: of(LIMIT),
        day: Some(of(OF_A_DAY)),
        providers: ProviderLimits::parse(if halved { "twilio=0.005" } else { "twilio=0.01" }).unwrap(),
        session: Some(of(OF_A_SESSION)),
        participant: Some(of(OF_A_PARTICIPANT)),
        address: Some(of(OF_AN_ADDRESS)),
        app: Some(of(OF_AN_APP)),
        budget: Some((budget, vec![provider(0), provider(1)])),
        ..Limits::default()
    }
}

fn part(of: u64, halved: bool) -> u64 {
    if halved { of / 2 } else { of }
}

fn cap(world: Stopped, halved: bool) -> Cap {
    let mut cap = Cap::new(limits(halved));
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

/// Three addresses, of people of every session and of strangers.
fn address(who: u64) -> Party {
    Party::Address(who % 3)
}

fn app() -> Party {
    Party::App("forum".to_owned())
}

fn holder(who: u64, stranger: bool) -> Holder {
    if stranger { Holder::Stranger(participant(who)) } else { Holder::Participant(participant(who)) }
}

/// The last two are users of an app.
fn parties(who: u64, stranger: bool) -> Vec<Party> {
    match who {
        _ if stranger => vec![Party::Strangers, address(who)],
        0..10 => vec![session(who), Party::Participant(participant(who)), address(who)],
        _ => vec![app()],
    }
}

fn every_party() -> impl Iterator<Item = Party> {
    let participants = (0..PEOPLE).map(|who| Party::Participant(participant(who)));
    participants.chain([0, 4, 8].map(session)).chain((0..3).map(address)).chain([app(), Party::Strangers])
}

impl World {
    fn new(world: Stopped) -> Self {
        let mut new = Self {
            cap: cap(world, false),
            books: Books::default(),
            now: Now::default(),
            stopped: world,
            halved: false,
            on_disk: BTreeMap::new(),
            stranded: BTreeMap::new(),
            crashed: Now::default(),
            tops: [0; 4],
            tops_of_parties: BTreeMap::new(),
            unpromised: 0,
        };
        new.begin_anew(&OfAll::EACH);
        new.parties_begin_anew();
        new
    }

    fn play(&mut self, step: &Step) {
        let (kept, stranded) = (self.kept(), self.stranded());
        match *step {
            Step::Ask { who, where_, stranger } => {
                let (holder, parties) = (holder(who, stranger), parties(who, stranger));
                let _refused = self.cap.lease(&provider(where_), holder, parties, &self.books, self.now);
            }
            Step::Relay { who, where_, stranger, bytes } => self.relay(who, where_, stranger, bytes),
            Step::Leave { who } => {
                self.cap.release(participant(who));
                self.stranded.retain(|(of, _), _| *of != holder(who, false));
            }
            Step::Wait { millis } => self.now = self.now + Duration::from_millis(millis),
            Step::Tick => drop(self.cap.tick(&self.books, self.now)),
            Step::Write => self.on_disk.clone_from(self.cap.promises()),
            Step::Crash => return self.crash(),
            Step::Exchange { halved } => {
                self.halved = halved;
                self.cap.exchange(limits(halved), &self.books);
                self.begin_anew(&OfAll::EACH);
                self.parties_begin_anew();
            }
            Step::NextDay => {
                self.books.day = 0;
                self.begin_anew(&[OfAll::Day]);
            }
            Step::NextMonth => {
                (self.books, self.unpromised) = (Books::default(), 0);
                self.begin_anew(&OfAll::EACH);
                self.parties_begin_anew();
            }
        }
        // What is kept for whoever relays on may go to others who are short of it.
        let now = self.kept();
        self.may_be_passed_by([0, 1].map(|number| {
            let lacks = |kept: [u64; 2]| stranded[number].saturating_sub(kept[number]);
            lacks(now).saturating_sub(lacks(kept))
        }));
    }

    /// What is on disk is all that is known afterwards, and whoever was promised more relays on: the relay in this process alone
    /// is gone with it, and with it whoever relayed there.
    fn crash(&mut self) {
        let (lacked, known) = (self.lacking(), [0, 1].map(|number| self.cap.reserved_by(&provider(number)).get()));
        let written = [0, 1].map(|number| self.on_disk.get(&provider(number)).map_or(0, |bytes| bytes.get()));
        if self.stranded() == [0; 2] {
            self.stranded.clear();
        }
        for ((holder, of), lease) in &self.cap.leases.held {
            let goes_on = matches!(holder, Holder::Participant(_) | Holder::Stranger(_)) && !self.cap.cuts(of);
            if goes_on && lease.left > ByteCount::ZERO {
                *self.stranded.entry((*holder, of.clone())).or_default() += lease.left.get();
            }
        }
        self.crashed = self.now;
        self.cap = cap(self.stopped, self.halved);
        self.cap.restore(self.on_disk.clone(), self.now);
        let lacking = self.lacking();
        // Promised since it was written, or of the relay here: used since, and promised again.
        let unknown_to_disk = [0, 1].map(|number| {
            if self.cap.cuts(&provider(number)) {
                written[number].saturating_sub(known[number])
            } else {
                lacking[number].saturating_sub(lacked[number])
            }
        });
        for number in [0, 1] {
            assert!(unknown_to_disk[number] <= known[number].abs_diff(written[number]), "nothing else is lost");
        }
        self.may_be_passed_by(unknown_to_disk);
    }

    fn relay(&mut self, who: u64, where_: usize, stranger: bool, bytes: u64) {
        let (holder, parties, provider) = (holder(who, stranger), parties(who, stranger), provider(where_));
        let key = (holder, provider.clone());
        let left = self.cap.leases.get(&key).map_or(0, |lease| lease.left.get());
        let before = if self.is_stranded() { self.stranded.get(&key).copied().unwrap_or_default() } else { 0 };
        let (bytes, promised) = match self.stopped {
            Stopped::Together if where_ == 0 => {
                let all = self.cap.reserved_by(&provider).get();
                // Sessions are looked at in tests of their own: here they may use one another's promises.
                let is_over = stranger && self.cap.goes_on(holder, &parties, &self.books).is_err();
                (if is_over { 0 } else { bytes.min(all) }, all)
            }
            Stopped::Each | Stopped::Together => (bytes.min(left + before), left + before),
            Stopped::Never => (bytes, left + before),
        };
        let beyond = bytes.saturating_sub(promised);
        self.unpromised += beyond;
        let mut passed = [0; 2];
        passed[where_] = beyond;
        self.may_be_passed_by(passed);
        let beyond_their_own = bytes.saturating_sub(left);
        if let Some(before) = self.stranded.get_mut(&key) {
            *before = before.saturating_sub(beyond_their_own);
        }
        // Together at the relay here they use one another's promises; elsewhere it is what they were promised before a crash.
        let is_together = self.stopped == Stopped::Together && where_ == 0;
        for party in parties.iter().filter(|_| !is_together) {
            *self.tops_of_parties.entry(party.clone()).or_default() += beyond_their_own;
        }
        self.books.month += bytes;
        self.books.day += bytes;
        *self.books.providers.entry(provider.clone()).or_default() += bytes;
        for party in &parties {
            *self.books.parties.entry(party.clone()).or_default() += bytes;
        }
        self.cap.measured(&provider, holder, &parties, ByteCount::new(bytes), &self.books, self.now);
    }

    /// As long as credentials of before the crash are used without a promise of after it.
    fn is_stranded(&self) -> bool {
        self.now.since(self.crashed) < LEASE_FOR
    }

    /// What those relay on with whom a crash left behind, over each provider.
    fn stranded(&self) -> [u64; 2] {
        let at = |number| {
            let here = self.stranded.iter().filter(|((_, of), _)| *of == provider(number));
            here.map(|(_, bytes)| *bytes).sum::<u64>()
        };
        if self.is_stranded() { [at(0), at(1)] } else { [0; 2] }
    }

    /// What is kept for them.
    fn kept(&self) -> [u64; 2] {
        let at = |number| self.cap.leases.get(&(Holder::Before, provider(number))).map_or(0, |lease| lease.left.get());
        [at(0), at(1)]
    }

    /// What they have that is not kept for them.
    fn lacking(&self) -> [u64; 2] {
        let (stranded, kept) = (self.stranded(), self.kept());
        [0, 1].map(|number| stranded[number].saturating_sub(kept[number]))
    }

    /// What may still be relayed without asking anybody, over each provider.
    fn may_pass(&self) -> [u64; 2] {
        let (stranded, kept) = (self.stranded(), self.kept());
        [0, 1].map(|number| if self.cap.cuts(&provider(number)) { kept[number] } else { stranded[number] })
    }

    fn used(&self, limit: OfAll) -> u64 {
        match limit {
            OfAll::Day => self.books.day,
            OfAll::Month | OfAll::Twilio | OfAll::Budget => {
                limit.of([0, 1].map(|number| self.books.provider(&provider(number)).get()))
            }
        }
    }

    fn may_be_passed_by(&mut self, bytes: [u64; 2]) {
        for (top, limit) in self.tops.iter_mut().zip(OfAll::EACH) {
            *top += limit.of(bytes);
        }
    }

    /// Another day or month, or other limits: what is used already, and what can be relayed without asking, is given.
    fn begin_anew(&mut self, which: &[OfAll]) {
        let (may_pass, lacking) = (self.may_pass(), self.lacking());
        for (number, limit) in OfAll::EACH.into_iter().enumerate().filter(|(_, limit)| which.contains(limit)) {
            let given = self.used(limit) + limit.of(may_pass);
            self.tops[number] = part(limit.limit(), self.halved).max(given) + limit.of(lacking);
        }
    }

    fn parties_begin_anew(&mut self) {
        let top = |party: Party| {
            let limit = match party {
                Party::Session(_) => OF_A_SESSION,
                Party::Participant(_) => OF_A_PARTICIPANT,
                Party::Address(_) => OF_AN_ADDRESS,
                Party::App(_) => OF_AN_APP,
                Party::Strangers => OF_STRANGERS,
            };
            let top = part(limit, self.halved).max(self.books.party(&party).get());
            (party, top)
        };
        self.tops_of_parties = every_party().map(top).collect();
    }

    fn holds(&self) -> Result<(), TestCaseError> {
        let promised: u64 = self.cap.leases.held.values().map(|lease| lease.left.get()).sum();
        prop_assert_eq!(promised, self.cap.reserved().get());
        let by_provider: u64 = self.cap.promises().values().map(|sum| sum.get()).sum();
        prop_assert_eq!(promised, by_provider);
        // A promise that was made in time is kept, so a limit is passed by what nobody had promised, or nobody knew of any more after
        // a crash, and by nothing else.
        let (kept, may_pass) = (self.kept(), self.may_pass());
        let promised =
            [0, 1].map(|number| self.cap.reserved_by(&provider(number)).get() - kept[number] + may_pass[number]);
        for (limit, top) in OfAll::EACH.into_iter().zip(self.tops) {
            let (used, promised) = (self.used(limit), limit.of(promised));
            prop_assert!(used + promised <= top, "{:?}: {} and {} of {}", limit, used, promised, top);
        }
        self.holds_for_parties()?;
        prop_assert!(self.stopped == Stopped::Never || self.unpromised == 0);
        Ok(())
    }

    fn holds_for_parties(&self) -> Result<(), TestCaseError> {
        let mut promised = BTreeMap::<&Party, u64>::new();
        for lease in self.cap.leases.held.values() {
            for party in &lease.parties {
                *promised.entry(party).or_default() += lease.left.get();
            }
        }
        let to_strangers = self.cap.leases.to_strangers.get();
        prop_assert!(to_strangers <= part(OF_STRANGERS, self.halved));
        prop_assert_eq!(to_strangers, promised.get(&Party::Strangers).copied().unwrap_or_default());
        // Where the promises of all are one, a session may use those of another until it is told to stop.
        if self.stopped == Stopped::Together {
            let elsewhere = self.cap.leases.of_strangers_but_at(Some(&provider(0))).get();
            let by_strangers = self.books.party(&Party::Strangers).get();
            prop_assert!(by_strangers + elsewhere <= self.tops_of_parties[&Party::Strangers] + PIECE);
            return Ok(());
        }
        for (party, top) in &self.tops_of_parties {
            let (used, promised) = (self.books.party(party).get(), promised.get(party).copied().unwrap_or_default());
            prop_assert!(used + promised <= *top, "{}: {} and {} of {}", party, used, promised, top);
        }
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
        let limit = if stranger { OF_STRANGERS } else { OF_A_PARTICIPANT };
        prop_assert!(world.books.month <= limit + rate * every, "{} at {rate}", world.books.month);
    }
}
