//! How much single providers may relay in a month.

use crate::domain::{ByteCount, ProviderName};
use std::collections::BTreeMap;

/// What an operator allows single providers in a month (UTC); whoever has no entry is bound by the limit of all alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderLimits(BTreeMap<ProviderName, ByteCount>);

impl ProviderLimits {
    /// Reads names and gigabytes, as in `cloudflare=950,coturn:fra=2000`. Fails with the part that is none, or stands there
    /// twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut limits = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, gigabytes) = part.split_once('=').ok_or(part)?;
            let name: ProviderName = name.trim().to_ascii_lowercase().parse().map_err(|_| part)?;
            let limit = ByteCount::parse_gb(gigabytes).map_err(|_| part)?;
            if limits.insert(name, limit).is_some() {
                return Err(part.to_owned());
            }
        }
        Ok(Self(limits))
    }

    /// What this provider may relay in a month, where that is bounded.
    pub fn of(&self, provider: &ProviderName) -> Option<ByteCount> {
        self.0.get(provider).copied()
    }

    /// Whose limits these are.
    pub fn names(&self) -> impl Iterator<Item = &ProviderName> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_its_own_and_the_rest_have_none() {
        let limits = ProviderLimits::parse("cloudflare=950, coturn:fra = 0.02,").unwrap();
        let of = |name: &str| limits.of(&name.parse().unwrap()).map(ByteCount::get);
        assert_eq!(of("cloudflare"), Some(950_000_000_000));
        assert_eq!(of("coturn:fra"), Some(20_000_000));
        assert_eq!((of("coturn"), of("twilio")), (None, None));
        assert_eq!(ProviderLimits::parse("").unwrap(), ProviderLimits::default());
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for wrong in ["cloudflare", "cloudflare=", "nobody=5", "cloudflare=-1", "twilio=1,twilio=2"] {
            assert!(ProviderLimits::parse(wrong).is_err(), "{wrong}");
        }
    }
}
