//! The relay that is part of Tessro, wherever it runs.
//!
//! Nobody is asked: the credential is signed with the secret that the relay has as well. It is bound to session and
//! participant; whoever is in no session has one that is theirs alone.

use super::{AtExpiry, IceSet, Known, Minted, Order, RelayUrls, StunUrls, Terms, UsageAsked, Whom};
use crate::{
    domain::ParticipantId,
    server::{
        config::Config,
        relay::{Holder, Mint},
        usage::Billing,
    },
};
use secrecy::ExposeSecret as _;

/// No allocation outlives its credential. What a participant who is gone still has is barred at the relay, not here, by the
/// [`Bouncer`](crate::server::relay::Bouncer).
pub(super) const TERMS: Terms = Terms {
    longest_life: None,
    at_expiry: AtExpiry::CutOff,
    billing: Billing::ClientBoth,
    revocable: true,
    usage: UsageAsked::EachCredential,
};

/// Where the relay is, and what it takes. Clones share whom they know.
#[derive(Debug, Clone)]
pub struct RelayDesk {
    urls: RelayUrls,
    stun: StunUrls,
    mint: Mint,
    known: Known<Holder>,
}

impl RelayDesk {
    /// A relay at these addresses that accepts what this mint issues; it answers STUN at those.
    pub fn new(urls: RelayUrls, stun: StunUrls, mint: Mint) -> Self {
        Self { urls, stun, mint, known: Known::default() }
    }

    /// Under whose number the bytes of this holder are counted, where it is known that they were given credentials.
    pub fn known(&self, holder: Holder) -> Option<ParticipantId> {
        self.known.who(&holder)
    }

    /// Where it answers STUN.
    pub fn stun(&self) -> &StunUrls {
        &self.stun
    }

    /// The bytes of this holder are counted under this number.
    pub(super) fn remember(&self, holder: Holder, participant: ParticipantId) {
        self.known.note(holder, participant);
    }

    /// Who somebody is to the relay.
    pub(super) fn holder(&self, whom: Whom) -> Holder {
        match whom {
            Whom::Participant((code, participant)) => self.mint.holder(code, participant),
            Whom::Stranger(number) => self.mint.stranger(number),
        }
    }

    pub(super) fn mint(&self, order: Order) -> Minted {
        let holder = self.holder(order.whom);
        self.known.note(holder, order.whom.counted_as());
        let credential = self.mint.issue(holder, order.at.plus(order.life));
        let servers = IceSet::with_login(&self.urls, &credential.username, credential.password.expose_secret());
        Minted { servers, life: Some(order.at.until(credential.expires)), own: true }
    }
}

impl StunUrls {
    /// Those that were set; else the built-in relay's own, since whoever asks this server for credentials need not turn to
    /// anybody else; else Cloudflare's.
    pub fn of(config: &Config, relay: Option<&RelayDesk>) -> Self {
        let own = || relay.map(RelayDesk::stun).cloned();
        config.credentials.stun_urls.clone().or_else(own).unwrap_or_else(Self::of_cloudflare)
    }
}
