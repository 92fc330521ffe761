use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const GB: u64 = 1_000_000_000;

fn at(text: &str) -> UnixMillis {
    UnixMillis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond().try_into().unwrap())
}

/// What is used if `bytes` come evenly on each of the days from `from` until `now`.
fn evenly(bytes: u64, from: UnixMillis, now: UnixMillis) -> OfProvider {
    let mut days = BTreeMap::new();
    for day in from.0 / DAY..=now.0 / DAY {
        let (begin, end) = ((day * DAY).max(from.0), ((day + 1) * DAY).min(now.0));
        let part = u128::from(bytes) * u128::from(end.saturating_sub(begin)) / u128::from(DAY);
        days.insert(u32::try_from(day).unwrap(), ByteCount::new(u64::try_from(part).unwrap()));
    }
    let began = u32::try_from(Month::of(now).starts_at().0 / DAY).unwrap();
    let month = days.range(began..).fold(ByteCount::ZERO, |sum, (_, bytes)| sum.plus(*bytes));
    OfProvider { month, days }
}

/// What the month will have if the same comes on each of its days that are left.
fn going_on(bytes: u64, used: &OfProvider, now: UnixMillis) -> ByteCount {
    let rest = Month::of(now).next().starts_at().0 - now.0;
    used.month.plus(ByteCount::new(u64::try_from(u128::from(bytes) * u128::from(rest) / u128::from(DAY)).unwrap()))
}

/// What whole bytes of a day, and of an hour that stands for a month, may differ by.
const ROUNDING: ByteCount = ByteCount::new(1_000);

#[track_caller]
fn assert_within(total: ByteCount, forecast: &Forecast) {
    let Range { least, likely, most } = forecast.bytes;
    assert!(least <= likely && likely <= most, "{forecast:?}");
    let slack = ROUNDING;
    assert!(least <= total.plus(slack) && total <= most.plus(slack), "{total:?} is not within {forecast:?}");
}

#[test]
fn ten_gigabytes_a_day_are_three_hundred_in_november() {
    let now = at("2026-11-16T00:00:00Z");
    let forecast = Forecast::of(&evenly(10 * GB, at("2026-11-01T00:00:00Z"), now), now);
    assert_eq!((forecast.bytes.likely, forecast.days), (ByteCount::new(300 * GB), 14));
    assert!(forecast.bytes.least >= ByteCount::new(285 * GB) && forecast.bytes.most <= ByteCount::new(315 * GB));
}

#[test]
fn a_leap_day_is_one_day_more() {
    for (year, days) in [("2024", 29), ("2026", 28), ("2000", 29), ("2100", 28)] {
        let now = at(&format!("{year}-02-11T00:00:00Z"));
        let forecast = Forecast::of(&evenly(10 * GB, at(&format!("{year}-02-01T00:00:00Z")), now), now);
        assert_eq!(forecast.bytes.likely, ByteCount::new(days * 10 * GB), "{year}");
    }
}

#[test]
fn at_the_months_last_moment_it_is_what_is_used() {
    let now = at("2026-11-30T23:59:59.999Z");
    let used = evenly(10 * GB, at("2026-11-01T00:00:00Z"), now);
    let Range { least, most, .. } = Forecast::of(&used, now).bytes;
    assert!(least >= used.month && most <= used.month.plus(ROUNDING), "{least:?} {most:?}");
}

#[test]
fn on_the_first_day_the_month_before_speaks() {
    let now = at("2026-12-01T00:30:00Z");
    let forecast = Forecast::of(&evenly(10 * GB, at("2026-10-01T00:00:00Z"), now), now);
    assert_eq!(forecast.days, 28);
    let likely = forecast.bytes.likely.get();
    assert!(likely.abs_diff(310 * GB) < GB, "{likely}");
}

#[test]
fn on_the_very_first_day_little_is_known_and_it_is_said() {
    let now = at("2026-11-01T02:00:00Z");
    let used = evenly(12 * GB, at("2026-11-01T00:00:00Z"), now);
    let forecast = Forecast::of(&used, now);
    // One GB in two hours: from no more at all to that pace all month.
    assert_eq!((forecast.days, forecast.bytes.least), (0, ByteCount::new(GB)));
    assert_within(ByteCount::new(360 * GB), &forecast);
    assert!(forecast.bytes.likely < ByteCount::new(40 * GB), "{forecast:?}");
    assert_eq!(Forecast::of(&OfProvider::default(), now).bytes.most, ByteCount::ZERO);
}

#[test]
fn film_nights_come_again_on_their_weekday() {
    // Four weeks of 100 GB on Saturdays alone; three Saturdays are left in this month.
    let now = at("2026-11-09T00:00:00Z");
    let saturdays = ["2026-10-17", "2026-10-24", "2026-10-31", "2026-11-07"];
    let day = |text: &str| u32::try_from(at(&format!("{text}T00:00:00Z")).0 / DAY).unwrap();
    let mut days: BTreeMap<_, _> = saturdays.iter().map(|text| (day(text), ByteCount::new(100 * GB))).collect();
    days.insert(day("2026-10-12"), ByteCount::ZERO);
    let used = OfProvider { month: ByteCount::new(100 * GB), days };
    let forecast = Forecast::of(&used, now);
    assert_eq!(forecast.bytes.likely, ByteCount::new(400 * GB));
}

#[test]
fn a_provider_that_counts_more_goes_on_doing_so() {
    let now = at("2026-11-16T00:00:00Z");
    let ours = evenly(10 * GB, at("2026-11-01T00:00:00Z"), now);
    let theirs = OfProvider { month: ByteCount::new(165 * GB), ..ours };
    assert_eq!(Forecast::of(&theirs, now).bytes.likely, ByteCount::new(330 * GB));
    let alone = OfProvider { month: ByteCount::new(150 * GB), ..OfProvider::default() };
    assert_eq!(Forecast::of(&alone, now).bytes.likely, ByteCount::new(300 * GB));
}

#[test]
fn days_that_are_yet_to_come_are_not_looked_at() {
    let now = at("2026-11-16T00:00:00Z");
    let mut used = evenly(10 * GB, at("2026-11-01T00:00:00Z"), now);
    let before = Forecast::of(&used, now);
    used.days.insert(u32::try_from(now.0 / DAY + 3).unwrap(), ByteCount::new(999 * GB));
    assert_eq!(Forecast::of(&used, now), before);
}

/// From 1970 to 2100.
fn moments() -> impl Strategy<Value = UnixMillis> {
    (40 * DAY..47_000 * DAY).prop_map(UnixMillis)
}

proptest! {
    #[test]
    fn it_is_never_below_what_is_used_and_in_order(
        now in moments(), month in 0..1_u64 << 50, days in prop::collection::btree_map(0..40_u32, 0..1_u64 << 62, 0..30),
    ) {
        let today = u32::try_from(now.0 / DAY).unwrap();
        let days = days.into_iter().map(|(ago, bytes)| (today - ago, ByteCount::new(bytes))).collect();
        let forecast = Forecast::of(&OfProvider { month: ByteCount::new(month), days }, now);
        prop_assert!(ByteCount::new(month) <= forecast.bytes.least);
        prop_assert!(forecast.bytes.least <= forecast.bytes.likely && forecast.bytes.likely <= forecast.bytes.most);
        prop_assert!(forecast.days <= 28);
    }

    #[test]
    fn what_goes_on_as_it_went_is_in_the_range(now in moments(), bytes in 0..1_u64 << 45, days in 0..60_u64) {
        prop_assume!(days > 1 || now.0 % DAY > DAY / 24);
        let from = UnixMillis(now.0.saturating_sub(days * DAY) / DAY * DAY);
        let used = evenly(bytes, from, now);
        assert_within(going_on(bytes, &used, now), &Forecast::of(&used, now));
    }

    #[test]
    fn what_began_in_the_middle_of_an_earlier_day_is_in_the_range_too(
        now in moments(), bytes in 0..1_u64 << 45, before_today in 1..30 * DAY,
    ) {
        // Of a single day that is not known to be complete today has to tell.
        prop_assume!(before_today > DAY || now.0 % DAY > DAY / 24);
        let used = evenly(bytes, UnixMillis(now.0 / DAY * DAY - before_today), now);
        assert_within(going_on(bytes, &used, now), &Forecast::of(&used, now));
    }

    #[test]
    fn the_same_usage_gives_the_same_figures(now in moments(), bytes in 0..1_u64 << 45) {
        let used = evenly(bytes, UnixMillis(now.0.saturating_sub(20 * DAY)), now);
        prop_assert_eq!(Forecast::of(&used, now), Forecast::of(&used.clone(), now));
    }
}
