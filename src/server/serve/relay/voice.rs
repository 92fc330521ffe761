//! The relay's own count into the books, and out of them what it may still relay.
//!
//! Twice a second what was relayed since the last time is said to the ledger, by participant, and the relay's bound is moved to
//! what is promised beyond that. Between two of these nothing beyond the promise passes, so no limit of all is passed. Whoever has
//! used up a limit of their own, and strangers who have used up all that they share, are kept out from the next time on.

use crate::{
    domain::{ByteCount, Now, ParticipantId, ProviderKind, ProviderName},
    server::{
        clock::Clock,
        providers::RelayDesk,
        relay::{Bouncer, Holder, Relay, Traffic},
        usage::{Said, Usage},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often it is said.
const EVERY: Duration = Duration::from_millis(500);

/// For how long whoever has had their part is kept out before it is looked at again whether there is more of it.
const KEPT_OUT_FOR: Duration = Duration::from_mins(1);

/// Who stays out is told so in time.
const KEPT_OUT_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Says what the relay counts, until it is stopped.
#[derive(Debug)]
pub struct RelayVoice {
    relay: Arc<Relay>,
    desk: RelayDesk,
    usage: Usage,
    bouncer: Bouncer,
    clock: Clock,
    said: BTreeMap<Holder, ByteCount>,
    /// Who has had their part, and when they were kept out last.
    kept_out: BTreeMap<Holder, Now>,
}

impl RelayVoice {
    /// A voice for this relay. From here on it relays no more than is promised.
    pub fn new(relay: Arc<Relay>, desk: RelayDesk, usage: Usage, clock: Clock) -> Self {
        usage.relays_here(name());
        relay.meter().bound(usage.relay_bound());
        // It shows nobody out for as long as their credentials live.
        let bouncer = relay.bouncer(KEPT_OUT_FOR);
        Self { relay, desk, usage, bouncer, clock, said: BTreeMap::new(), kept_out: BTreeMap::new() }
    }

    /// Speaks until it is stopped, and says the last word then.
    pub async fn speak(mut self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stopping.is_cancelled() {
            tokio::select! {
                () = stopping.cancelled() => {}
                _ = ticks.tick() => {}
            }
            self.say();
        }
    }

    /// Says what is new, moves the bound, and keeps out who has had their part of what is in the books.
    pub fn say(&mut self) {
        let relayed = self.relay.meter().read_all();
        self.keep_out(&relayed);
        self.said.retain(|holder, _| relayed.contains_key(holder));
        for (holder, traffic) in relayed {
            let sum = traffic.sent.plus(traffic.received);
            let said = self.said.entry(holder).or_default();
            let bytes = sum.minus(std::mem::replace(said, sum));
            if bytes > ByteCount::ZERO {
                let participant: Option<ParticipantId> = self.desk.known(holder);
                self.usage.hear(Said::Relay { provider: name(), participant, bytes });
            }
        }
        self.relay.meter().bound(self.usage.relay_bound());
    }

    /// Of whom nothing is known but what they relayed, no limit is known either.
    fn keep_out(&mut self, relayed: &BTreeMap<Holder, Traffic>) {
        let now = self.clock.now();
        self.kept_out.retain(|holder, _| relayed.contains_key(holder));
        // Whoever is in, and whoever was and is to stay out.
        let looked_at = relayed.iter().filter(|(_, traffic)| traffic.allocations > 0).map(|(holder, _)| *holder);
        let looked_at: BTreeSet<_> = looked_at.chain(self.kept_out.keys().copied()).collect();
        for holder in looked_at {
            let Some(participant) = self.desk.known(holder) else { continue };
            let Err(why) = self.usage.goes_on(participant) else {
                self.kept_out.remove(&holder);
                continue;
            };
            let before = self.kept_out.get(&holder).copied();
            if before.is_some_and(|at| now.since(at) < KEPT_OUT_AGAIN_AFTER) {
                continue;
            }
            if before.is_none() {
                tracing::info!(%participant, ?why, "They have relayed what they may: the built-in relay keeps them out");
            }
            self.kept_out.insert(holder, now);
            self.bouncer.keep_out(holder, KEPT_OUT_FOR);
        }
    }
}

fn name() -> ProviderName {
    ProviderKind::Relay.into()
}
