//! What is known of each provider's relay: the credential that it is tried with, and how that went the last time.
//!
//! Pure. A paid API is asked for a credential a few times a day at most, since one is used for most of its life.

use super::{Failure, Grant, Way};
use crate::domain::UnixMillis;
use std::{collections::BTreeMap, time::Duration};

/// One provider's.
#[derive(Debug, Default)]
pub(super) struct Watch {
    grant: Option<Grant>,
    /// The last failure to mint for a trial, as it was logged.
    failure: Option<String>,
    seen: Option<RelaySeen>,
}

/// How trying a relay went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelaySeen {
    /// When.
    pub at: UnixMillis,
    /// There and back by way of it, for each way that it is reached; `None` where nothing came back.
    pub round_trips: BTreeMap<Way, Option<Duration>>,
}

impl RelaySeen {
    /// Whether anything came back at all: a browser needs one way only.
    pub fn echoes(&self) -> bool {
        self.round_trips.values().any(Option::is_some)
    }
}

impl Watch {
    /// The credential of an earlier trial, while three fifths of its life are left.
    pub(super) fn grant(&self, wall: UnixMillis) -> Option<Grant> {
        let fresh = |grant: &&Grant| wall.until(grant.expires_at) * 5 >= grant.life() * 3;
        self.grant.as_ref().filter(fresh).cloned()
    }

    /// Keeps a credential, or forgets the one that there was. True where the failure is news.
    pub(super) fn minted(&mut self, minted: &Result<Grant, Failure>) -> bool {
        self.grant = minted.as_ref().ok().cloned();
        let failure = minted.as_ref().err().map(ToString::to_string);
        let news = failure.is_some() && failure != self.failure;
        self.failure = failure;
        news
    }

    /// Notes how it went. A relay that does not take a credential any more gets another one.
    pub(super) fn tried(&mut self, seen: RelaySeen) {
        if !seen.echoes() {
            self.grant = None;
        }
        self.seen = Some(seen);
    }

    pub(super) fn seen(&self) -> Option<&RelaySeen> {
        self.seen.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::ProviderKind, server::providers::IceSet};

    fn grant() -> Grant {
        Grant {
            provider: ProviderKind::Cloudflare.into(),
            servers: IceSet::default(),
            issued_at: UnixMillis(1_000_000),
            expires_at: UnixMillis(2_000_000),
            handle: None,
        }
    }

    fn seen(round_trip: Option<u64>) -> RelaySeen {
        let round_trips = BTreeMap::from([(Way::Udp, None), (Way::Tcp, round_trip.map(Duration::from_millis))]);
        RelaySeen { at: UnixMillis(1_000_000), round_trips }
    }

    #[test]
    fn a_credential_is_used_for_two_fifths_of_its_life() {
        let mut watch = Watch::default();
        assert!(watch.grant(UnixMillis(1_000_000)).is_none());
        watch.minted(&Ok(grant()));
        assert!(watch.grant(UnixMillis(1_400_000)).is_some());
        assert!(watch.grant(UnixMillis(1_400_001)).is_none());
    }

    #[test]
    fn a_relay_that_echoes_one_way_echoes_and_one_that_does_not_gets_another_credential() {
        let mut watch = Watch::default();
        watch.minted(&Ok(grant()));
        watch.tried(seen(Some(3)));
        assert!(watch.seen().unwrap().echoes() && watch.grant(UnixMillis(1_000_000)).is_some());
        watch.tried(seen(None));
        assert!(!watch.seen().unwrap().echoes() && watch.grant(UnixMillis(1_000_000)).is_none());
    }

    #[test]
    fn a_failure_is_news_once() {
        let mut watch = Watch::default();
        let failure = || Err(Failure::TimedOut { api: "Test" });
        assert_eq!([watch.minted(&failure()), watch.minted(&failure())], [true, false]);
        assert!(!watch.minted(&Ok(grant())));
        assert!(watch.minted(&failure()));
    }
}
