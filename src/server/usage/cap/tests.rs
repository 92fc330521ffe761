//! The cap in single steps.

use super::*;
use crate::server::money::{Budget, Money, Prices};
use crate::server::usage::ProviderLimits;
use RelayStage::{DirectOnly, Narrow, Over, Plenty, Warned};

/// Books that hold what a test says.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) month: u64,
    pub(super) day: u64,
    pub(super) providers: BTreeMap<ProviderName, u64>,
    pub(super) parties: BTreeMap<Party, u64>,
    /// What this machine may still use, where there are several.
    pub(super) lent: BTreeMap<Account, u64>,
}

impl Used for Books {
    fn month(&self) -> ByteCount {
        ByteCount::new(self.month)
    }

    fn day(&self) -> ByteCount {
        ByteCount::new(self.day)
    }

    fn provider(&self, provider: &ProviderName) -> ByteCount {
        ByteCount::new(self.providers.get(provider).copied().unwrap_or_default())
    }

    fn party(&self, party: &Party) -> ByteCount {
        ByteCount::new(self.parties.get(party).copied().unwrap_or_default())
    }

    fn today(&self) -> u64 {
        0
    }

    fn lent(&self, account: &Account) -> Option<ByteCount> {
        self.lent.get(account).copied().map(ByteCount::new)
    }
}

fn used(month: u64) -> Books {
    Books { month, ..Books::default() }
}

fn cap(month: u64) -> Cap {
    Cap::new(ByteCount::new(month).into())
}

fn cloudflare() -> ProviderName {
    "cloudflare".parse().unwrap()
}

fn somebody(number: u64) -> Holder {
    Holder::Participant(ParticipantId::from_random(number))
}

fn at(seconds: u64) -> Now {
    Now::since_start(Duration::from_secs(seconds))
}

const GB: u64 = 1_000_000_000;

#[test]
fn stages_come_where_they_were_set() {
    let cap = cap(1_000);
    let stages = [0, 699, 700, 899, 900, 949, 950, 999, 1_000, 5_000].map(|bytes| cap.stage(&used(bytes)));
    assert_eq!(stages, [Plenty, Plenty, Warned, Warned, Narrow, Narrow, DirectOnly, DirectOnly, Over, Over]);
    let day = Cap::new(Limits { month: ByteCount::new(1_000), day: Some(ByteCount::new(10)), ..Limits::default() });
    assert_eq!(day.stage(&Books { month: 20, day: 10, ..Books::default() }), Over);
}

#[test]
fn stages_are_three_percentages_that_grow() {
    assert_eq!(Stages::parse("70, 90,95"), Some(Stages::default()));
    assert_eq!(Stages::parse("50,50,100").map(Stages::percentages), Some([50, 50, 100, 100]));
    for wrong in ["", "70,90", "70,90,95,99", "90,70,95", "70,90,101", "a,b,c", "-1,2,3"] {
        assert_eq!(Stages::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn asking_again_promises_nothing_more_and_what_is_not_used_comes_back() {
    let mut cap = cap(1_000 * GB);
    for second in 0..50 {
        cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(second)).unwrap();
    }
    assert_eq!(cap.reserved(), WHOLE);
    cap.tick(&used(0), at(49 + 119));
    assert_eq!(cap.reserved(), WHOLE);
    cap.tick(&used(0), at(49 + 120));
    assert_eq!(cap.reserved(), ByteCount::ZERO);
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(300)).unwrap();
    cap.release(ParticipantId::from_random(1));
    assert_eq!((cap.reserved(), cap.reserved_by(&cloudflare())), (ByteCount::ZERO, ByteCount::ZERO));
}

#[test]
fn what_is_measured_uses_the_promise_up_and_a_film_goes_on() {
    let mut cap = cap(1_000 * GB);
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(0)).unwrap();
    for step in 1..=1_000 {
        let bytes = ByteCount::new(5_000_000);
        cap.measured(&cloudflare(), somebody(1), &[], bytes, &used(step * 5_000_000), at(step * 5));
        assert!(cap.reserved().get() >= WHOLE.get() / 2 && cap.reserved() <= WHOLE);
        assert_eq!(cap.tick(&used(step * 5_000_000), at(step * 5)), []);
    }
}

#[test]
fn nobody_empties_a_month_by_asking() {
    // Twenty thousand people who relay nothing.
    let mut cap = cap(20 * GB);
    let mut given = 0;
    for number in 0..20_000 {
        given += u32::from(cap.lease(&cloudflare(), somebody(number), Vec::new(), &used(0), at(0)).is_ok());
    }
    assert!(cap.reserved().get() <= 20 * GB && given > 100, "{given}");
    // Somebody who watches is not told to stop because of them while their own promise lasts, and all of it comes back.
    cap.tick(&used(0), at(120));
    assert_eq!(cap.reserved(), ByteCount::ZERO);
}

#[test]
fn who_has_no_token_shares_one_part_in_twenty() {
    let mut cap = cap(GB);
    for number in 0..10_000 {
        let _refused =
            cap.lease(&cloudflare(), Holder::Stranger(ParticipantId::from_random(number)), Vec::new(), &used(0), at(0));
    }
    assert_eq!(cap.reserved().get(), GB / 20);
    assert_eq!(
        cap.lease(&cloudflare(), Holder::Stranger(ParticipantId::from_random(10_001)), Vec::new(), &used(0), at(1)),
        Err(NoRoom::Party)
    );
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(1)).unwrap();
}

#[test]
fn what_strangers_relay_is_taken_from_their_share_and_they_are_told_to_stop_when_it_is_used_up() {
    let share = GB / 20;
    let mut cap = cap(GB);
    let (number, other) = (ParticipantId::from_random(1), ParticipantId::from_random(2));
    let stranger = Holder::Stranger(number);
    let spent = |bytes| Books { month: bytes, parties: [(Party::Strangers, bytes)].into(), ..Books::default() };
    cap.lease(&cloudflare(), stranger, vec![Party::Strangers], &used(0), at(0)).unwrap();
    let mut relayed = 0;
    let told = (1..60).find_map(|second| {
        relayed += share / 20;
        let bytes = ByteCount::new(share / 20);
        cap.measured(&cloudflare(), stranger, &[Party::Strangers], bytes, &spent(relayed), at(second));
        let verdicts = cap.tick(&spent(relayed), at(second));
        verdicts.first().map(|verdict| (verdict.participant, verdict.why))
    });
    assert_eq!((told, relayed), (Some((number, NoRoom::Party)), share));
    let full = spent(share);
    assert_eq!(cap.lease(&cloudflare(), Holder::Stranger(other), Vec::new(), &full, at(61)), Err(NoRoom::Party));
    cap.lease(&cloudflare(), somebody(3), Vec::new(), &full, at(61)).unwrap();
}

#[test]
fn at_the_relay_in_this_process_each_party_goes_on_up_to_its_own_limit() {
    let relay: ProviderName = "relay".parse().unwrap();
    let few = ByteCount::new(1_000);
    let limits = Limits { address: Some(few), app: Some(few), participant: Some(few), ..Limits::from(few) };
    let mut cap = Cap::new(Limits { month: ByteCount::new(GB), ..limits });
    cap.cuts_here(relay.clone());
    let spent = |party: &Party, bytes| Books { parties: [(party.clone(), bytes)].into(), ..Books::default() };
    let number = ParticipantId::from_random(1);
    for party in [Party::Participant(number), Party::Address(5), Party::App("forum".to_owned())] {
        let theirs = [Party::Session(ParticipantId::from_random(9)), party.clone()];
        assert_eq!(cap.goes_on(somebody(1), &theirs, &spent(&party, 999)), Ok(()));
        assert_eq!(cap.goes_on(somebody(1), &theirs, &spent(&party, 1_000)), Err(NoRoom::Party));
        assert_eq!(cap.goes_on(somebody(2), &theirs[..1], &spent(&party, 1_000)), Ok(()));
    }
    // What is promised there is everybody's, and whoever has had their part gets no credentials for it.
    let address = Party::Address(5);
    cap.lease(&relay, somebody(1), vec![address.clone()], &Books::default(), at(0)).unwrap();
    cap.lease(&relay, somebody(2), Vec::new(), &Books::default(), at(0)).unwrap();
    let full = spent(&address, 1_000);
    assert_eq!(cap.has_room(&relay, somebody(1), &[address], &full), Err(NoRoom::Party));
    assert_eq!(cap.has_room(&relay, somebody(2), &[], &full), Ok(()));
    // What other strangers are promised elsewhere is theirs, and what they are promised here is everybody's.
    let (stranger, other) = (Holder::Stranger(number), Holder::Stranger(ParticipantId::from_random(2)));
    let share = GB / 20;
    let books = spent(&Party::Strangers, share - 1_000);
    cap.lease(&relay, other, Vec::new(), &books, at(0)).unwrap();
    assert_eq!(cap.goes_on(stranger, &[Party::Strangers], &books), Ok(()));
    cap.lease(&cloudflare(), other, Vec::new(), &books, at(0)).unwrap();
    let promised = cap.reserved_by(&cloudflare()).get();
    let up_to = |left: u64| spent(&Party::Strangers, share - promised - left);
    assert!(promised > 0);
    assert_eq!(cap.goes_on(stranger, &[Party::Strangers], &up_to(1)), Ok(()));
    assert_eq!(cap.goes_on(stranger, &[Party::Strangers], &up_to(0)), Err(NoRoom::Party));
    let elsewhere = Books { lent: [(Account::Strangers, 0)].into(), ..Books::default() };
    assert_eq!(cap.goes_on(stranger, &[Party::Strangers], &elsewhere), Err(NoRoom::Elsewhere));
    assert_eq!(cap.goes_on(somebody(1), &[], &elsewhere), Ok(()));
}

#[test]
fn newcomers_get_no_relay_near_the_limit_and_who_has_one_goes_on() {
    let mut cap = cap(GB);
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(0)).unwrap();
    let near = used(GB / 100 * 95);
    assert_eq!(cap.lease(&cloudflare(), somebody(2), Vec::new(), &near, at(1)), Err(NoRoom::NearLimit));
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &near, at(1)).unwrap();
    assert_eq!(cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(GB), at(2)), Err(NoRoom::Used));
}

#[test]
fn who_has_used_up_what_is_left_is_told_to_stop() {
    let mut cap = cap(20_000_000);
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(0)).unwrap();
    let mut relayed = 0;
    let told = (1..60).find(|second| {
        relayed += 500_000;
        cap.measured(&cloudflare(), somebody(1), &[], ByteCount::new(500_000), &used(relayed), at(*second));
        !cap.tick(&used(relayed), at(*second)).is_empty()
    });
    assert!(told.is_some());
    assert_eq!(relayed, 20_000_000);
}

#[test]
fn a_limit_that_is_lowered_holds_for_what_was_promised_before() {
    let mut cap = cap(100 * GB);
    for number in 0..10 {
        cap.lease(&cloudflare(), somebody(number), Vec::new(), &used(GB), at(0)).unwrap();
    }
    assert!(cap.reserved().get() > 500_000_000);
    cap.exchange(ByteCount::new(GB + 20_000_000).into(), &used(GB));
    assert!(cap.reserved() > ByteCount::ZERO && cap.reserved().get() <= 20_000_000);
    cap.exchange(ByteCount::new(GB / 2).into(), &used(GB));
    assert_eq!(cap.reserved(), ByteCount::ZERO);
    cap.exchange(ByteCount::new(100 * GB).into(), &used(GB));
    assert!(cap.reserved().get() > 500_000_000, "whoever holds credentials goes on");
}

#[test]
fn who_goes_on_after_there_was_time_to_leave_is_told_apart_from_who_left() {
    let mut cap = cap(1_000_000);
    for number in [1, 2] {
        cap.lease(&cloudflare(), somebody(number), Vec::new(), &used(0), at(0)).unwrap();
    }
    let over = used(1_000_000);
    let measured = |cap: &mut Cap, number, second| {
        cap.measured(&cloudflare(), somebody(number), &[], ByteCount::new(500_000), &over, at(second));
    };
    let told = |cap: &mut Cap, second| -> Vec<_> {
        cap.tick(&over, at(second)).iter().map(|verdict| (verdict.participant, verdict.goes_on)).collect()
    };
    let [one, other] = [1, 2].map(ParticipantId::from_random);
    measured(&mut cap, 1, 1);
    measured(&mut cap, 2, 1);
    assert_eq!(told(&mut cap, 1), [(one, false), (other, false)]);
    // What was on its way when they were told.
    measured(&mut cap, 1, 6);
    measured(&mut cap, 2, 6);
    assert_eq!(told(&mut cap, 6), []);
    measured(&mut cap, 2, 11);
    assert_eq!(told(&mut cap, 11), [(one, false), (other, true)]);
}

#[test]
fn what_was_promised_to_those_who_use_nothing_goes_to_those_who_do() {
    let mut cap = cap(5_000_000);
    for number in 0..20 {
        let _refused = cap.lease(&cloudflare(), somebody(number), Vec::new(), &used(0), at(0));
    }
    let mut relayed = 0;
    let told = (1..60).find(|second| {
        relayed += 250_000;
        cap.measured(&cloudflare(), somebody(1), &[], ByteCount::new(250_000), &used(relayed), at(*second));
        let verdicts = cap.tick(&used(relayed), at(*second));
        assert!(verdicts.iter().all(|verdict| verdict.participant == ParticipantId::from_random(1)));
        !verdicts.is_empty()
    });
    assert_eq!((told, relayed), (Some(20), 5_000_000), "all of it, and then it is over");
    assert_eq!(cap.reserved(), ByteCount::ZERO);
}

#[test]
fn at_the_relay_in_this_process_a_limit_is_reached_before_anybody_has_to_leave() {
    let relay: ProviderName = "relay".parse().unwrap();
    let mut cap = cap(20_000_000);
    cap.cuts_here(relay.clone());
    // Two who use next to nothing, and one who watches.
    for number in 1..4 {
        cap.lease(&relay, somebody(number), Vec::new(), &used(0), at(0)).unwrap();
    }
    let mut relayed = 0;
    for second in 1..200 {
        let (before, more) = (relayed, cap.reserved_by(&relay).get().min(300_000));
        relayed += more;
        cap.measured(&relay, somebody(2), &[], ByteCount::new(more / 300), &used(before + more / 300), at(second));
        cap.measured(&relay, somebody(1), &[], ByteCount::new(more - more / 300), &used(relayed), at(second));
        assert!(relayed + cap.reserved().get() <= 20_000_000);
        let verdicts = cap.tick(&used(relayed), at(second)).len();
        assert!(relayed == 20_000_000 || verdicts == 0, "{verdicts} at {relayed}");
        if relayed < 20_000_000 {
            cap.has_room(&relay, somebody(1), &[], &used(relayed)).unwrap();
        }
    }
    assert_eq!(relayed, 20_000_000);
}

#[test]
fn each_party_has_its_own_limit() {
    let limits = Limits {
        month: ByteCount::new(1_000 * GB),
        session: Some(ByteCount::new(GB)),
        address: Some(ByteCount::new(GB / 2)),
        ..Limits::default()
    };
    let mut cap = Cap::new(limits);
    let session = Party::Session(ParticipantId::from_random(9));
    let spent = |party: &Party, bytes| Books { parties: [(party.clone(), bytes)].into(), ..Books::default() };
    let full = spent(&session, GB);
    assert_eq!(cap.lease(&cloudflare(), somebody(1), vec![session.clone()], &full, at(0)), Err(NoRoom::Party));
    cap.lease(&cloudflare(), somebody(1), vec![session.clone()], &spent(&session, GB - 1_000), at(0)).unwrap();
    assert_eq!(cap.reserved().get(), 1_000);
    let address = Party::Address(5);
    assert_eq!(
        cap.lease(&cloudflare(), somebody(2), vec![address.clone()], &spent(&address, GB / 2), at(0)),
        Err(NoRoom::Party)
    );
    cap.lease(&cloudflare(), somebody(2), Vec::new(), &full, at(0)).unwrap();
}

#[test]
fn a_provider_that_has_relayed_its_part_is_left_and_the_next_one_has_room() {
    let limits = ProviderLimits::parse("cloudflare=1").unwrap();
    let mut cap = Cap::new(Limits { month: ByteCount::new(100 * GB), providers: limits, ..Limits::default() });
    let spent = Books { month: GB, providers: [(cloudflare(), GB)].into(), ..Books::default() };
    assert_eq!(cap.lease(&cloudflare(), somebody(1), Vec::new(), &spent, at(0)), Err(NoRoom::Provider));
    cap.lease(&"twilio".parse().unwrap(), somebody(1), Vec::new(), &spent, at(0)).unwrap();
    cap.measured(&cloudflare(), somebody(1), &[], ByteCount::new(100_000), &spent, at(1));
    let verdicts: Vec<_> = cap.tick(&spent, at(1)).iter().map(|verdict| verdict.why).collect();
    assert_eq!(verdicts, [NoRoom::Provider]);
}

#[test]
fn a_budget_in_money_ends_those_who_send_a_bill_and_nobody_else() {
    let twilio: ProviderName = "twilio".parse().unwrap();
    let budget = Budget { limit: Money::parse("40").unwrap(), prices: Prices::parse("twilio=0.40/GB").unwrap() };
    let names = vec![twilio.clone(), "coturn".parse().unwrap()];
    let mut cap =
        Cap::new(Limits { month: ByteCount::new(10_000 * GB), budget: Some((budget, names)), ..Limits::default() });
    let spent = |gb: u64| Books { month: gb * GB, providers: [(twilio.clone(), gb * GB)].into(), ..Books::default() };
    assert_eq!([50, 70, 90, 100].map(|gb| cap.stage(&spent(gb))), [Plenty, Warned, Narrow, Narrow]);
    cap.lease(&twilio, somebody(1), Vec::new(), &spent(99), at(0)).unwrap();
    assert_eq!(cap.lease(&twilio, somebody(2), Vec::new(), &spent(100), at(0)), Err(NoRoom::Provider));
    cap.lease(&"coturn".parse().unwrap(), somebody(2), Vec::new(), &spent(100), at(0)).unwrap();
}

#[test]
fn what_is_promised_to_others_is_told_apart_from_what_is_used() {
    let mut cap = cap(1_000_000);
    for number in 0..100 {
        let _refused = cap.lease(&cloudflare(), somebody(number), Vec::new(), &used(0), at(0));
    }
    assert_eq!(cap.reserved().get(), 1_000_000);
    assert_eq!(cap.lease(&cloudflare(), somebody(101), Vec::new(), &used(0), at(0)), Err(NoRoom::Promised));
}

#[test]
fn credentials_live_as_long_as_what_is_left_may_last() {
    let day = Duration::from_hours(24);
    let cap = cap(100 * GB);
    assert_eq!(cap.life(&cloudflare(), day, &used(0)), day);
    assert_eq!(cap.life(&cloudflare(), day, &used(90 * GB)), Duration::from_secs(10_000));
    assert_eq!(cap.life(&cloudflare(), day, &used(100 * GB)), LEASE_FOR);
}

#[test]
fn credentials_outlive_neither_a_day_nor_a_provider_s_part_nor_a_budget() {
    let asked = Duration::from_hours(24);
    let twilio: ProviderName = "twilio".parse().unwrap();
    let month = ByteCount::new(10_000 * GB);
    let of_day = Cap::new(Limits { month, day: Some(ByteCount::new(20 * GB)), ..Limits::default() });
    let today = |gb: u64| Books { month: gb * GB, day: gb * GB, ..Books::default() };
    let lives = [0, 10, 19, 20].map(|gb| of_day.life(&twilio, asked, &today(gb)).as_secs());
    assert_eq!(lives, [20_000, 10_000, 1_000, LEASE_FOR.as_secs()]);

    let by_twilio =
        |gb: u64| Books { month: gb * GB, providers: [(twilio.clone(), gb * GB)].into(), ..Books::default() };
    let providers = ProviderLimits::parse("twilio=50").unwrap();
    let mut of_provider = Cap::new(Limits { month, providers, ..Limits::default() });
    assert_eq!(of_provider.life(&twilio, asked, &by_twilio(40)), Duration::from_secs(10_000));
    assert_eq!(of_provider.life(&twilio, asked, &by_twilio(50)), LEASE_FOR);
    assert_eq!(of_provider.life(&cloudflare(), asked, &by_twilio(50)), asked);
    // One more watches there, and another elsewhere.
    of_provider.lease(&twilio, somebody(1), Vec::new(), &by_twilio(40), at(0)).unwrap();
    of_provider.lease(&cloudflare(), somebody(2), Vec::new(), &by_twilio(40), at(0)).unwrap();
    assert_eq!(of_provider.life(&twilio, asked, &by_twilio(40)), Duration::from_secs(5_000));

    let budget = Budget { limit: Money::parse("40").unwrap(), prices: Prices::parse("twilio=0.40/GB").unwrap() };
    let names = vec![twilio.clone(), "coturn".parse().unwrap()];
    let of_budget = Cap::new(Limits { month, budget: Some((budget, names)), ..Limits::default() });
    assert_eq!(of_budget.life(&twilio, asked, &by_twilio(90)), Duration::from_secs(10_000));
    assert_eq!(of_budget.life(&twilio, asked, &by_twilio(100)), LEASE_FOR);
    assert_eq!(of_budget.life(&"coturn".parse().unwrap(), asked, &by_twilio(100)), asked, "it costs nothing");
}

#[test]
fn promises_of_a_process_before_are_kept_for_as_long_as_they_lasted() {
    let mut cap = cap(GB);
    cap.restore([(cloudflare(), ByteCount::new(GB))], at(0));
    assert_eq!(cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(1)), Err(NoRoom::Promised));
    cap.tick(&used(0), at(120));
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &used(0), at(121)).unwrap();
}

#[test]
fn where_several_machines_share_a_limit_nothing_is_promised_beyond_what_is_lent_here() {
    let lent = |bytes| Books { lent: [(Account::Month, bytes)].into(), ..Books::default() };
    let mut cap = cap(1_000 * GB);
    assert_eq!(cap.lease(&cloudflare(), somebody(1), Vec::new(), &lent(0), at(0)), Err(NoRoom::Elsewhere));
    let mut books = lent(3_000_000);
    cap.lease(&cloudflare(), somebody(1), Vec::new(), &books, at(0)).unwrap();
    cap.lease(&cloudflare(), somebody(2), Vec::new(), &books, at(0)).unwrap();
    assert!(cap.reserved().get() <= 3_000_000);
    // Whoever goes on with what is lent is told to stop when it is used up, and not when it is promised to somebody else.
    cap.measured(&cloudflare(), somebody(1), &[], ByteCount::new(2_000_000), &used(2_000_000), at(5));
    books = Books { month: 2_000_000, ..lent(1_000_000) };
    let told: Vec<_> = cap.tick(&books, at(6)).iter().map(|verdict| verdict.why).collect();
    assert_eq!(told, []);
    cap.withdraw();
    assert_eq!(cap.reserved(), ByteCount::ZERO);
    let told: Vec<_> =
        cap.tick(&Books { month: 3_000_000, ..lent(0) }, at(7)).iter().map(|verdict| verdict.why).collect();
    assert_eq!(told, [NoRoom::Elsewhere]);
    // Other limits that are shared hold as well.
    let of_twilio = Account::Provider("twilio".parse().unwrap());
    let mut cap = Cap::new(Limits {
        month: ByteCount::new(GB),
        day: Some(ByteCount::new(GB)),
        providers: ProviderLimits::parse("twilio=1").unwrap(),
        ..Limits::default()
    });
    let books = Books {
        lent: [(Account::Month, GB), (Account::Day(0), GB), (of_twilio, 0), (Account::Strangers, 0)].into(),
        ..Books::default()
    };
    let mut ask = |name: &str, holder| cap.lease(&name.parse().unwrap(), holder, Vec::new(), &books, at(0));
    assert_eq!(ask("twilio", somebody(1)), Err(NoRoom::Elsewhere));
    assert_eq!(ask("cloudflare", somebody(1)), Ok(()));
    let stranger = Holder::Stranger(ParticipantId::from_random(9));
    assert_eq!(ask("cloudflare", stranger), Err(NoRoom::Elsewhere));
    assert_eq!(cap.accounts(0).len(), 4);
}
