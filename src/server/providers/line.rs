//! The providers in the order that the operator set, and what they are asked for one caller.
//!
//! Decides nothing: [`Race`] says who is asked when, each provider's [`Breaker`] whether it is asked at all. Whoever was asked is
//! heard to the end, also when another one was quicker: a provider that never answers in time has to be noticed.

use super::{
    Failure, Grant, Provider, RelayDesk, Terms, Whom,
    breaker::{Breaker, Change, Outcome, Permit, Standing},
    race::{Input, Output, Race},
    watch::{RelaySeen, Watch},
};
use crate::{
    domain::{Now, ProviderName, UnixMillis},
    protocol::RelayPlace,
    server::{clock::Clock, config::Config, metrics::Minting},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// What is known of their relays.
    watches: Arc<Mutex<Vec<Watch>>>,
    /// What went wrong last with each.
    troubles: Arc<Mutex<Vec<Option<Trouble>>>>,
    minting: Minting,
    together: usize,
    asked_life: Duration,
    clock: Clock,
}

/// What is known of one provider.
#[derive(Debug, Clone)]
pub struct ProviderState {
    /// Which.
    pub name: ProviderName,
    /// Whether it is asked.
    pub standing: Standing,
    /// How its relay was when it was last tried.
    pub relay: Option<RelaySeen>,
    /// What went wrong last, and when.
    pub trouble: Option<Trouble>,
}

/// What went wrong with a provider, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When.
    pub at: UnixMillis,
    /// What, and what to do.
    pub text: String,
}

/// For whom, and for how long at most.
type Wanted = (Whom, Duration);

/// How one provider's part ended: its place, and what it gave.
type Heard = (usize, Option<Grant>);

impl Line {
    /// The line that was configured, with the built-in relay where it runs. Fails where the system has no certificates to
    /// trust.
    pub fn new(config: &Config, relay: Option<&RelayDesk>, clock: Clock) -> Result<Self, reqwest::Error> {
        let providers: Arc<[_]> = Provider::all(config, relay, &clock)?.into();
        let doors = providers.iter().map(|_| Breaker::default()).collect();
        let watches = providers.iter().map(|_| Watch::default()).collect();
        let troubles = Arc::new(Mutex::new(vec![None; providers.len()]));
        Ok(Self {
            troubles,
            doors: Arc::new(Mutex::new(doors)),
            watches: Arc::new(Mutex::new(watches)),
            minting: Minting::default(),
            together: config.credentials.turn_providers_together,
            asked_life: config.credentials.turn_credential_ttl,
            providers,
            clock,
        })
    }

    /// The same line, counting on where another one has begun.
    #[must_use]
    pub fn counting_on(self, minting: Minting) -> Self {
        Self { minting, ..self }
    }

    /// What was counted.
    pub fn minting(&self) -> &Minting {
        &self.minting
    }

    /// What is known of each provider, in the order of the line.
    pub fn states(&self) -> Vec<ProviderState> {
        let relays: Vec<_> = self.watches().iter().map(|watch| watch.seen().cloned()).collect();
        let troubles = self.troubles().clone();
        let doors = self.doors();
        let states = self.providers.iter().zip(doors.iter()).zip(relays).zip(troubles);
        let state = |(((provider, door), relay), trouble): (((&Provider, &Breaker), _), _)| ProviderState {
            trouble,
            name: provider.name().clone(),
            standing: door.standing(),
            relay,
        };
        states.map(state).collect()
    }

    /// Whether each provider is asked, in the order of the line.
    pub(super) fn standings(&self) -> Vec<(&ProviderName, Standing)> {
        let doors = self.doors();
        self.providers.iter().zip(doors.iter()).map(|(provider, door)| (provider.name(), door.standing())).collect()
    }

    /// Whether nothing came back when the relay of one of these was last tried.
    pub(super) fn is_any_silent(&self, grants: &[Grant]) -> bool {
        let watches = self.watches();
        let silent = |(provider, watch): (&Provider, &Watch)| {
            watch.seen().is_some_and(|seen| !seen.echoes())
                && grants.iter().any(|grant| grant.provider == *provider.name())
        };
        self.providers.iter().zip(watches.iter()).any(silent)
    }

    /// The providers, each in its place.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.providers.len()
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
    /// dead provider. No credential lives longer than `at_most` says in the place of its provider.
    pub async fn mint(&self, whom: Whom, places: Vec<usize>, at_most: Vec<Duration>) -> Vec<Grant> {
        // The clock says when it begins; from there on the time of the timers counts, so that both agree.
        let (began, timer) = (self.clock.now(), Instant::now());
        let now = || began + timer.elapsed();
        let (tell, mut hear) = unbounded_channel();
        let rank = |place: usize| places.iter().position(|asked| *asked == place);
        let mut race = Race::new(&places, self.together, began);
        let mut granted = BTreeMap::new();
        loop {
            match self.next(&mut race, now()) {
                Some(Output::Ask(place, permit)) => {
                    let at_most = at_most.get(place).copied().unwrap_or_default();
                    self.ask(place, permit, (whom, at_most), &tell);
                }
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

    /// A credential to try the relay of this provider with: the one of an earlier trial while it is good, or a new one where the
    /// provider may be asked.
    pub async fn grant_for_trial(&self, place: usize) -> Option<Grant> {
        let provider = self.providers.get(place)?;
        if let Some(kept) = self.watches().get(place)?.grant(self.clock.wall()) {
            return Some(kept);
        }
        let permit = self.doors().get_mut(place)?.decide(self.clock.now())?;
        let minted = self.mint_of(provider, (Whom::stranger(), self.asked_life)).await;
        let news = self.watches().get_mut(place)?.minted(&minted);
        self.settle(place, provider.name(), permit, &minted, news);
        minted.ok()
    }

    /// The relay of this provider was tried. `why`: what went wrong first.
    pub fn tried(&self, place: usize, seen: RelaySeen, why: &str) {
        let Some(provider) = self.providers.get(place) else { return };
        let name = provider.name();
        let echoes = seen.echoes();
        let (first, ways) = {
            let mut watches = self.watches();
            let Some(watch) = watches.get_mut(place) else { return };
            let first = watch.seen().is_none();
            let ways = seen.round_trips.iter().filter(|(_, time)| time.is_some()).map(|(way, _)| way.word());
            let ways = ways.collect::<Vec<_>>().join(", ");
            watch.tried(seen);
            (first, ways)
        };
        let news = self.doors().get_mut(place).is_some_and(|door| door.hear(echoes));
        match (news || first, echoes) {
            (true, true) => tracing::info!(provider = %name, "Its relay echoes over {ways}"),
            (true, false) => {
                self.note(place, format!("Its relay does not echo ({why}). See `tessro doctor`"));
                tracing::warn!(provider = %name, "Its relay does not echo ({why}): others are asked first. See `tessro doctor`");
            }
            (false, _) => {}
        }
    }

    async fn mint_of(&self, provider: &Provider, (whom, at_most): Wanted) -> Result<Grant, Failure> {
        let began = Instant::now();
        let minted = provider.mint(whom, at_most, &self.clock).await;
        self.minting.asked(provider.name(), &minted, began.elapsed());
        minted
    }

    fn doors(&self) -> MutexGuard<'_, Vec<Breaker>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, Vec<Option<Trouble>>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, place: usize, text: String) {
        let at = self.clock.wall();
        if let Some(trouble) = self.troubles().get_mut(place) {
            *trouble = Some(Trouble { at, text });
        }
    }

    /// Takes a credential back, where its provider can.
    pub(super) async fn revoke(&self, grant: &Grant) -> Result<(), Failure> {
        let provider = self.providers.iter().find(|provider| *provider.name() == grant.provider);
        match (provider, &grant.handle) {
            (Some(provider), Some(handle)) => provider.revoke(handle).await,
            _ => Err(Failure::Irrevocable { api: grant.provider.title() }),
        }
    }

    fn watches(&self) -> MutexGuard<'_, Vec<Watch>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, race: &mut Race, now: Now) -> Option<Output> {
        race.poll_output(&mut self.doors(), now)
    }

    /// Asks in a task of its own, which goes on when the caller has gone.
    fn ask(&self, place: usize, permit: Permit, wanted: Wanted, tell: &UnboundedSender<Heard>) {
        let (line, tell) = (self.clone(), tell.clone());
        tokio::spawn(async move {
            let Some(provider) = line.providers.get(place) else { return };
            let minted = line.mint_of(provider, wanted).await;
            line.settle(place, provider.name(), permit, &minted, true);
            // Nobody may be listening any more.
            drop(tell.send((place, minted.ok())));
        });
    }

    /// The one place in which a provider's failure is remembered, and logged where it is news.
    fn settle(&self, place: usize, name: &ProviderName, permit: Permit, minted: &Result<Grant, Failure>, news: bool) {
        let outcome = match minted {
            Ok(_) => Outcome::Answered,
            Err(failure) => {
                self.note(place, failure.to_string());
                if news {
                    tracing::warn!(provider = %name, "{failure}");
                }
                Outcome::Failed { leave_alone: failure.retry_after() }
            }
        };
        let now = self.clock.now();
        let mut doors = self.doors();
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
