//! What a budget in money buys.
//!
//! A month's cost is the sum of its providers' costs, fees among them. What is bought of one provider is what the others leave.
//! Proven below: what is bought never passes the budget, more use never buys more, and a larger budget never buys less.

use super::{Money, Paid, Prices, Share, Used};
use crate::domain::{ByteCount, ProviderName};

/// What a month (UTC) may cost in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The most that it may cost.
    pub limit: Money,
    /// What each provider costs.
    pub prices: Prices,
}

impl Budget {
    /// What the month costs so far, fees included; `None` where a provider relayed what none of its known plans carries: then
    /// nobody knows, and no budget is left.
    pub fn spent(&self, used: &Used) -> Option<Money> {
        self.spent_without(used, None)
    }

    /// How much of the budget is used. Of a cost that nobody knows, all; of a budget of nothing, which is for what is free,
    /// nothing until something costs money.
    pub fn share(&self, used: &Used) -> Share {
        match self.spent(used) {
            Some(Money::ZERO) => Share::NONE,
            Some(spent) => Share::of(spent.get(), self.limit.get()),
            None => Share::WHOLE,
        }
    }

    /// How many more bytes of this provider the budget buys, as this provider bills them, if nobody else relays another one. Who
    /// reserves bytes adds them to `used`, and asks again. Without bound on a line of one's own that has no price; nothing
    /// where the price is not known.
    pub fn buys(&self, provider: &ProviderName, used: &Used) -> ByteCount {
        if matches!(self.prices.of(provider), Paid::OwnLine) {
            // Costs nothing, whatever the others have cost.
            return ByteCount::new(u64::MAX);
        }
        let Some(others) = self.spent_without(used, Some(provider)) else { return ByteCount::ZERO };
        if others > self.limit {
            return ByteCount::ZERO;
        }
        match self.prices.of(provider) {
            Paid::By(tariff, _) => {
                let month = tariff.buys(self.limit.minus(others)).unwrap_or_default();
                month.minus(used.of(provider))
            }
            Paid::OwnLine => ByteCount::new(u64::MAX),
            Paid::NotKnown => ByteCount::ZERO,
        }
    }

    fn spent_without(&self, used: &Used, left_out: Option<&ProviderName>) -> Option<Money> {
        let counted = used.providers.iter().filter(|(name, _)| Some(*name) != left_out);
        counted
            .map(|(name, of)| self.prices.cost(name, of.month))
            .try_fold(Money::ZERO, |sum, cost| Some(sum.plus(cost?)))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tariff::tests::tariff, *};
    use crate::domain::{ProviderKind, UnixMillis};
    use proptest::prelude::*;

    fn name(text: &str) -> ProviderName {
        text.parse().unwrap()
    }

    fn gb(count: u64) -> ByteCount {
        ByteCount::new(count * 1_000_000_000)
    }

    fn budget(limit: &str, prices: &str) -> Budget {
        Budget { limit: Money::parse(limit).unwrap(), prices: Prices::parse(prices).unwrap() }
    }

    fn used(providers: &[(&str, ByteCount)]) -> Used {
        let nothing = Used::at(UnixMillis(1_800_000_000_000));
        providers.iter().fold(nothing, |used, (provider, bytes)| used.with(name(provider), *bytes))
    }

    #[test]
    fn the_free_part_is_bought_by_no_budget_at_all() {
        let budget = budget("0", "");
        assert_eq!(budget.buys(&name("cloudflare"), &used(&[("cloudflare", gb(400))])), gb(600));
        assert_eq!(budget.buys(&name("twilio"), &used(&[])), ByteCount::ZERO);
        assert_eq!(budget.share(&used(&[("cloudflare", gb(1_000))])), Share::NONE);
        assert_eq!(budget.share(&used(&[("cloudflare", gb(1_001))])), Share::WHOLE);
    }

    #[test]
    fn what_one_provider_spends_the_others_cannot() {
        let budget = budget("50", "coturn=5/month+20000free+1.19/TB");
        let used = used(&[("cloudflare", gb(1_500)), ("coturn", ByteCount::ZERO), ("twilio", ByteCount::ZERO)]);
        // 25 for Cloudflare and 5 for the server.
        assert_eq!(budget.spent(&used), Some(Money::parse("30").unwrap()));
        assert_eq!(budget.share(&used), Share::percent(60));
        assert_eq!(budget.buys(&name("twilio"), &used), gb(50));
        assert_eq!(budget.buys(&name("cloudflare"), &used), gb(400));
        assert_eq!(budget.buys(&name("relay"), &used), ByteCount::new(u64::MAX));
    }

    #[test]
    fn a_fee_that_the_budget_does_not_cover_buys_nothing() {
        let budget = budget("4", "coturn=5/month");
        assert_eq!(budget.buys(&name("coturn"), &used(&[("coturn", gb(1))])), ByteCount::ZERO);
        assert_eq!(budget.share(&used(&[("coturn", gb(1))])), Share::percent(125));
    }

    #[test]
    fn what_nobody_knows_the_price_of_is_not_bought() {
        let budget = budget("100", "");
        assert_eq!(budget.buys(&name("xirsys"), &used(&[])), ByteCount::ZERO);
        let beyond = used(&[("metered", gb(21)), ("twilio", gb(1))]);
        assert_eq!((budget.spent(&beyond), budget.share(&beyond)), (None, Share::WHOLE));
        assert_eq!(budget.buys(&name("twilio"), &beyond), ByteCount::ZERO);
        assert_eq!(budget.buys(&name("metered"), &used(&[("metered", gb(15))])), gb(5));
    }

    /// Some providers with any tariffs, and what they used.
    fn month() -> impl Strategy<Value = (Prices, Used)> {
        let provider = (prop::sample::select(&ProviderKind::ALL), tariff(), 0..1_u64 << 43);
        prop::collection::vec(provider, 1..5).prop_map(|providers| {
            let prices =
                providers.iter().map(|(kind, tariff, _)| (ProviderName::from(*kind), tariff.clone())).collect();
            let nothing = Used::at(UnixMillis(1_800_000_000_000));
            let used = providers
                .iter()
                .fold(nothing, |used, (kind, _, bytes)| used.with((*kind).into(), ByteCount::new(*bytes)));
            (Prices::with(prices), used)
        })
    }

    fn and(used: &Used, provider: &ProviderName, bytes: ByteCount) -> Used {
        let of = used.of(provider).plus(bytes);
        used.clone().with(provider.clone(), of)
    }

    proptest! {
        #[test]
        fn what_is_bought_stays_within_the_budget_and_one_byte_more_does_not((prices, used) in month(), limit in 0..1_u64 << 40) {
            let budget = Budget { limit: Money::micros(limit), prices };
            for provider in used.providers.keys() {
                let bought = budget.buys(provider, &used);
                if bought > ByteCount::ZERO {
                    prop_assert!(budget.spent(&and(&used, provider, bought)).unwrap() <= budget.limit);
                }
                // What does not end with its bytes is without bound.
                if bought < ByteCount::new(1 << 60) {
                    let more = and(&used, provider, bought.plus(ByteCount::new(1)));
                    prop_assert!(budget.spent(&more).is_none_or(|spent| spent > budget.limit));
                }
            }
        }

        #[test]
        fn more_use_buys_no_more_and_a_larger_budget_no_less(
            (prices, used) in month(), limit in 0..1_u64 << 40, more in 0..1_u64 << 42, raise in 0..1_u64 << 38,
        ) {
            let budget = Budget { limit: Money::micros(limit), prices };
            let larger = Budget { limit: Money::micros(limit + raise), ..budget.clone() };
            let last = used.providers.keys().next_back().unwrap();
            let later = and(&used, last, ByteCount::new(more));
            prop_assert!(budget.share(&later) >= budget.share(&used) || budget.spent(&used).is_none());
            for provider in used.providers.keys() {
                prop_assert!(budget.buys(provider, &later) <= budget.buys(provider, &used));
                prop_assert!(larger.buys(provider, &used) >= budget.buys(provider, &used));
            }
        }

        #[test]
        fn buying_in_small_steps_never_passes_it((prices, used) in month(), limit in 0..1_u64 << 40, steps in prop::collection::vec((0..9_usize, 1..1_u64 << 40), 1..40)) {
            let budget = Budget { limit: Money::micros(limit), prices };
            prop_assume!(budget.spent(&used).is_some_and(|spent| spent <= budget.limit));
            let names: Vec<_> = used.providers.keys().cloned().collect();
            let mut used = used;
            for (who, wanted) in steps {
                let provider = &names[who % names.len()];
                let granted = ByteCount::new(wanted).min(budget.buys(provider, &used));
                used = and(&used, provider, granted);
                prop_assert!(budget.spent(&used).is_some_and(|spent| spent <= budget.limit));
            }
        }
    }
}
