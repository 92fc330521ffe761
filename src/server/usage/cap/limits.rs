//! What an operator allows, and what happens how near to it.

use super::super::provider_limits::ProviderLimits;
use crate::domain::{ByteCount, ProviderName};
use crate::server::money::Budget;

/// At which part of a limit what happens, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// The operator is warned.
    pub warn: u8,
    /// Relayed guests get a smaller picture.
    pub narrow: u8,
    /// Newcomers get no relay.
    pub direct_only: u8,
}

/// What happens while nothing can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUncounted {
    /// No credentials.
    #[default]
    Closed,
    /// Credentials as ever.
    Open,
}

impl Stages {
    /// Reads three percentages that grow, as in `70,90,95`.
    pub fn parse(text: &str) -> Option<Self> {
        let percentages: Option<Vec<u8>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match percentages?.as_slice() {
            &[warn, narrow, direct_only] if warn <= narrow && narrow <= direct_only && direct_only <= 100 => {
                Some(Self { warn, narrow, direct_only })
            }
            _ => None,
        }
    }

    /// The percentages, the limit itself among them.
    pub fn percentages(self) -> [u8; 4] {
        [self.warn, self.narrow, self.direct_only, 100]
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self { warn: 70, narrow: 90, direct_only: 95 }
    }
}

/// Every limit that an operator can set.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// In a month, altogether.
    pub month: ByteCount,
    /// In a day (UTC), altogether.
    pub day: Option<ByteCount>,
    /// In a month, over single providers.
    pub providers: ProviderLimits,
    /// In a month, for one session.
    pub session: Option<ByteCount>,
    /// In a month, for one participant.
    pub participant: Option<ByteCount>,
    /// In a month, for one client address.
    pub address: Option<ByteCount>,
    /// In a month, for one app with a key.
    pub app: Option<ByteCount>,
    /// When what happens.
    pub stages: Stages,
    /// What happens while nothing can be counted.
    pub when_uncounted: WhenUncounted,
    /// What a month may cost, and everybody who may send a bill.
    pub budget: Option<(Budget, Vec<ProviderName>)>,
}

impl From<ByteCount> for Limits {
    /// Nothing but a limit on the month.
    fn from(month: ByteCount) -> Self {
        Self { month, ..Self::default() }
    }
}
