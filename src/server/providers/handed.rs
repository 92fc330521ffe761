//! Credentials that were handed out and still live, so that they can be taken back.

use super::Grant;
use crate::domain::{ParticipantId, ProviderName, UnixMillis};
use moka::{future::Cache, ops::compute::Op};
use std::{sync::Arc, time::Duration};

/// More participants than one process serves; of the least recent ones nothing can be taken back.
const MOST: u64 = 50_000;

/// No credential lives longer.
const LIVES_FOR: Duration = Duration::from_hours(48);

/// What each participant holds. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Handed(Cache<ParticipantId, Arc<[Grant]>>);

impl Default for Handed {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(LIVES_FOR).build())
    }
}

impl Handed {
    /// They are given these. What has no handle is not remembered.
    pub(super) async fn note(&self, participant: ParticipantId, grants: &[Grant], now: UnixMillis) {
        let new: Vec<_> = grants.iter().filter(|grant| grant.handle.is_some()).cloned().collect();
        if new.is_empty() {
            return;
        }
        let with_new = async |known: Option<moka::Entry<_, Arc<[Grant]>>>| {
            let known = known.map(moka::Entry::into_value).unwrap_or_default();
            let live = known.iter().filter(|grant| grant.expires_at > now).cloned();
            Op::Put(live.chain(new).collect())
        };
        self.0.entry(participant).and_compute_with(with_new).await;
    }

    /// What they hold of this provider, or of every one, and of which nothing is remembered from now on.
    pub(super) async fn take(&self, participant: ParticipantId, provider: Option<&ProviderName>) -> Vec<Grant> {
        let mut taken = Vec::new();
        let without = async |known: Option<moka::Entry<_, Arc<[Grant]>>>| {
            let known = known.map(moka::Entry::into_value).unwrap_or_default();
            let (theirs, rest): (Vec<_>, Vec<_>) =
                known.iter().cloned().partition(|grant| provider.is_none_or(|provider| *provider == grant.provider));
            taken = theirs;
            if rest.is_empty() { Op::Remove } else { Op::Put(rest.into()) }
        };
        self.0.entry(participant).and_compute_with(without).await;
        taken
    }
}
