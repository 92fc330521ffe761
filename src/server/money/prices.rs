//! The table of prices: what is known without the operator, and what the operator set in its place.
//!
//! The one place in which a price stands. `docs/costs.md` is made from it.

use super::{Money, Plan, Rate, Tariff};
use crate::domain::{ByteCount, ProviderKind, ProviderName};
use std::collections::BTreeMap;

/// When these figures were gathered.
const AS_OF: &str = "2026-11";

/// What is known of a kind's prices without its operator, in US dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// How it is paid.
    pub paid: Paid,
    /// What a month costs those who have no tariff here, roughly: for comparison, and never for a bill or a budget.
    pub roughly: Option<Tariff>,
    /// Year and month in which the figures were gathered.
    pub as_of: &'static str,
    /// Where they are from, and who has today's.
    pub source: &'static str,
}

/// How a provider is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paid {
    /// By this tariff.
    By(Tariff, Origin),
    /// Whatever the operator's own line costs, which is paid for all the same: nothing, until a price is set.
    OwnLine,
    /// By a plan of which nothing is known here until a price is set.
    NotKnown,
}

/// Where a tariff comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From [`published`].
    Published,
    /// From the settings.
    Set,
}

impl Paid {
    /// The tariff, where there is one.
    pub fn tariff(&self) -> Option<&Tariff> {
        match self {
            Self::By(tariff, _) => Some(tariff),
            Self::OwnLine | Self::NotKnown => None,
        }
    }
}

/// What is known of this kind's prices.
pub fn published(kind: ProviderKind) -> Published {
    match kind {
        ProviderKind::Cloudflare => Published {
            // Shared with their SFU. Never by the minute, whatever guides say.
            paid: by(Plan { included: gb(1_000), ..per_gb(50_000) }),
            roughly: None,
            as_of: AS_OF,
            source: "<https://developers.cloudflare.com/realtime/turn/faq/>",
        },
        ProviderKind::Twilio => Published {
            // The cheapest region.
            paid: by(per_gb(400_000)),
            roughly: None,
            as_of: AS_OF,
            source: "guides; <https://www.twilio.com/docs/stun-turn/faq> says what is billed, your account at what price",
        },
        ProviderKind::Xirsys => Published {
            paid: Paid::NotKnown,
            roughly: Some(Tariff::new(up_to(0, 5), [up_to(20, 100), up_to(60, 500), up_to(100, 1_000)])),
            as_of: AS_OF,
            source: "your plan; <https://xirsys.com/faq/> says how it is billed",
        },
        ProviderKind::Metered => Published {
            paid: by(up_to(0, 20)),
            roughly: None,
            as_of: AS_OF,
            source: "the free account, <https://www.metered.ca/tools/openrelay/>; your plan may have more",
        },
        ProviderKind::Coturn | ProviderKind::Static | ProviderKind::Relay => Published {
            paid: Paid::OwnLine,
            roughly: Some(Tariff::new(up_to(20, 100), [up_to(40, 500), up_to(100, 1_000)])),
            as_of: AS_OF,
            source: "your hoster's price list",
        },
    }
}

/// What every provider costs. The default is what is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(BTreeMap<ProviderName, Tariff>);

impl Prices {
    /// Prices with these in place of the published ones.
    pub(super) fn with(set: BTreeMap<ProviderName, Tariff>) -> Self {
        Self(set)
    }

    /// How this provider is paid: as was set for it, else as was set for its kind, else as is published.
    pub fn of(&self, provider: &ProviderName) -> Paid {
        let of_kind = || self.0.get(&ProviderName::from(provider.kind()));
        match self.0.get(provider).or_else(of_kind) {
            Some(tariff) => Paid::By(tariff.clone(), Origin::Set),
            None => published(provider.kind()).paid,
        }
    }

    /// For whom something was set.
    pub fn names(&self) -> impl Iterator<Item = &ProviderName> {
        self.0.keys()
    }

    /// What a month of so many bytes costs: nothing on a line of one's own, and `None` where that is not known.
    pub fn cost(&self, provider: &ProviderName, bytes: ByteCount) -> Option<Money> {
        match self.of(provider) {
            Paid::By(tariff, _) => tariff.cost(bytes),
            Paid::OwnLine => Some(Money::ZERO),
            Paid::NotKnown => None,
        }
    }
}

const fn gb(count: u64) -> ByteCount {
    ByteCount::new(count * 1_000_000_000)
}

const fn per_gb(micros: u64) -> Plan {
    Plan { fee: Money::ZERO, included: ByteCount::ZERO, beyond: Some(Rate::per_gb(Money::micros(micros))) }
}

const fn up_to(fee: u64, included: u64) -> Plan {
    Plan { fee: Money::micros(fee * 1_000_000), included: gb(included), beyond: None }
}

fn by(plan: Plan) -> Paid {
    Paid::By(Tariff::new(plan, []), Origin::Published)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_goes_before_what_is_published_and_the_label_before_the_kind() {
        let prices = Prices::parse("cloudflare=0.1/GB,cloudflare:eu=0.2/GB").unwrap();
        let cost = |name: &str| prices.cost(&name.parse().unwrap(), gb(10)).map(|cost| cost.to_string());
        assert_eq!(cost("cloudflare").as_deref(), Some("1.00"));
        assert_eq!(cost("cloudflare:us").as_deref(), Some("1.00"));
        assert_eq!(cost("cloudflare:eu").as_deref(), Some("2.00"));
        assert_eq!(cost("twilio").as_deref(), Some("4.00"));
        assert_eq!((cost("xirsys"), cost("coturn").as_deref()), (None, Some("0.00")));
    }

    #[test]
    fn cloudflare_costs_by_the_gigabyte_beyond_the_free_part() {
        let cost = |bytes| Prices::default().cost(&ProviderKind::Cloudflare.into(), bytes).unwrap();
        assert_eq!(cost(gb(1_000)), Money::ZERO);
        assert_eq!(cost(gb(5_000)), Money::parse("200").unwrap());
    }

    #[test]
    fn every_figure_has_a_date_and_a_source() {
        for kind in ProviderKind::ALL {
            let published = published(kind);
            assert!(published.as_of.parse::<crate::server::usage::Month>().is_ok() && !published.source.is_empty());
            let something = published.paid.tariff().is_some() || published.roughly.is_some();
            assert!(something, "{kind} is in no comparison");
        }
    }
}
