//! What a month comes to: the sums of the books, by provider.
//!
//! Pure. For each provider what was counted here and what had to be estimated count together, and never less than the
//! provider says itself: it is the provider who sends the bill. Refuses to know who said what, and where it is kept.

use super::month::Month;
use crate::domain::{ByteCount, ProviderName};
use std::collections::BTreeMap;

/// What the books hold of one provider in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProviderSum {
    /// Counted by browsers and relays.
    pub counted: ByteCount,
    /// Assumed, because nobody counted.
    pub estimated: ByteCount,
    /// What the provider says itself; zero where it says nothing.
    pub said: ByteCount,
}

/// The sums of a month, of one provider or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MonthTotal {
    /// Everything that counts towards the cap.
    pub used: ByteCount,
    /// The part of it that was assumed, because nobody counted.
    pub estimated: ByteCount,
}

/// A provider in the books; the estimate of a connection that nobody told of is nobody's.
pub(super) type Whose = Option<ProviderName>;

/// The sums of every month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<(Month, Whose), ProviderSum>);

impl ProviderSum {
    /// Ours: what was counted, and what had to be assumed.
    pub fn counted_here(self) -> ByteCount {
        self.counted.plus(self.estimated)
    }

    /// What counts: ours, or what the provider says where that is more.
    pub fn used(self) -> ByteCount {
        self.counted_here().max(self.said)
    }
}

impl Sums {
    /// What the books hold of a provider in a month now.
    pub(super) fn set(&mut self, month: Month, provider: Whose, sum: ProviderSum) {
        self.0.insert((month, provider), sum);
    }

    /// A month's sums over all providers.
    pub(super) fn total(&self, month: Month) -> MonthTotal {
        let sums = self.month(month).map(|(_, sum)| sum);
        sums.fold(MonthTotal::default(), |total, sum| MonthTotal {
            used: total.used.plus(sum.used()),
            estimated: total.estimated.plus(sum.estimated),
        })
    }

    /// What the books hold of one provider in a month.
    pub(super) fn of(&self, month: Month, provider: &ProviderName) -> ProviderSum {
        self.0.get(&(month, Some(provider.clone()))).copied().unwrap_or_default()
    }

    /// What the books hold of a month.
    pub(super) fn month(&self, month: Month) -> impl Iterator<Item = (&Whose, ProviderSum)> {
        self.0.range((month, None)..(month.next(), None)).map(|((_, provider), sum)| (provider, *sum))
    }
}

impl FromIterator<((Month, Whose), ProviderSum)> for Sums {
    fn from_iter<I: IntoIterator<Item = ((Month, Whose), ProviderSum)>>(sums: I) -> Self {
        Self(sums.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(counted: u64, estimated: u64, said: u64) -> ProviderSum {
        ProviderSum {
            counted: ByteCount::new(counted),
            estimated: ByteCount::new(estimated),
            said: ByteCount::new(said),
        }
    }

    #[test]
    fn a_month_is_what_each_provider_comes_to_and_never_less_than_it_says() {
        let month: Month = "2026-11".parse().unwrap();
        let (cloudflare, twilio) = ("cloudflare".parse().ok(), "twilio".parse().ok());
        let mut sums = Sums::default();
        sums.set(month, None, sum(0, 7, 0));
        sums.set(month, cloudflare, sum(100, 0, 90));
        sums.set(month, twilio, sum(100, 0, 150));
        sums.set(month.next(), None, sum(0, 1_000, 0));
        let total = sums.total(month);
        assert_eq!((total.used.get(), total.estimated.get()), (257, 7));
        assert_eq!(sums.of(month, &"twilio".parse().unwrap()).used().get(), 150);
        // It took back what it had said too much.
        sums.set(month, "twilio".parse().ok(), sum(100, 0, 99));
        assert_eq!(sums.total(month).used.get(), 207);
    }
}
