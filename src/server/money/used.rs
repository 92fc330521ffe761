//! What a month used, as it is reckoned with here.

use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::usage::Month,
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
