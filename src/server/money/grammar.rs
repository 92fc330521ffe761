//! How prices are written in the settings.
//!
//! `PROVIDER = PLAN | PLAN ..`, with commas between providers. A plan is made of parts with `+` between them, each at most once:
//! `5/month` is a fee, `20000free` is how many GB are in it (`20TBfree` is the same), `0.05/GB` or `1.19/TB` is what the rest costs. A
//! plan that has `free` and no price for the rest ends there; one that has neither carries any amount. Of several plans the
//! cheapest that carries the month is paid.

use super::{Money, Plan, Prices, Rate, Tariff};
use crate::domain::{ByteCount, ProviderName};
use std::collections::BTreeMap;

impl Prices {
    /// Reads `cloudflare=0.05/GB+1000free,coturn:fra=5/month+20000free+1.19/TB`. Fails with the part that means nothing, or
    /// stands there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut set = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, plans) = part.split_once('=').ok_or(part)?;
            let name: ProviderName = name.trim().to_ascii_lowercase().parse().map_err(|_| part)?;
            let tariff = tariff(plans).ok_or(part)?;
            if set.insert(name, tariff).is_some() {
                return Err(part.to_owned());
            }
        }
        Ok(Self::with(set))
    }
}

fn tariff(text: &str) -> Option<Tariff> {
    let mut plans = text.split('|').map(plan);
    let first = plans.next()??;
    let others: Option<Vec<_>> = plans.collect();
    Some(Tariff::new(first, others?))
}

fn plan(text: &str) -> Option<Plan> {
    let (mut fee, mut included, mut beyond) = (None, None, None);
    for part in text.split('+').map(|part| part.trim().to_ascii_lowercase()) {
        let twice = if let Some(amount) = part.strip_suffix("/month") {
            fee.replace(Money::parse(amount).ok()?).is_some()
        } else if let Some(amount) = part.strip_suffix("/gb") {
            beyond.replace(Rate::per_gb(Money::parse(amount).ok()?)).is_some()
        } else if let Some(amount) = part.strip_suffix("/tb") {
            beyond.replace(Rate::per_tb(Money::parse(amount).ok()?)).is_some()
        } else {
            included.replace(amount(part.strip_suffix("free")?)?).is_some()
        };
        if twice {
            return None;
        }
    }
    let flat = included.is_none() && beyond.is_none();
    let beyond = if flat { Some(Rate::per_gb(Money::ZERO)) } else { beyond };
    Some(Plan { fee: fee.unwrap_or_default(), included: included.unwrap_or_default(), beyond })
}

/// GB where no unit is named.
fn amount(text: &str) -> Option<ByteCount> {
    let text = text.trim();
    match text.strip_suffix("tb") {
        Some(terabytes) => {
            let thousandth = ByteCount::parse_gb(terabytes).ok()?;
            thousandth.get().checked_mul(1_000).map(ByteCount::new)
        }
        None => ByteCount::parse_gb(text.strip_suffix("gb").unwrap_or(text)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(prices: &str, name: &str, gb: u64) -> Option<String> {
        let prices = Prices::parse(prices).unwrap();
        prices.cost(&name.parse().unwrap(), ByteCount::new(gb * 1_000_000_000)).map(|cost| cost.to_string())
    }

    #[test]
    fn fees_free_amounts_and_prices_are_read_in_any_order() {
        let written = "Cloudflare = 0.05/GB+1000free, coturn:fra=5/month + 20000free + 1.19/TB,";
        assert_eq!(cost(written, "cloudflare", 2_000).as_deref(), Some("50.00"));
        assert_eq!(cost(written, "coturn:fra", 20_000).as_deref(), Some("5.00"));
        assert_eq!(cost(written, "coturn:fra", 30_000).as_deref(), Some("16.90"));
        let other = "coturn=1.19/tb+20TBfree+5/MONTH";
        assert_eq!(cost(other, "coturn", 30_000).as_deref(), Some("16.90"));
    }

    #[test]
    fn plans_are_steps_and_the_last_may_go_on() {
        let plans = "xirsys=0.5free|33/month+100GBfree|99/month+500free+0.25/GB";
        let costs = [0, 1, 100, 101, 600].map(|gb| cost(plans, "xirsys", gb).unwrap());
        assert_eq!(costs, ["0.00", "33.00", "33.00", "99.00", "124.00"]);
        assert_eq!(cost("xirsys=10/month+50free", "xirsys", 51), None);
        assert_eq!(cost("relay=10/month", "relay", 1_000_000).as_deref(), Some("10.00"));
        assert_eq!(cost("relay=0/GB", "relay", 1_000_000).as_deref(), Some("0.00"));
    }

    #[test]
    fn what_means_nothing_is_refused_with_the_part_that_it_is() {
        let wrong = [
            "cloudflare",
            "cloudflare=",
            "cloudflare=0.05",
            "cloudflare=free",
            "cloudflare=-1/GB",
            "cloudflare=1/GB+2/TB",
            "cloudflare=1/GB|",
            "cloudflare=5/year",
            "cloudflare=1/month+1/month",
            "nobody=1/GB",
            "cloudflare=$1/GB",
        ];
        for text in wrong {
            assert_eq!(Prices::parse(&format!("twilio=1/GB, {text}")), Err(text.to_owned()));
        }
        assert_eq!(Prices::parse("twilio=1/GB,twilio=2/GB"), Err("twilio=2/GB".to_owned()));
        assert_eq!(Prices::parse(""), Ok(Prices::default()));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
            let _ = Prices::parse(&text);
            let _ = Prices::parse(&format!("coturn={text}"));
        }
    }
}
