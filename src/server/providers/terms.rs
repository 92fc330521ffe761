//! What each provider promises, as far as it says so itself.
//!
//! The values stand with the providers. Knows nothing of how a provider is asked, and nothing of prices: those are
//! [`money`](crate::server::money)'s.

use super::{cloudflare, coturn, metered, relay, static_login, twilio, xirsys};
use crate::{domain::ProviderKind, server::usage::Billing};
use std::time::Duration;

/// Shorter lives would have to be renewed while they are being used for the first time.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);

/// The conditions under which one kind of provider works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The longest life of a credential; `None` where the operator decides alone.
    pub longest_life: Option<Duration>,
    /// What becomes of a call over a relay when its credential expires.
    pub at_expiry: AtExpiry,
    /// Which bytes are billed.
    pub billing: Billing,
    /// Whether a credential can be made worthless before it expires: the provider takes it back, or bars whoever holds it.
    pub revocable: bool,
    /// Whether the provider tells what was used.
    pub usage: UsageAsked,
}

/// What becomes of a relayed call when its credential expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtExpiry {
    /// It is cut off shortly afterwards.
    CutOff,
    /// It goes on: the credential is looked at when a relay is allocated, and not again.
    GoesOn,
    /// Nobody says.
    NotKnown,
}

/// For whom a provider tells what was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageAsked {
    /// For each credential.
    EachCredential,
    /// For the account as a whole.
    Account,
    /// For nobody.
    Nothing,
}

impl Terms {
    /// The terms of this kind.
    pub const fn of(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::Cloudflare => cloudflare::TERMS,
            ProviderKind::Twilio => twilio::TERMS,
            ProviderKind::Xirsys => xirsys::TERMS,
            ProviderKind::Metered => metered::TERMS,
            ProviderKind::Coturn => coturn::TERMS,
            ProviderKind::Static => static_login::TERMS,
            ProviderKind::Relay => relay::TERMS,
        }
    }

    /// The life of a credential when this one is asked for.
    pub fn life(&self, asked: Duration) -> Duration {
        asked.max(SHORTEST_LIFE).min(self.longest_life.unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_brought_within_the_bounds_of_each_kind() {
        let lives = |kind| [1, 3_600, 864_000].map(|asked| Terms::of(kind).life(Duration::from_secs(asked)).as_secs());
        assert_eq!(lives(ProviderKind::Cloudflare), [30, 3_600, 172_800]);
        assert_eq!(lives(ProviderKind::Twilio), [30, 3_600, 86_400]);
        assert_eq!(lives(ProviderKind::Xirsys), [30, 3_600, 86_400]);
        for kind in [ProviderKind::Metered, ProviderKind::Coturn, ProviderKind::Static, ProviderKind::Relay] {
            assert_eq!(lives(kind), [30, 3_600, 864_000], "{kind}");
        }
    }

    #[test]
    fn what_is_billed_is_what_is_counted() {
        for kind in ProviderKind::ALL {
            assert_eq!(Terms::of(kind).billing, Billing::of(kind), "{kind}");
        }
    }
}
