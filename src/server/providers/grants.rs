//! Credentials for one caller: from the cache, from the line of providers, or STUN with the reason.
//!
//! A participant's answer is kept to 40 % of its life, so that a reload costs nothing and a renewal at half its life is
//! new; participants that ask twice at once share one request. Someone without a token is never served another's answer,
//! nor is theirs kept. Degraded answers are not kept: a provider may be back a second later, and the guard already
//! bounds how often anyone can ask.
//!
//! The settings can be exchanged while it runs: what is asked from then on is minted with the new ones, and what browsers have
//! lives on.

use super::{Grant, IceSet, Line, Pseudonym, StunUrls, line::counted_as};
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    protocol::{DegradedReason, IceAnswer, IceServer},
    server::{clock::Clock, config::Config},
};
use moka::{Expiry, future::Cache};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// A participant that has proved itself.
pub type ParticipantKey = (SessionCode, ParticipantId);

/// More participants than one process serves; beyond it the least used are forgotten and minted anew.
const MOST_KEPT: u64 = 50_000;

/// What a browser is given: from five on Firefox complains, and every one costs time.
const MOST_URLS: usize = 4;

/// Hands out credentials. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Grants {
    offer: Arc<RwLock<Offer>>,
    kept: Cache<(u64, ParticipantKey), Arc<[Grant]>>,
    clock: Clock,
}

/// What can be exchanged.
#[derive(Debug, Clone)]
struct Offer {
    line: Line,
    stun: IceSet,
    /// Answers of an earlier edition are not handed out again: their keys may have been withdrawn.
    edition: u64,
}

/// There is nothing to keep.
#[derive(Debug)]
struct Nothing;

impl Grants {
    /// Grants of these providers, or STUN.
    pub fn new(line: Line, stun: &StunUrls, clock: Clock) -> Self {
        let offer = Offer { line, stun: IceSet::from(stun), edition: 0 };
        let kept = Cache::builder().max_capacity(MOST_KEPT).expire_after(Keep).build();
        Self { offer: Arc::new(RwLock::new(offer)), kept, clock }
    }

    /// Uses the providers and STUN servers of these settings from now on.
    pub fn exchange(&self, config: &Config) -> Result<(), reqwest::Error> {
        let line = Line::new(config, self.clock.clone())?;
        line.announce();
        let mut offer = self.offer.write().unwrap_or_else(PoisonError::into_inner);
        let edition = offer.edition + 1;
        *offer = Offer { line, stun: IceSet::from(&config.credentials.stun_urls), edition };
        Ok(())
    }

    /// The answer for a participant.
    pub async fn for_participant(&self, key: ParticipantKey) -> IceAnswer {
        let offer = self.offer();
        let fresh = async {
            let grants = offer.line.mint(&Pseudonym::of(&key)).await;
            if grants.is_empty() { Err(Nothing) } else { Ok(Arc::from(grants)) }
        };
        match self.kept.try_get_with((offer.edition, key), fresh).await {
            Ok(grants) => self.answer(&offer, &grants),
            Err(_) => self.answer(&offer, &[]),
        }
    }

    /// The answer for someone who is in no session.
    pub async fn for_stranger(&self) -> IceAnswer {
        self.for_user(&Pseudonym::of_a_stranger()).await
    }

    /// The answer for a user of somebody else's app.
    pub async fn for_user(&self, whom: &Pseudonym) -> IceAnswer {
        let offer = self.offer();
        let grants = offer.line.mint(whom).await;
        self.answer(&offer, &grants)
    }

    /// What those go on with who get no credentials.
    pub fn stun_servers(&self) -> Vec<IceServer> {
        self.offer().stun.to_servers()
    }

    fn offer(&self) -> Offer {
        self.offer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer(&self, offer: &Offer, grants: &[Grant]) -> IceAnswer {
        let expires_at = grants.iter().map(|grant| grant.expires_at).min();
        let (Some(provider), Some(expires_at)) = (counted_as(grants), expires_at) else {
            let configured = !offer.line.is_empty();
            if configured {
                tracing::debug!("No provider gave credentials: the caller gets STUN only");
            }
            let reason = if configured { DegradedReason::ProviderError } else { DegradedReason::NotConfigured };
            return without_relay(&offer.stun, reason);
        };
        let sets: Vec<_> = grants.iter().map(|grant| &grant.servers).collect();
        IceAnswer {
            ice_servers: IceSet::best_of(&sets, MOST_URLS).to_servers(),
            provider: provider.to_string(),
            expires_at: Some(rfc3339(expires_at)),
            expires_in: Some(self.clock.wall().until(expires_at).as_secs()),
            degraded: false,
            reason: None,
        }
    }
}

/// How long an answer is kept: what is minted together is kept as long as the one with the shortest life.
struct Keep;

impl<K> Expiry<K, Arc<[Grant]>> for Keep {
    fn expire_after_create(&self, _: &K, grants: &Arc<[Grant]>, _: std::time::Instant) -> Option<Duration> {
        Some(grants.iter().map(Grant::life).min().unwrap_or_default() * 2 / 5)
    }
}

fn without_relay(stun: &IceSet, reason: DegradedReason) -> IceAnswer {
    IceAnswer {
        ice_servers: stun.to_servers(),
        provider: "stun".to_owned(),
        expires_at: None,
        expires_in: None,
        degraded: true,
        reason: Some(reason),
    }
}

fn rfc3339(moment: UnixMillis) -> String {
    let millis = i64::try_from(moment.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
}
