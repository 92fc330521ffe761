//! What the same month would have cost with everybody else.
//!
//! Providers bill different bytes of the same film ([`Billing`]). A film that one end takes over a relay passes it once; where
//! both ends do, those who bill both ways bill it twice. Of which kind the month's calls were is not known here, so there are
//! two figures where the ways of billing differ.

use super::{Money, Origin, Paid, Prices, Tariff, Used, published};
use crate::{
    domain::{ByteCount, ProviderKind},
    server::usage::Billing,
};

/// A month at one kind of provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// Whose.
    pub kind: ProviderKind,
    /// The bytes that it would have billed, at least and at most.
    pub bytes: (ByteCount, ByteCount),
    /// What they would have cost; `None` where nothing that is sold there carries them, or nothing is known.
    pub cost: (Option<Money>, Option<Money>),
    /// Where the price is from; `None`: a rough figure out of guides.
    pub origin: Option<Origin>,
}

impl Elsewhere {
    /// The month at each kind, with the prices that were set for the kind where they were.
    pub fn all(prices: &Prices, used: &Used) -> Vec<Self> {
        ProviderKind::ALL.into_iter().map(|kind| Self::at(kind, prices, used)).collect()
    }

    fn at(kind: ProviderKind, prices: &Prices, used: &Used) -> Self {
        let billed =
            used.providers.iter().map(|(name, of)| billed(Billing::of(name.kind()), Billing::of(kind), of.month));
        let bytes = billed.fold((ByteCount::ZERO, ByteCount::ZERO), |(least, most), (less, more)| {
            (least.plus(less), most.plus(more))
        });
        let (tariff, origin) = match prices.of(&kind.into()) {
            Paid::By(tariff, origin) => (Some(tariff), Some(origin)),
            Paid::OwnLine | Paid::NotKnown => (published(kind).roughly, None),
        };
        let cost = |bytes| tariff.as_ref().and_then(|tariff: &Tariff| tariff.cost(bytes));
        Self { kind, bytes, cost: (cost(bytes.0), cost(bytes.1)), origin }
    }
}

/// What one bills of what another billed so much of: at least, and at most.
fn billed(here: Billing, there: Billing, bytes: ByteCount) -> (ByteCount, ByteCount) {
    match (here, there) {
        (Billing::ClientEgress, Billing::ClientBoth) => (bytes, bytes.plus(bytes)),
        (Billing::ClientBoth, Billing::ClientEgress) => (ByteCount::new(bytes.get() / 2), bytes),
        (Billing::ClientEgress, Billing::ClientEgress) | (Billing::ClientBoth, Billing::ClientBoth) => (bytes, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UnixMillis;

    fn gb(count: u64) -> ByteCount {
        ByteCount::new(count * 1_000_000_000)
    }

    fn at(all: &[Elsewhere], kind: ProviderKind) -> (Option<String>, Option<String>) {
        let (least, most) = all.iter().find(|elsewhere| elsewhere.kind == kind).unwrap().cost;
        (least.map(|cost| cost.to_string()), most.map(|cost| cost.to_string()))
    }

    #[test]
    fn the_same_month_is_reckoned_with_everybodys_prices_and_ways_of_billing() {
        let used = Used::at(UnixMillis(1_800_000_000_000)).with(ProviderKind::Cloudflare.into(), gb(500));
        let all = Elsewhere::all(&Prices::parse("relay=5/month+20TBfree").unwrap(), &used);
        assert_eq!(all.len(), ProviderKind::ALL.len());
        let both = |text: &str| (Some(text.to_owned()), Some(text.to_owned()));
        assert_eq!(at(&all, ProviderKind::Cloudflare), both("0.00"));
        assert_eq!(at(&all, ProviderKind::Twilio), (Some("200.00".into()), Some("400.00".into())));
        assert_eq!(at(&all, ProviderKind::Relay), both("5.00"));
        // Guides' tables, and beyond the free account nothing is known.
        assert_eq!(at(&all, ProviderKind::Xirsys), (Some("60.00".into()), Some("100.00".into())));
        assert_eq!(at(&all, ProviderKind::Metered), (None, None));
        let origins: Vec<_> = all.iter().filter(|at| at.origin.is_none()).map(|at| at.kind).collect();
        assert_eq!(origins, [ProviderKind::Xirsys, ProviderKind::Coturn, ProviderKind::Static]);
    }

    #[test]
    fn who_bills_both_ways_billed_each_film_once_or_twice() {
        let used = Used::at(UnixMillis(0)).with(ProviderKind::Twilio.into(), gb(100));
        let all = Elsewhere::all(&Prices::parse("cloudflare=1/GB").unwrap(), &used);
        assert_eq!(at(&all, ProviderKind::Cloudflare), (Some("50.00".into()), Some("100.00".into())));
        assert_eq!(at(&all, ProviderKind::Twilio), (Some("40.00".into()), Some("40.00".into())));
    }
}
