//! Credentials for one caller: from the cache, from a provider, or STUN with the reason.
//!
//! A participant's answer is kept to 40 % of its life, so that a reload costs nothing and a renewal at half its life is
//! new; participants that ask twice at once share one request. Someone without a token is never served another's answer,
//! nor is theirs kept. Degraded answers are not kept: the provider may be back a second later, and the guard already
//! bounds how often anyone can ask.

use super::{Failure, Grant, IceSet, Provider, StunUrls};
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    protocol::{DegradedReason, IceAnswer, IceServer},
    server::clock::Clock,
};
use moka::future::Cache;
use std::sync::Arc;

/// A participant that has proved itself.
pub type ParticipantKey = (SessionCode, ParticipantId);

/// More participants than one process serves; beyond it the least used are forgotten and minted anew.
const MOST_KEPT: u64 = 50_000;

/// Hands out credentials. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Grants {
    provider: Option<Arc<Provider>>,
    stun: IceSet,
    kept: Cache<ParticipantKey, Arc<Grant>>,
    clock: Clock,
}

impl Grants {
    /// Grants from `provider`, or without one.
    pub fn new(provider: Option<Provider>, stun: &StunUrls, clock: Clock) -> Self {
        let keep = provider
            .as_ref()
            .map(|provider| provider.ttl() * 2 / 5)
            .unwrap_or_default();
        Self {
            provider: provider.map(Arc::new),
            stun: IceSet::from(stun),
            kept: Cache::builder().max_capacity(MOST_KEPT).time_to_live(keep).build(),
            clock,
        }
    }

    /// The answer for a participant.
    pub async fn for_participant(&self, key: ParticipantKey) -> IceAnswer {
        let Some(provider) = self.provider.clone() else {
            return self.without_relay(DegradedReason::NotConfigured);
        };
        let fresh = async { mint(&provider, &self.clock).await.map(Arc::new) };
        match self.kept.try_get_with(key, fresh).await {
            Ok(grant) => self.answer(&grant),
            Err(_) => self.without_relay(DegradedReason::ProviderError),
        }
    }

    /// The answer for someone who is in no session.
    pub async fn for_stranger(&self) -> IceAnswer {
        let Some(provider) = &self.provider else {
            return self.without_relay(DegradedReason::NotConfigured);
        };
        match mint(provider, &self.clock).await {
            Ok(grant) => self.answer(&grant),
            Err(_) => self.without_relay(DegradedReason::ProviderError),
        }
    }

    /// What those go on with who get no credentials.
    pub fn stun_servers(&self) -> Vec<IceServer> {
        self.stun.to_servers()
    }

    fn answer(&self, grant: &Grant) -> IceAnswer {
        IceAnswer {
            ice_servers: grant.servers.to_servers(),
            provider: grant.provider.to_string(),
            expires_at: Some(rfc3339(grant.expires_at)),
            expires_in: Some(self.clock.wall().until(grant.expires_at).as_secs()),
            degraded: false,
            reason: None,
        }
    }

    fn without_relay(&self, reason: DegradedReason) -> IceAnswer {
        IceAnswer {
            ice_servers: self.stun_servers(),
            provider: "stun".to_owned(),
            expires_at: None,
            expires_in: None,
            degraded: true,
            reason: Some(reason),
        }
    }
}

/// The one place in which a failure is logged: once for everyone who waits for the same answer.
async fn mint(provider: &Provider, clock: &Clock) -> Result<Grant, Failure> {
    let minted = provider.mint(clock).await;
    if let Err(failure) = &minted {
        tracing::warn!("{failure}. Callers get STUN only");
    }
    minted
}

fn rfc3339(moment: UnixMillis) -> String {
    let millis = i64::try_from(moment.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}
