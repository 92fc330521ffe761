//! What relaying costs, and what it may cost.

use super::{ConfigError, values};
use crate::{
    domain::ProviderName,
    server::money::{Budget, Currency, Money, Paid, Prices},
};

/// Prices and the budget.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Money")]
pub struct MoneyConfig {
    /// What relaying may cost in a month (UTC), fees included, such as 20 or 12.50, in the currency of the prices. It holds
    /// beside the limit in GB: whichever is reached first. Unset: no budget.
    #[arg(long, env, value_parser = values::money)]
    pub monthly_budget: Option<Money>,

    /// What providers cost you, as in `cloudflare=0.05/GB+1000free,coturn:fra=5/month+20000free+1.19/TB`: a fee for the month, how
    /// many GB are in it, and what the rest costs, each left out where there is none. Several plans have `|` between them, and the
    /// cheapest that carries the month counts: `xirsys=0/month+0.5free|33/month+100free`. Unset, or for providers that are not
    /// in it: what they publish, in US dollars. A line of your own costs nothing until it has a price.
    #[arg(long, env, default_value = "", hide_default_value = true, value_parser = values::prices)]
    pub provider_prices: Prices,

    /// The word for the currency in which amounts are shown. Nothing is converted: with another one than US dollars give prices
    /// of your own.
    #[arg(long, env, default_value = "USD", value_parser = values::currency)]
    pub currency: Currency,
}

impl MoneyConfig {
    /// Whether prices are for providers that there are, and a budget for those whose prices are known.
    pub(super) fn check<'a>(
        &self,
        providers: impl Iterator<Item = &'a ProviderName> + Clone,
    ) -> Result<(), ConfigError> {
        // A kind without a label may be there to be compared with.
        for name in self.provider_prices.names().filter(|name| name.label().is_some()) {
            if !providers.clone().any(|there| there == name) {
                return Err(ConfigError::BadValue {
                    variable: "PROVIDER_PRICES".to_owned(),
                    value: name.to_string(),
                    advice: "there is no such provider; write one that is configured, as TURN_PROVIDERS names it"
                        .to_owned(),
                });
            }
        }
        let mut not_known = providers.filter(|name| self.provider_prices.of(name) == Paid::NotKnown);
        match not_known.next() {
            Some(name) if self.monthly_budget.is_some() => Err(ConfigError::NoPrice { name: name.clone() }),
            Some(_) | None => Ok(()),
        }
    }

    /// The budget, where there is one.
    pub fn budget(&self) -> Option<Budget> {
        self.monthly_budget.map(|limit| Budget { limit, prices: self.provider_prices.clone() })
    }

    /// Those whom the budget does not bound, since they cost nothing as far as it is known here.
    pub fn unbounded<'a>(&self, providers: impl Iterator<Item = &'a ProviderName>) -> Vec<&'a ProviderName> {
        providers.filter(|name| self.provider_prices.of(name) == Paid::OwnLine).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use std::{collections::HashMap, ffi::OsString};

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let read = Config::read(["tessro".into()], |name| variables.get(name).map(OsString::from));
        read.map(|(_, config)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_budget_needs_prices_that_are_known() {
        let xirsys = [("XIRSYS_IDENT", "me"), ("XIRSYS_SECRET", "s"), ("XIRSYS_CHANNEL", "c")];
        let with = |more: &[(&str, &str)]| read(&[&xirsys[..], more].concat());
        assert!(with(&[]).is_ok());
        let sentence = with(&[("MONTHLY_BUDGET", "20")]).unwrap_err();
        assert!(
            sentence.contains("what xirsys costs is not known") && sentence.contains("PROVIDER_PRICES"),
            "{sentence}"
        );
        let config = with(&[("MONTHLY_BUDGET", "12.50"), ("PROVIDER_PRICES", "xirsys=10/month+20free")]).unwrap();
        assert_eq!(config.money.monthly_budget.unwrap().to_string(), "12.50");
        let wrong = [
            ("MONTHLY_BUDGET", "twenty"),
            ("MONTHLY_BUDGET", "-1"),
            ("CURRENCY", "two words"),
            ("PROVIDER_PRICES", "cloudflare=5"),
            ("PROVIDER_PRICES", "coturn:fra=5/month"),
        ];
        for (variable, value) in wrong {
            let sentence = read(&[(variable, value)]).unwrap_err();
            assert!(sentence.starts_with(variable) && sentence.contains("write"), "{sentence}");
        }
    }
}
