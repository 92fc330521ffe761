//! A relay with one login for everybody, such as coturn with `lt-cred-mech`.
//!
//! Nothing is minted and nothing expires. The answer has a life all the same: when it is over browsers ask again, and learn of
//! a password that the operator has changed.

use super::{AtExpiry, IceSet, Minted, RelayUrls, Terms, UsageAsked};
use crate::server::{config::StaticConfig, usage::Billing};
use secrecy::ExposeSecret as _;

pub(super) const TERMS: Terms = Terms {
    longest_life: None,
    at_expiry: AtExpiry::GoesOn,
    billing: Billing::ClientBoth,
    revocable: false,
    usage: UsageAsked::Nothing,
};

/// A login that is handed on as it is.
#[derive(Debug)]
pub(super) struct StaticLogin(StaticConfig);

impl StaticLogin {
    pub(super) fn new(config: StaticConfig) -> Self {
        Self(config)
    }

    pub(super) fn urls(&self) -> &RelayUrls {
        &self.0.urls
    }

    pub(super) fn mint(&self) -> Minted {
        let StaticConfig { urls, username, credential } = &self.0;
        Minted { servers: IceSet::with_login(urls, username, credential.expose_secret()), life: None, own: false }
    }
}
