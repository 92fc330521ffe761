//! A relay that shares a secret with us: coturn with `use-auth-secret`, eturnal.
//!
//! Nobody is asked: the user name is the expiry and whom it is for, the password is its signature
//! (<https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00>), and the relay checks both by itself.

use super::{AtExpiry, Failure, IceSet, Minted, Order, RelayUrls, Terms, UsageAsked, rotation::Follower};
use crate::{
    domain::ProviderKind,
    server::{config::CoturnConfig, usage::Billing},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;

/// As coturn 4.6 was seen to do it. The time of expiry is looked at when a relay is allocated and not again.
pub(super) const TERMS: Terms = Terms {
    longest_life: None,
    at_expiry: AtExpiry::GoesOn,
    billing: Billing::ClientBoth,
    revocable: false,
    usage: UsageAsked::EachCredential,
};

/// A relay that takes what we sign.
#[derive(Debug)]
pub(super) struct Coturn {
    urls: RelayUrls,
    /// The secret that was made by hand.
    secret: Option<SecretString>,
    /// The secrets that are made by themselves.
    secrets: Option<Follower>,
}

impl Coturn {
    pub(super) fn new(config: CoturnConfig, secrets: Option<Follower>) -> Self {
        Self { urls: config.urls, secret: config.shared_secret, secrets }
    }

    pub(super) fn urls(&self) -> &RelayUrls {
        &self.urls
    }

    pub(super) fn mint(&self, order: Order) -> Result<Minted, Failure> {
        let newest = self.secrets.as_ref().and_then(Follower::current).map(|key| key.secret);
        let secret =
            newest.or_else(|| self.secret.clone()).ok_or(Failure::NoKey { api: ProviderKind::Coturn.title() })?;
        let expires = order.at.plus(order.life).0 / 1_000;
        let username = format!("{expires}:{}", order.whom.pseudonym());
        let password = sign(secret.expose_secret(), &username);
        Ok(Minted { servers: IceSet::with_login(&self.urls, &username, &password), life: None, own: true })
    }
}

/// `base64(HMAC-SHA1(secret, username))`, with padding.
fn sign(secret: &str, username: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_coturn_computes() {
        assert_eq!(sign("north", "1266890800:mbzrxpgjys"), "nbRcrnq5h6xXhyNhlwk+lDLvVVo=");
    }
}
