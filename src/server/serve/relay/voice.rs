//! The relay's own count into the books, and out of them what it may still relay.
//!
//! Twice a second what was relayed since the last time is said to the ledger, by participant, and the relay's bound is moved to
//! what is promised beyond that. Between two of these nothing beyond the promise passes, so no limit of all is passed. Whoever has
//! used up a limit of their own, and strangers who have used up all that they share, are kept out from the next time on.

use super::kept_out::{KEPT_OUT_FOR, KeptOut};
use crate::{
    domain::{ByteCount, ParticipantId, ProviderKind, ProviderName},
    server::{
        clock::Clock,
        providers::RelayDesk,
        relay::{Holder, Relay},
        usage::{Said, Usage},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often it is said.
const EVERY: Duration = Duration::from_millis(500);

/// Says what the relay counts, until it is stopped.
#[derive(Debug)]
pub struct RelayVoice {
    relay: Arc<Relay>,
    desk: RelayDesk,
    usage: Usage,
    said: BTreeMap<Holder, ByteCount>,
    kept_out: KeptOut,
}

impl RelayVoice {
    /// A voice for this relay. From here on it relays no more than is promised.
    pub fn new(relay: Arc<Relay>, desk: RelayDesk, usage: Usage, clock: Clock) -> Self {
        usage.relays_here(name());
        relay.meter().bound(usage.relay_bound());
        // It shows nobody out for as long as their credentials live.
        let kept_out = KeptOut::at(relay.bouncer(KEPT_OUT_FOR), desk.clone(), usage.clone(), clock);
        Self { relay, desk, usage, said: BTreeMap::new(), kept_out }
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
        self.kept_out.look(relayed.iter().filter(|(_, traffic)| traffic.allocations > 0).map(|(holder, _)| *holder));
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
}

fn name() -> ProviderName {
    ProviderKind::Relay.into()
}
