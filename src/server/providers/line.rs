//! The providers in the order that the operator set, and what they are asked for one caller.
//!
//! Decides nothing: [`Race`] says who is asked when, each provider's [`Breaker`] whether it is asked at all. Whoever was asked is
//! heard to the end, also when another one was quicker: a provider that never answers in time has to be noticed.

use super::{
    Failure, Grant, Provider, Pseudonym, Terms,
    breaker::{Breaker, Change, Outcome, Permit},
    race::{Input, Output, Race},
};
use crate::{
    domain::{Now, ProviderName},
    protocol::RelayPlace,
    server::{clock::Clock, config::Config},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::Instant,
};

/// The providers that can be asked. Cheap to clone; clones share what they know of who is down.
#[derive(Debug, Clone)]
pub struct Line {
    providers: Arc<[Provider]>,
    doors: Arc<Mutex<Vec<Breaker>>>,
    together: usize,
    asked_life: Duration,
    clock: Clock,
}

/// How one provider's part ended: its place, and what it gave.
type Heard = (usize, Option<Grant>);

impl Line {
    /// The line that was configured. Fails where the system has no certificates to trust.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, reqwest::Error> {
        let providers: Arc<[_]> = Provider::all(config, &clock)?.into();
        let doors = providers.iter().map(|_| Breaker::default()).collect();
        Ok(Self {
            doors: Arc::new(Mutex::new(doors)),
            together: config.credentials.turn_providers_together,
            asked_life: config.credentials.turn_credential_ttl,
            providers,
            clock,
        })
    }

    /// Whether there is nobody to ask.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }

    /// Says in the log who is configured, and what was made of the operator's wishes.
    pub fn announce(&self) {
        if self.is_empty() {
            tracing::warn!(
                "⚠️ Cloudflare TURN not configured, nor any other provider: connections that cannot be direct will fail. Set \
                 CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_API_TOKEN in .env, or another provider's variables"
            );
        }
        for provider in self.providers.iter() {
            let name = provider.name();
            let label = name.label().map(|_| format!(" ({name})")).unwrap_or_default();
            tracing::info!("✅ {} TURN service configured{label}", name.title());
            let (asked, life) = (self.asked_life.as_secs(), provider.life().as_secs());
            if asked != life {
                let bound = if asked > life { "at most" } else { "at least" };
                tracing::info!("TURN_CREDENTIAL_TTL is {asked} s; credentials of {name} live {bound} {life} s");
            }
        }
        if self.together > self.providers.len() && !self.is_empty() {
            let there = self.providers.len();
            tracing::warn!("TURN_PROVIDERS_TOGETHER is {}, and there are {there} providers", self.together);
        }
    }

    /// The names of the providers, each in its place.
    pub fn names(&self) -> Vec<&ProviderName> {
        self.providers.iter().map(Provider::name).collect()
    }

    /// Where those are that share a kind, as far as that is known.
    pub fn places(&self) -> Vec<RelayPlace> {
        let alike =
            |one: &Provider| self.providers.iter().filter(|other| other.name().kind() == one.name().kind()).count() > 1;
        let place = |one: &Provider| Some(RelayPlace { provider: one.name().to_string(), url: one.stun_url()? });
        self.providers.iter().filter(|one| alike(one)).filter_map(place).collect()
    }

    /// Asks those in these places, in this order, until there are as many grants as were set, nobody is left, or time is up. In
    /// the order of asking; none where no provider gave any. Answers within the race's budget, so that no page waits for a
    /// dead provider.
    pub async fn mint(&self, whom: &Pseudonym, places: Vec<usize>) -> Vec<Grant> {
        // The clock says when it begins; from there on the time of the timers counts, so that both agree.
        let (began, timer) = (self.clock.now(), Instant::now());
        let now = || began + timer.elapsed();
        let (tell, mut hear) = unbounded_channel();
        let rank = |place: usize| places.iter().position(|asked| *asked == place);
        let mut race = Race::new(places.clone(), self.together, began);
        let mut granted = BTreeMap::new();
        loop {
            match self.next(&mut race, now()) {
                Some(Output::Ask(place, permit)) => self.ask(place, permit, whom, &tell),
                Some(Output::Over) => return granted.into_values().collect(),
                None => match tokio::time::timeout(race.next_timeout() - now(), hear.recv()).await {
                    Ok(Some((place, Some(grant)))) => {
                        granted.insert(rank(place), grant);
                        race.handle(Input::Answered);
                    }
                    Ok(Some((_, None))) => race.handle(Input::Failed),
                    // Time to look again; we hold an end of the channel ourselves, so it is never closed.
                    Err(_) | Ok(None) => {}
                },
            }
        }
    }

    fn next(&self, race: &mut Race, now: Now) -> Option<Output> {
        race.poll_output(&mut self.doors.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// Asks in a task of its own, which goes on when the caller has gone.
    fn ask(&self, place: usize, permit: Permit, whom: &Pseudonym, tell: &UnboundedSender<Heard>) {
        let (line, whom, tell) = (self.clone(), whom.clone(), tell.clone());
        tokio::spawn(async move {
            let Some(provider) = line.providers.get(place) else { return };
            let minted = provider.mint(&whom, &line.clock).await;
            line.settle(place, provider.name(), permit, &minted);
            // Nobody may be listening any more.
            drop(tell.send((place, minted.ok())));
        });
    }

    /// The one place in which a provider's failure is logged and remembered.
    fn settle(&self, place: usize, name: &ProviderName, permit: Permit, minted: &Result<Grant, Failure>) {
        let outcome = match minted {
            Ok(_) => Outcome::Answered,
            Err(failure) => {
                tracing::warn!(provider = %name, "{failure}");
                Outcome::Failed { leave_alone: failure.retry_after() }
            }
        };
        let now = self.clock.now();
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        match doors.get_mut(place).and_then(|door| door.report(permit, outcome, now)) {
            Some(Change::Opened(pause)) => {
                tracing::warn!(provider = %name, "It is not asked for {} s", pause.as_secs());
            }
            Some(Change::Closed) => tracing::info!(provider = %name, "It answers again"),
            None => {}
        }
    }
}

/// Of grants that are handed out together, the name under which all that is relayed is counted: the one whose bill counts the
/// most, since nobody sees afterwards which relay carried a byte.
pub(super) fn counted_as(grants: &[Grant]) -> Option<&ProviderName> {
    let names = grants.iter().map(|grant| &grant.provider);
    // Of equals `max_by_key` takes the last, and the first of the line is meant.
    names.rev().max_by_key(|name| Terms::of(name.kind()).billing)
}
