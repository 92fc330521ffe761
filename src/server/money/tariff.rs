//! What a month's bytes cost at one place: a plan, or several of which the cheapest that carries the month is taken.
//!
//! That covers free amounts, fixed fees, steps from plan to plan, and prices that fall with the amount: the cheapest of several
//! straight lines. Costs are rounded up to the millionth.

use super::Money;
use crate::domain::ByteCount;

/// What each so many bytes cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The price.
    pub price: Money,
    /// For so many bytes, at least one.
    pub bytes: ByteCount,
}

impl Rate {
    /// A price for 10^9 bytes.
    pub const fn per_gb(price: Money) -> Self {
        Self { price, bytes: ByteCount::new(1_000_000_000) }
    }

    /// A price for 10^12 bytes.
    pub const fn per_tb(price: Money) -> Self {
        Self { price, bytes: ByteCount::new(1_000_000_000_000) }
    }

    fn cost(self, bytes: ByteCount) -> Money {
        let whole = u128::from(bytes.get()) * u128::from(self.price.get());
        saturated(whole.div_ceil(u128::from(self.bytes.get().max(1))))
    }

    /// The most bytes that cost no more than this.
    fn buys(self, money: Money) -> ByteCount {
        match self.price.get() {
            0 => ByteCount::new(u64::MAX),
            price => {
                let bytes = u128::from(money.get()) * u128::from(self.bytes.get()) / u128::from(price);
                ByteCount::new(u64::try_from(bytes).unwrap_or(u64::MAX))
            }
        }
    }
}

/// One way in which a month can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What the month costs whatever is relayed.
    pub fee: Money,
    /// How much is in that.
    pub included: ByteCount,
    /// What the rest costs; `None` where there is no more to be had.
    pub beyond: Option<Rate>,
}

impl Plan {
    /// What a month of so many bytes costs, where the plan carries them.
    fn cost(&self, bytes: ByteCount) -> Option<Money> {
        if bytes <= self.included {
            return Some(self.fee);
        }
        Some(self.fee.plus(self.beyond?.cost(bytes.minus(self.included))))
    }

    /// The most bytes of a month that cost no more than this; `None` where the fee alone does.
    fn buys(&self, money: Money) -> Option<ByteCount> {
        let left = (self.fee <= money).then(|| money.minus(self.fee))?;
        Some(self.beyond.map_or(self.included, |rate| self.included.plus(rate.buys(left))))
    }
}

/// How a month is billed: by whichever of these plans is the cheapest that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff(Vec<Plan>);

impl Tariff {
    /// The plans there are; at least one.
    pub fn new(first: Plan, others: impl IntoIterator<Item = Plan>) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }

    /// The plans, in the order in which they were given.
    pub fn plans(&self) -> &[Plan] {
        &self.0
    }

    /// What a GB costs beyond what is included, in the first plan that sells more.
    pub fn per_gb(&self) -> Option<Money> {
        self.0.iter().find_map(|plan| plan.beyond).map(|rate| {
            let micros = u128::from(rate.price.get()) * 1_000_000_000 / u128::from(rate.bytes.get().max(1));
            Money::micros(u64::try_from(micros).unwrap_or(u64::MAX))
        })
    }

    /// What a month of so many bytes costs; `None` where no plan carries them. Never less for more bytes.
    pub fn cost(&self, bytes: ByteCount) -> Option<Money> {
        self.0.iter().filter_map(|plan| plan.cost(bytes)).min()
    }

    /// What the last so many of a month's bytes cost, in the plan that is the cheapest for the month: its fee is no part's, and what is
    /// included costs nothing. `None` where no plan carries the month.
    pub fn cost_of_part(&self, month: ByteCount, part: ByteCount) -> Option<Money> {
        let costs = self.0.iter().filter_map(|plan| Some((plan.cost(month)?, plan)));
        let (cost, plan) = costs.min_by_key(|(cost, _)| *cost)?;
        Some(cost.minus(plan.cost(month.minus(part))?))
    }

    /// The most bytes of a month that cost no more than this; `None` where a month costs more even without any.
    pub fn buys(&self, money: Money) -> Option<ByteCount> {
        self.0.iter().filter_map(|plan| plan.buys(money)).max()
    }
}

fn saturated(sum: u128) -> Money {
    Money::micros(u64::try_from(sum).unwrap_or(u64::MAX))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gb(count: u64) -> ByteCount {
        ByteCount::new(count * 1_000_000_000)
    }

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    /// Any plan that somebody might sell.
    fn plan() -> impl Strategy<Value = Plan> {
        let rate = (0..2_000_000_u64, prop::sample::select(vec![1_000_000_000_u64, 1_000_000_000_000]));
        let rate = rate.prop_map(|(price, bytes)| Rate { price: Money::micros(price), bytes: ByteCount::new(bytes) });
        (0..100_000_000_u64, 0..5_000_000_000_000_u64, prop::option::of(rate)).prop_map(|(fee, included, beyond)| {
            Plan { fee: Money::micros(fee), included: ByteCount::new(included), beyond }
        })
    }

    /// Any tariff of up to four plans.
    pub(in crate::server::money) fn tariff() -> impl Strategy<Value = Tariff> {
        (plan(), prop::collection::vec(plan(), 0..4)).prop_map(|(first, others)| Tariff::new(first, others))
    }

    #[test]
    fn the_free_part_is_free_and_the_rest_is_rounded_up() {
        let plan = Plan { fee: Money::ZERO, included: gb(1_000), beyond: Some(Rate::per_gb(money("0.05"))) };
        let tariff = Tariff::new(plan, []);
        assert_eq!(tariff.cost(gb(1_000)), Some(Money::ZERO));
        assert_eq!(tariff.cost(gb(2_000)), Some(money("50")));
        assert_eq!(tariff.cost(gb(1_000).plus(ByteCount::new(1))), Some(Money::micros(1)));
        assert_eq!(tariff.buys(Money::ZERO), Some(gb(1_000)));
        assert_eq!(tariff.buys(money("50")), Some(gb(2_000)));
    }

    #[test]
    fn steps_go_from_plan_to_plan_and_end_with_the_last() {
        let step = |fee, included| Plan { fee: money(fee), included: gb(included), beyond: None };
        let tariff = Tariff::new(step("0", 5), [step("10", 100), step("50", 500)]);
        let costs = [5, 6, 100, 101, 500, 501].map(|bytes| tariff.cost(gb(bytes)));
        let expected = ["0", "10", "10", "50", "50"].map(|cost| Some(money(cost)));
        assert_eq!(costs[..5], expected);
        assert_eq!(costs[5], None);
        assert_eq!(
            ["9.99", "10", "49", "1000"].map(|m| tariff.buys(money(m))),
            [5, 100, 100, 500].map(|b| Some(gb(b)))
        );
    }

    #[test]
    fn a_server_costs_its_fee_and_what_passes_its_traffic() {
        let plan = Plan { fee: money("5"), included: gb(20_000), beyond: Some(Rate::per_tb(money("1.19"))) };
        let tariff = Tariff::new(plan, []);
        assert_eq!(tariff.cost(ByteCount::ZERO), Some(money("5")));
        assert_eq!(tariff.cost(gb(22_000)), Some(money("7.38")));
        assert_eq!(tariff.buys(money("4.99")), None);
    }

    #[test]
    fn a_part_costs_what_it_adds_beyond_what_is_included_and_no_fee() {
        let beyond = Some(Rate::per_gb(money("0.05")));
        let small = Plan { fee: Money::ZERO, included: gb(10), beyond: None };
        let tariff = Tariff::new(small, [Plan { fee: money("5"), included: gb(100), beyond }]);
        let cost = |month, part| tariff.cost_of_part(gb(month), gb(part));
        assert_eq!(
            (cost(10, 10), cost(11, 11), cost(100, 40)),
            (Some(Money::ZERO), Some(Money::ZERO), Some(Money::ZERO))
        );
        assert_eq!((cost(110, 4), cost(110, 40)), (Some(money("0.2")), Some(money("0.5"))));
        assert_eq!((cost(110, 0), cost(110, 500)), (Some(Money::ZERO), Some(money("0.5"))));
        assert_eq!(Tariff::new(small, []).cost_of_part(gb(11), gb(1)), None);
    }

    proptest! {
        #[test]
        fn a_part_costs_no_more_than_the_month(tariff in tariff(), month in 0..1_u64 << 50, part in 0..1_u64 << 50) {
            let (month, part) = (ByteCount::new(month), ByteCount::new(part));
            let (all, part) = (tariff.cost(month), tariff.cost_of_part(month, part));
            prop_assert_eq!(all.is_some(), part.is_some());
            prop_assert!(part <= all);
        }

        #[test]
        fn more_never_costs_less(tariff in tariff(), one in 0..1_u64 << 50, other in 0..1_u64 << 50) {
            let (less, more) = (ByteCount::new(one.min(other)), ByteCount::new(one.max(other)));
            match (tariff.cost(less), tariff.cost(more)) {
                (Some(less), Some(more)) => prop_assert!(less <= more),
                (None, more) => prop_assert_eq!(more, None),
                (Some(_), None) => {}
            }
        }

        #[test]
        fn what_money_buys_costs_no_more_and_one_byte_more_does(tariff in tariff(), micros in 0..1_u64 << 40) {
            let money = Money::micros(micros);
            match tariff.buys(money) {
                Some(bytes) => {
                    prop_assert!(tariff.cost(bytes).is_some_and(|cost| cost <= money));
                    let more = bytes.plus(ByteCount::new(1));
                    prop_assert!(more == bytes || tariff.cost(more).is_none_or(|cost| cost > money));
                }
                None => prop_assert!(tariff.cost(ByteCount::ZERO).is_none_or(|cost| cost > money)),
            }
        }
    }
}
