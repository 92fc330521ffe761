//! What a month used, as it is reckoned with here.

use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::usage::{Month, ProviderSum, Slots},
};
use std::collections::BTreeMap;

/// What every provider that is configured used, as its bill counts it. Bytes of which nobody knows the provider are to be put to
/// the one that is asked first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Until when.
    pub at: UnixMillis,
    /// Each provider's, the zeros too.
    pub providers: BTreeMap<ProviderName, OfProvider>,
}

/// One provider's part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfProvider {
    /// The month's bytes, by the larger of our count and the provider's.
    pub month: ByteCount,
    /// What we counted on each day, in days since 1970 (UTC); earlier months too, as far as it is known. A day in between that
    /// is missing had nothing.
    pub days: BTreeMap<u32, ByteCount>,
}

impl Used {
    /// Nothing yet.
    pub fn at(at: UnixMillis) -> Self {
        Self { at, providers: BTreeMap::new() }
    }

    /// What the books hold of a month, of those who are asked in this order: its sums, and the days of it and of months before.
    pub fn of_books(
        at: UnixMillis,
        names: &[&ProviderName],
        sums: &[(Option<ProviderName>, ProviderSum)],
        months: &[(Month, Slots)],
    ) -> Self {
        let mut used = names.iter().fold(Self::at(at), |used, name| used.with((*name).clone(), ByteCount::ZERO));
        // What nobody knows the provider of is put to the one that is asked first.
        let first = names.first().map(|name| (*name).clone());
        for (provider, sum) in sums {
            let Some(name) = provider.clone().or_else(|| first.clone()) else { continue };
            let of = used.providers.entry(name).or_default();
            of.month = of.month.plus(sum.used());
        }
        for (month, slots) in months {
            let first_day = u32::try_from(month.starts_at().0 / 86_400_000).unwrap_or(u32::MAX);
            for (provider, days) in slots {
                let Some(name) = provider.clone().or_else(|| first.clone()) else { continue };
                let of = used.providers.entry(name).or_default();
                for (day, bytes) in (first_day..).zip(days).filter(|(_, bytes)| **bytes > 0) {
                    let sum = of.days.entry(day).or_default();
                    *sum = sum.plus(ByteCount::new(*bytes));
                }
            }
        }
        used
    }

    /// The month.
    pub fn month(&self) -> Month {
        Month::of(self.at)
    }

    /// One more provider, of whose days nothing is known.
    #[must_use]
    pub fn with(mut self, provider: ProviderName, month: ByteCount) -> Self {
        self.providers.insert(provider, OfProvider { month, days: BTreeMap::new() });
        self
    }

    /// The month's bytes of one provider.
    pub fn of(&self, provider: &ProviderName) -> ByteCount {
        self.providers.get(provider).map(|of| of.month).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_of_a_month_are_each_providers_part_and_what_is_nobodys_is_the_first_ones() {
        let [first, second]: [ProviderName; 2] = ["cloudflare", "coturn"].map(|name| name.parse().unwrap());
        let sum = |counted, estimated, said| ProviderSum {
            counted: ByteCount::new(counted),
            estimated: ByteCount::new(estimated),
            said: ByteCount::new(said),
        };
        let books = [(Some(first.clone()), sum(10, 0, 12)), (None, sum(0, 5, 0))];
        // 2026-11-02T00:00:00Z.
        let at = UnixMillis(1_793_577_600_000);
        let days = Slots::from([(Some(first.clone()), vec![7, 3]), (None, vec![5, 0])]);
        let used = Used::of_books(at, &[&first, &second], &books, &[(Month::of(at), days)]);
        assert_eq!((used.of(&first).get(), used.of(&second).get()), (17, 0));
        let first_of_november = 20_758;
        let of_first = &used.providers[&first].days;
        assert_eq!(of_first.get(&first_of_november).map(|bytes| bytes.get()), Some(12));
        assert_eq!(of_first.get(&(first_of_november + 1)).map(|bytes| bytes.get()), Some(3));
    }
}
