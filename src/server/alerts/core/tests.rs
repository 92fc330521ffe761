use super::{super::STAGES, *};
use crate::domain::ProviderKind;

const GB: u64 = 1_000_000_000;
/// 2026-11-16T00:00:00Z.
const MIDDLE: UnixMillis = UnixMillis(1_794_787_200_000);

fn well() -> Observation {
    Observation {
        used: ByteCount::ZERO,
        counted: ByteCount::ZERO,
        limit: ByteCount::new(1_000 * GB),
        budget: None,
        limits: Vec::new(),
        providers: vec![(ProviderKind::Coturn.into(), None)],
        drifts: Vec::new(),
        meters: vec![(ProviderKind::Coturn.into(), None)],
        counting_fails: None,
    }
}

/// Somebody who looks at a state, at a time that is moved by hand.
struct Looker {
    state: State,
    now: UnixMillis,
}

impl Looker {
    fn new() -> Self {
        Self { state: State::default(), now: MIDDLE }
    }

    fn look(&mut self, seen: &Observation) -> Vec<Alert> {
        self.state.decide(seen, &STAGES, self.now)
    }

    /// What is said in so many seconds of looks, each five after the last.
    fn watch(&mut self, seen: &Observation, seconds: u64) -> Vec<Alert> {
        let mut said = Vec::new();
        for _ in 0..seconds / 5 {
            self.now = self.now.plus(Duration::from_secs(5));
            said.extend(self.look(seen));
        }
        said
    }

    fn with_used(&mut self, gb: u64) -> Vec<(Topic, Option<u8>)> {
        // All at once would be unusual, too.
        self.state.pace = super::super::pace::Pace::default();
        let (used, counted) = (ByteCount::new(gb * GB), ByteCount::new(gb * GB));
        let said = self.look(&Observation { used, counted, ..well() });
        said.into_iter().map(|alert| (alert.topic, alert.stage)).collect()
    }
}

#[test]
fn each_stage_is_said_once_and_only_the_highest_that_is_new() {
    let mut looker = Looker::new();
    assert_eq!(looker.with_used(699), []);
    assert_eq!(looker.with_used(700), [(Topic::Limit, Some(70))]);
    assert_eq!(looker.with_used(899), []);
    assert_eq!(looker.with_used(960), [(Topic::Limit, Some(95))]);
    assert_eq!(looker.with_used(999), []);
    assert_eq!(looker.with_used(1_001), [(Topic::Limit, Some(100))]);
    assert_eq!(looker.with_used(1_500), []);
}

#[test]
fn a_correction_around_a_stage_repeats_nothing_and_a_new_month_begins_anew() {
    let mut looker = Looker::new();
    assert_eq!(looker.with_used(901), [(Topic::Limit, Some(90))]);
    assert_eq!((looker.with_used(890), looker.with_used(905)), (vec![], vec![]));
    // The provider took a lot of it back, or the limit was raised.
    assert_eq!((looker.with_used(800), looker.with_used(901)), (vec![], vec![(Topic::Limit, Some(90))]));
    assert_eq!((looker.with_used(0), looker.with_used(70)), (vec![], vec![]));
    assert_eq!(looker.with_used(701), [(Topic::Limit, Some(70))]);
}

#[test]
fn what_is_said_of_a_stage_has_its_figures() {
    let mut looker = Looker::new();
    let seen = Observation {
        used: ByteCount::new(10 * GB),
        budget: Some((Share::percent(93), "18.60 of 20.00 USD".to_owned())),
        limits: vec![(ProviderKind::Cloudflare.into(), ByteCount::new(7 * GB), ByteCount::new(7 * GB))],
        ..well()
    };
    let said = looker.look(&seen);
    let lines: Vec<_> = said.iter().map(|alert| (alert.severity, alert.message.as_str())).collect();
    let expected = [
        (Severity::Warning, "93 % of this month's budget are spent: 18.60 of 20.00 USD."),
        (Severity::Critical, "100 % of what cloudflare may relay this month are used: 7.00 of 7.00 GB."),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_provider_has_a_minute_to_come_back_by_itself() {
    let mut looker = Looker::new();
    let trouble = |trouble| Observation { providers: vec![(ProviderKind::Coturn.into(), Some(trouble))], ..well() };
    looker.look(&well());
    assert_eq!(looker.watch(&trouble(Trouble::NotAsked), 55), []);
    assert_eq!(looker.watch(&well(), 10), []);
    let said = looker.watch(&trouble(Trouble::Silent), 3_600);
    assert_eq!(
        said.iter().map(|alert| alert.message.as_str()).collect::<Vec<_>>(),
        ["The relay of coturn does not answer."]
    );
    // It flaps, which is the same trouble.
    for _ in 0..20 {
        assert_eq!(looker.watch(&well(), 200), []);
        assert_eq!(looker.watch(&trouble(Trouble::NotAsked), 200), []);
    }
    let said = looker.watch(&well(), 900);
    assert_eq!(
        said.iter().map(|alert| (alert.severity, alert.message.as_str())).collect::<Vec<_>>(),
        [(Severity::Over, "coturn works again.")]
    );
    assert_eq!(looker.watch(&trouble(Trouble::NotAsked), 600).len(), 1);
}

#[test]
fn what_the_settings_do_not_have_any_more_is_forgotten() {
    let mut looker = Looker::new();
    let trouble = Observation { providers: vec![(ProviderKind::Coturn.into(), Some(Trouble::Silent))], ..well() };
    let without = Observation { providers: Vec::new(), ..well() };
    looker.look(&well());
    assert_eq!(looker.watch(&trouble, 600).len(), 1);
    assert_eq!(looker.watch(&without, 600), []);
    assert_eq!(looker.watch(&trouble, 600).len(), 1);
}

#[test]
fn what_cannot_be_counted_is_said_at_once_and_when_it_is_over() {
    let mut looker = Looker::new();
    let fails = Observation { counting_fails: Some("the disk is full".to_owned()), ..well() };
    let said = looker.look(&fails);
    assert_eq!(said[0].message, "What is relayed cannot be counted: the disk is full.");
    assert_eq!((said.len(), said[0].severity), (1, Severity::Critical));
    assert_eq!(looker.watch(&fails, 600), []);
    let said = looker.watch(&well(), 600);
    assert_eq!(said.iter().map(ToString::to_string).collect::<Vec<_>>(), ["What is relayed is counted again."]);
}

#[test]
fn counts_that_stay_apart_are_said_and_again_when_they_are_further_apart() {
    let mut looker = Looker::new();
    let apart = |ours: u64, theirs: u64| {
        let (ours, theirs) = (ByteCount::new(ours * GB / 10), ByteCount::new(theirs * GB / 10));
        Observation { drifts: vec![Drift { provider: ProviderKind::Coturn.into(), ours, theirs }], ..well() }
    };
    looker.look(&well());
    // Late, and of no importance.
    assert_eq!(looker.watch(&apart(100, 50), 600), []);
    assert_eq!(looker.watch(&apart(0, 9), 7_200), []);
    assert_eq!(looker.watch(&apart(1_000, 920), 7_200), []);
    let said = looker.watch(&apart(1_000, 880), 7_200);
    assert_eq!(
        said.iter().map(|alert| alert.message.as_str()).collect::<Vec<_>>(),
        ["coturn counts 88.00 GB this month, and we count 100.00 GB."]
    );
    assert_eq!(looker.watch(&apart(1_000, 910), 7_200), [], "a little better is not over");
    assert_eq!(looker.watch(&apart(700, 1_000), 7_200).len(), 1);
}

#[test]
fn a_count_that_stays_away_is_said_once_and_when_it_is_back() {
    let unheard = |unheard| Observation { meters: vec![(ProviderKind::Coturn.into(), Some(unheard))], ..well() };
    for (why, sentence) in [
        (Unheard::NothingArrives, "What coturn counts itself does not arrive."),
        (Unheard::NotTold, "coturn does not tell what it counts."),
    ] {
        let mut looker = Looker::new();
        looker.look(&well());
        // A quarter of an hour is nothing to be woken for.
        assert_eq!(looker.watch(&unheard(why), 895), []);
        assert_eq!(looker.watch(&well(), 10), []);
        let said = looker.watch(&unheard(why), 7_200);
        let lines: Vec<_> =
            said.iter().map(|alert| (alert.topic.to_string(), alert.severity, alert.message.as_str())).collect();
        assert_eq!(lines, [("meter.coturn".to_owned(), Severity::Warning, sentence)]);
        // It comes and goes, which is the same trouble.
        assert_eq!((looker.watch(&well(), 200), looker.watch(&unheard(why), 3_600)), (vec![], vec![]));
        let said = looker.watch(&well(), 900);
        let lines: Vec<_> = said.iter().map(|alert| (alert.severity, alert.message.as_str())).collect();
        assert_eq!(lines, [(Severity::Over, "What coturn counts itself is heard again.")]);
        // Whose count is set up no more is not missed, and begins anew when it is.
        assert_eq!(looker.watch(&unheard(why), 1_800).len(), 1);
        assert_eq!(looker.watch(&Observation { meters: Vec::new(), ..well() }, 600), []);
        assert_eq!(looker.watch(&unheard(why), 1_800).len(), 1);
    }
}

#[test]
fn unusual_burn_is_said_once_in_an_evening() {
    let mut looker = Looker::new();
    let (mut said, mut used) = (Vec::new(), 0);
    for minute in 0..300 {
        used += if minute < 200 { GB } else { 0 };
        let seen = Observation { used: ByteCount::new(used), counted: ByteCount::new(used), ..well() };
        said.extend(looker.look(&seen));
        looker.now = looker.now.plus(Duration::from_mins(1));
    }
    let lines: Vec<_> = said.iter().map(|alert| (alert.topic.clone(), alert.severity)).collect();
    assert_eq!(lines, [(Topic::Burn, Severity::Warning)]);
    assert!(said[0].message.starts_with("20.00 GB were relayed in the last hour, 4 times"), "{}", said[0].message);
}

#[test]
fn what_a_provider_says_late_was_not_relayed_in_the_last_hour() {
    let mut looker = Looker::new();
    let mut seen = Observation { used: ByteCount::new(5 * GB), counted: ByteCount::new(5 * GB), ..well() };
    assert_eq!(looker.watch(&seen, 60), []);
    seen.used = ByteCount::new(120 * GB);
    assert_eq!(looker.watch(&seen, 7_200), []);
    seen.counted = ByteCount::new(125 * GB);
    assert_eq!(looker.look(&seen).first().map(|alert| alert.topic.clone()), Some(Topic::Burn));
}
