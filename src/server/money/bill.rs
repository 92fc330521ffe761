//! The month in money: so far, and by its end.

use super::{Forecast, Money, Paid, Prices, Range, Used};
use crate::domain::{ByteCount, ProviderName};
use std::time::Duration;

/// What a month costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Each provider's part, in the order of their names.
    pub lines: Vec<Line>,
    /// What is known to be owed so far. Lines without a cost are not in it.
    pub so_far: Money,
    /// What it will be by the end of the month; `None` where a plan that is known ends before that.
    pub by_end: Range<Option<Money>>,
}

/// One provider's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub provider: ProviderName,
    /// How it is paid.
    pub paid: Paid,
    /// What it relayed so far.
    pub used: ByteCount,
    /// What it will have relayed.
    pub forecast: Forecast,
    /// What that costs so far; `None` on a line of one's own, where the price is not known, and past the largest plan.
    pub so_far: Option<Money>,
    /// The same by the end of the month.
    pub by_end: Range<Option<Money>>,
}

impl Bill {
    /// The bill for what was used.
    pub fn of(prices: &Prices, used: &Used) -> Self {
        let line = |(provider, of): (&ProviderName, _)| {
            let paid = prices.of(provider);
            let forecast = Forecast::of(of, used.at);
            let cost = |bytes| paid.tariff().and_then(|tariff| tariff.cost(bytes));
            let (so_far, by_end) = (cost(of.month), forecast.bytes.map(cost));
            Line { provider: provider.clone(), paid, used: of.month, forecast, so_far, by_end }
        };
        let lines: Vec<_> = used.providers.iter().map(line).collect();
        let priced = || lines.iter().filter(|line| line.paid.tariff().is_some());
        let sum =
            |of: fn(&Line) -> Option<Money>| priced().map(of).try_fold(Money::ZERO, |sum, cost| Some(sum.plus(cost?)));
        let by_end = Range {
            least: sum(|line| line.by_end.least),
            likely: sum(|line| line.by_end.likely),
            most: sum(|line| line.by_end.most),
        };
        let so_far = lines.iter().filter_map(|line| line.so_far).fold(Money::ZERO, Money::plus);
        Self { lines, so_far, by_end }
    }

    /// What some of the month's bytes cost, as the last of the month at each provider; nothing on a line of one's own. `None` where nobody
    /// sends a bill, and where one of the prices is not known.
    pub fn part<'a>(&self, of: impl IntoIterator<Item = (&'a ProviderName, ByteCount)>) -> Option<Money> {
        let costs = |(provider, bytes): (&ProviderName, ByteCount)| {
            let line = self.lines.iter().find(|line| line.provider == *provider)?;
            match &line.paid {
                Paid::By(tariff, _) => tariff.cost_of_part(line.used, bytes),
                Paid::OwnLine => Some(Money::ZERO),
                Paid::NotKnown => None,
            }
        };
        self.lines.iter().find(|line| line.paid.tariff().is_some())?;
        of.into_iter().map(costs).try_fold(Money::ZERO, |sum, cost| Some(sum.plus(cost?)))
    }

    /// Who relayed something whose cost is not known: it is in no sum.
    pub fn not_known(&self) -> impl Iterator<Item = &ProviderName> {
        let unknown = |line: &&Line| line.so_far.is_none() && line.used > ByteCount::ZERO && line.paid != Paid::OwnLine;
        self.lines.iter().filter(unknown).map(|line| &line.provider)
    }

    /// The month's bytes by its end.
    pub fn bytes_by_end(&self) -> Range<ByteCount> {
        let none = Range { least: ByteCount::ZERO, likely: ByteCount::ZERO, most: ByteCount::ZERO };
        self.lines.iter().map(|line| line.forecast.bytes).fold(none, |sum, line| Range {
            least: sum.least.plus(line.least),
            likely: sum.likely.plus(line.likely),
            most: sum.most.plus(line.most),
        })
    }
}

/// What an hour costs of a cost for so long; `None` where it was no time at all. With the hours that sessions lasted it is the
/// cost of a session-hour, with those of their guests that of a guest-hour.
pub fn per_hour(cost: Money, time: Duration) -> Option<Money> {
    let hours = u128::from(cost.get()) * 3_600_000;
    let micros = hours.checked_div(time.as_millis())?;
    Some(Money::micros(u64::try_from(micros).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{super::OfProvider, *};
    use crate::domain::UnixMillis;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const GB: u64 = 1_000_000_000;
    /// 2026-11-16T00:00:00Z: half of the month is over.
    const NOW: UnixMillis = UnixMillis(1_794_787_200_000);

    fn evenly(gb_a_day: u64) -> OfProvider {
        let today = u32::try_from(NOW.0 / 86_400_000).unwrap();
        let days: BTreeMap<_, _> = (today - 15..today).map(|day| (day, ByteCount::new(gb_a_day * GB))).collect();
        OfProvider { month: ByteCount::new(15 * gb_a_day * GB), days }
    }

    fn used(providers: &[(&str, OfProvider)]) -> Used {
        let providers = providers.iter().map(|(name, of)| (name.parse().unwrap(), of.clone())).collect();
        Used { at: NOW, providers }
    }

    #[test]
    fn the_month_is_added_up_and_looked_forward_to() {
        let used = used(&[("cloudflare", evenly(60)), ("twilio", evenly(1)), ("relay", evenly(5))]);
        let bill = Bill::of(&Prices::default(), &used);
        let texts = |range: Range<Option<Money>>| range.map(|cost| cost.unwrap().to_string()).likely;
        // 900 GB so far are free, and 1,800 by the end are 40.
        assert_eq!((bill.so_far.to_string(), texts(bill.by_end)), ("6.00".to_owned(), "52.00".to_owned()));
        let relay = bill.lines.iter().find(|line| line.paid == Paid::OwnLine).unwrap();
        assert_eq!((relay.so_far, relay.used), (None, ByteCount::new(75 * GB)));
        assert_eq!(bill.bytes_by_end().likely, ByteCount::new(1_980 * GB));
        assert_eq!(bill.not_known().count(), 0);
    }

    #[test]
    fn what_has_no_price_is_named_and_in_no_sum() {
        let used = used(&[("xirsys", evenly(1)), ("metered", evenly(1)), ("twilio", evenly(1))]);
        let bill = Bill::of(&Prices::default(), &used);
        assert_eq!(bill.so_far.to_string(), "6.00");
        assert_eq!(bill.not_known().map(ToString::to_string).collect::<Vec<_>>(), ["xirsys"]);
        // The free account ends before the month does.
        assert_eq!(bill.by_end.likely, None);
    }

    #[test]
    fn a_session_costs_its_bytes_at_the_prices_of_its_providers() {
        let used =
            used(&[("cloudflare", evenly(67)), ("twilio", evenly(1)), ("relay", evenly(5)), ("xirsys", evenly(1))]);
        let bill = Bill::of(&Prices::default(), &used);
        let [cloudflare, twilio, relay, xirsys, metered]: [ProviderName; 5] =
            ["cloudflare", "twilio", "relay", "xirsys", "metered"].map(|name| name.parse().unwrap());
        let cost = |parts: &[(&ProviderName, u64)]| {
            let parts = parts.iter().map(|(provider, gb)| (*provider, ByteCount::new(gb * GB)));
            bill.part(parts).map(|cost| cost.to_string())
        };
        // 1,005 GB by now, of which 5 cost something.
        assert_eq!(cost(&[(&cloudflare, 2), (&twilio, 3), (&relay, 9)]).as_deref(), Some("1.30"));
        assert_eq!(cost(&[(&cloudflare, 100)]).as_deref(), Some("0.25"));
        assert_eq!(cost(&[]).as_deref(), Some("0.00"));
        assert_eq!((cost(&[(&twilio, 1), (&xirsys, 1)]), cost(&[(&metered, 1)])), (None, None));
        // Where nobody sends a bill nothing has a cost.
        let bill = Bill::of(&Prices::default(), &self::used(&[("relay", evenly(5))]));
        assert_eq!(bill.part([(&relay, ByteCount::new(GB))]), None);
    }

    #[test]
    fn an_hour_costs_its_part() {
        let cost = Money::parse("12").unwrap();
        assert_eq!(per_hour(cost, Duration::from_hours(48)), Money::parse("0.25").ok());
        assert_eq!(per_hour(cost, Duration::from_mins(30)), Money::parse("24").ok());
        assert_eq!(per_hour(cost, Duration::ZERO), None);
    }

    proptest! {
        #[test]
        fn nothing_that_is_owed_goes_away_by_the_end(cloudflare in 0..500_u64, twilio in 0..50_u64) {
            let bill = Bill::of(&Prices::default(), &used(&[("cloudflare", evenly(cloudflare)), ("twilio", evenly(twilio))]));
            let Range { least, likely, most } = bill.by_end.map(Option::unwrap);
            prop_assert!(bill.so_far <= least && least <= likely && likely <= most);
        }
    }
}
