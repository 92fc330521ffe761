//! Credentials for one caller: from the cache, from the line of providers, or STUN with the reason.
//!
//! A participant's answer is kept to 40 % of its life, so that a reload costs nothing and a renewal at half its life is
//! new; participants that ask twice at once share one request. Someone without a token is never served another's answer,
//! nor is theirs kept. Degraded answers are not kept: a provider may be back a second later, and the guard already
//! bounds how often anyone can ask.
//!
//! The settings can be exchanged while it runs: what is asked from then on is minted with the new ones, and what browsers have
//! lives on.

use super::{
    Grant, IceSet, Known, Line, Near, Pauses, Regions, RelayDesk, Standing, StunUrls, Whom, handed::Handed,
    line::counted_as,
};
use crate::{
    domain::{ParticipantId, ProviderName, SessionCode, UnixMillis},
    protocol::{DegradedReason, IceAnswer, IceServer},
    server::{
        clock::Clock,
        config::Config,
        relay::Holder,
        usage::{Asker, NoRoom, RelayOrder, Usage},
    },
};
use axum::http::HeaderName;
use moka::{Expiry, future::Cache};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// A participant that has proved itself.
pub type ParticipantKey = (SessionCode, ParticipantId);

/// More participants than one process serves; beyond it the least used are forgotten and minted anew.
const MOST_KEPT: u64 = 50_000;

/// For how long somebody gets no credentials whose relaying an operator has ended: longer than an evening, and longer than any
/// session whose host is gone.
const ENDED_FOR: Duration = Duration::from_hours(48);

/// What a browser is given: from five on Firefox complains, and every one costs time.
pub const MOST_URLS: usize = 4;

/// Hands out credentials. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Grants {
    /// Whoever asks holds it as it is at that moment.
    offer: Arc<RwLock<Arc<Offer>>>,
    relay: Option<RelayDesk>,
    known: Known<u128>,
    kept: Cache<(u64, ParticipantKey), Arc<Minted>>,
    /// Those whom an operator wants asked no more.
    pauses: Pauses,
    handed: Handed,
    /// Those for whom an operator has ended relaying.
    ended: Cache<ParticipantKey, ()>,
    usage: Usage,
    clock: Clock,
}

/// What can be exchanged.
#[derive(Debug)]
struct Offer {
    line: Line,
    stun: IceSet,
    regions: Regions,
    region_header: Option<HeaderName>,
    life: Duration,
    /// Answers of an earlier edition are not handed out again: their keys may have been withdrawn.
    edition: u64,
}

impl Offer {
    fn new(config: &Config, relay: Option<&RelayDesk>, clock: Clock, edition: u64) -> Result<Self, reqwest::Error> {
        let line = Line::new(config, relay, clock)?;
        Ok(Self {
            line,
            stun: IceSet::best_of(&[&IceSet::from(&StunUrls::of(config, relay))], MOST_URLS),
            regions: config.credentials.turn_regions.clone(),
            region_header: config.credentials.turn_region_header.clone(),
            life: config.credentials.turn_credential_ttl,
            edition,
        })
    }
}

/// What was minted for one caller, ready to be given as often as they ask.
#[derive(Debug)]
struct Minted {
    /// At least one.
    grants: Vec<Grant>,
    /// The name under which all that is relayed is counted.
    provider: ProviderName,
    /// What relays call them.
    names: Arc<[String]>,
    expires_at: UnixMillis,
    /// All of it but for how long it still lives.
    answer: IceAnswer,
}

impl Minted {
    /// `None` where nobody minted anything.
    fn new(offer: &Offer, grants: Vec<Grant>, names: Arc<[String]>) -> Option<Self> {
        let provider = counted_as(&grants)?.clone();
        let expires_at = grants.iter().map(|grant| grant.expires_at).min()?;
        let sets: Vec<_> = grants.iter().map(|grant| &grant.servers).collect();
        let answer = IceAnswer {
            ice_servers: IceSet::best_of(&sets, MOST_URLS).to_servers(),
            provider: provider.to_string(),
            expires_at: Some(rfc3339(expires_at)),
            expires_in: None,
            degraded: false,
            reason: None,
            places: offer.line.places(),
        };
        Some(Self { grants, provider, names, expires_at, answer })
    }

    fn answer(&self, now: UnixMillis) -> IceAnswer {
        IceAnswer { expires_in: Some(now.until(self.expires_at).as_secs()), ..self.answer.clone() }
    }
}

/// There is nothing to keep.
#[derive(Debug)]
struct Nothing;

impl Grants {
    /// Grants of the providers that are configured, the built-in relay among them where it runs, or STUN. Fails where the
    /// system has no certificates to trust.
    pub fn new(config: &Config, relay: Option<RelayDesk>, usage: Usage, clock: Clock) -> Result<Self, reqwest::Error> {
        let offer = Offer::new(config, relay.as_ref(), clock.clone(), 0)?;
        let kept = Cache::builder().max_capacity(MOST_KEPT).expire_after(Keep).build();
        let known = Known::default();
        for (name, participant) in usage.names() {
            match (Holder::parse(&name), &relay) {
                (Some(holder), Some(desk)) => desk.remember(holder, participant),
                (Some(_), None) => {}
                (None, _) => {
                    // What was written by a process like this one reads back.
                    if let Ok(bits) = u128::from_str_radix(&name, 16) {
                        known.note(bits, participant);
                    }
                }
            }
        }
        let handed = Handed::default();
        let ended = Cache::builder().max_capacity(MOST_KEPT).time_to_live(ENDED_FOR).build();
        let pauses = Pauses::open(&config.app.data_dir);
        Ok(Self {
            offer: Arc::new(RwLock::new(Arc::new(offer))),
            relay,
            known,
            kept,
            pauses,
            handed,
            ended,
            usage,
            clock,
        })
    }

    /// Says in the log who is asked.
    pub fn announce(&self) {
        self.offer().line.announce();
    }

    /// Does what these settings say of credentials from now on. The built-in relay stays as it is.
    pub fn exchange(&self, config: &Config) -> Result<(), reqwest::Error> {
        let edition = self.offer().edition + 1;
        let mut offer = Offer::new(config, self.relay.as_ref(), self.clock.clone(), edition)?;
        offer.line = offer.line.counting_on(self.line().minting().clone());
        offer.line.announce();
        *self.offer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(offer);
        self.usage.exchange(config.all_limits());
        Ok(())
    }

    /// The answer for a participant. Fails where what is left of the limit of all is used or promised.
    pub async fn for_participant(&self, key: ParticipantKey, asker: &Asker, near: &Near) -> Result<IceAnswer, NoRoom> {
        let offer = self.offer();
        if self.ended.contains_key(&key) {
            return Ok(without_relay(&offer.stun, DegradedReason::Ended));
        }
        let (whom, key) = (Whom::Participant(key), (offer.edition, key));
        let of_no_use = |grant: &Grant| {
            near.silent.as_ref() == Some(&grant.provider)
                || self.usage.has_room(&grant.provider, asker).is_err()
                || self.pauses.holds(&grant.provider)
        };
        match self.kept.get(&key).await {
            Some(kept) if kept.grants.iter().any(of_no_use) || self.is_outdone(&offer, &kept.grants, asker, near) => {
                self.kept.invalidate(&key).await;
            }
            Some(kept) => return self.promise(&offer, Some(&kept), asker),
            None => {}
        }
        let fresh = async { self.mint(&offer, whom, asker, near).await.map(Arc::new).ok_or(Nothing) };
        let minted = self.kept.try_get_with(key, fresh).await.ok();
        self.promise(&offer, minted.as_deref(), asker)
    }

    /// Whether the relay of one of these is silent, and there is one to be had that is not, of somebody who is not among them.
    fn is_outdone(&self, offer: &Offer, grants: &[Grant], asker: &Asker, near: &Near) -> bool {
        if !offer.line.is_any_silent(grants) {
            return false;
        }
        let among = |name: &ProviderName| grants.iter().any(|grant| grant.provider == *name);
        self.to_be_had(offer, asker).any(|name| !among(name) && near.silent.as_ref() != Some(name))
    }

    /// Whose relays are well and may be given to this caller.
    fn to_be_had<'a>(&'a self, offer: &'a Offer, asker: &'a Asker) -> impl Iterator<Item = &'a ProviderName> {
        let well = offer.line.standings().into_iter().filter(|(_, standing)| *standing == Standing::Closed);
        well.map(|(name, _)| name).filter(|name| !self.pauses.holds(name) && self.usage.has_room(name, asker).is_ok())
    }

    /// The answer for someone who is in no session, or a user of somebody else's app. Nothing is kept for them. Fails as for a
    /// participant.
    pub async fn for_another(&self, whom: Whom, asker: &Asker, near: &Near) -> Result<IceAnswer, NoRoom> {
        let (offer, asker) = (self.offer(), asker.clone().counted_as(whom.counted_as()));
        let minted = self.mint(&offer, whom, &asker, near).await;
        self.promise(&offer, minted.as_ref(), &asker)
    }

    /// What relays call them.
    fn names_of(&self, whom: Whom) -> Arc<[String]> {
        let holder = self.relay.as_ref().map(|desk| desk.holder(whom).to_string());
        holder.into_iter().chain([whom.pseudonym().to_string()]).collect()
    }

    /// Nobody is given what nothing is promised for: of what was minted that stays which there is room for.
    fn promise(&self, offer: &Offer, minted: Option<&Minted>, asker: &Asker) -> Result<IceAnswer, NoRoom> {
        let why = match minted {
            Some(minted) => match self.usage.lease(&minted.provider, asker, &minted.names) {
                Ok(()) => return Ok(minted.answer(self.clock.wall())),
                Err(why) => Some(why),
            },
            None => self.why_no_room(offer, asker),
        };
        match why {
            Some(why @ (NoRoom::Used | NoRoom::Promised | NoRoom::Elsewhere)) => Err(why),
            _ => Ok(without_relay(&offer.stun, self.why_none(offer, asker))),
        }
    }

    /// The header in which a proxy says where a caller is.
    pub fn region_header(&self) -> Option<HeaderName> {
        self.offer().region_header.clone()
    }

    /// Who has asked, by what providers call them.
    pub fn known(&self) -> Known<u128> {
        self.known.clone()
    }

    async fn mint(&self, offer: &Offer, whom: Whom, asker: &Asker, near: &Near) -> Option<Minted> {
        // Before there is a relay to be told of.
        self.known.note(whom.bits(), whom.counted_as());
        let names = offer.line.names();
        let mut places = offer.regions.order(&names, near);
        places.retain(|place| !self.pauses.holds(names[*place]) && self.usage.has_room(names[*place], asker).is_ok());
        let participant = whom.counted_as();
        let lives = names.iter().map(|name| self.usage.life(name, offer.life)).collect();
        let grants = offer.line.mint(whom, places, lives).await;
        self.handed.note(participant, &grants, self.clock.wall()).await;
        Minted::new(offer, grants, self.names_of(whom))
    }

    /// Whose relays somebody who came now would get, as people write them.
    pub fn available(&self) -> Vec<String> {
        let (offer, newcomer) = (self.offer(), Asker::newcomer());
        let mut titles = Vec::new();
        for name in self.to_be_had(&offer, &newcomer) {
            let title = name.title().to_owned();
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles
    }

    /// Why this caller gets no relay of anybody's; `None` where somebody has room for them.
    fn why_no_room(&self, offer: &Offer, asker: &Asker) -> Option<NoRoom> {
        let names = offer.line.names();
        let mut reasons = Vec::new();
        for name in names {
            reasons.push(self.usage.has_room(name, asker).err()?);
        }
        reasons.into_iter().next()
    }

    /// Gives this participant no credentials any more, and takes back what they have where that can be done.
    pub async fn end(&self, key: ParticipantKey) {
        self.ended.insert(key, ()).await;
        self.kept.invalidate(&(self.offer().edition, key)).await;
        self.take_back(key.1, None).await;
    }

    /// Takes back every credential that they still hold, of this provider or of all of them, where that can be done.
    async fn take_back(&self, participant: ParticipantId, provider: Option<&ProviderName>) {
        let line = self.line();
        for grant in self.handed.take(participant, provider).await {
            let provider = &grant.provider;
            match line.revoke(&grant).await {
                Ok(()) => tracing::info!(%participant, %provider, "Their credential was taken back"),
                Err(failure) => {
                    tracing::info!(%participant, %provider, "Their credential was not taken back: {failure}");
                }
            }
        }
    }

    /// Takes credentials back from whoever was told to leave a relay and goes on, as long as anybody gives orders. What cannot be
    /// taken back ends with its life.
    pub async fn take_back_from_who_goes_on(self, mut orders: Receiver<RelayOrder>) {
        loop {
            match orders.recv().await {
                Ok(RelayOrder { participant, provider, goes_on: true, .. }) => {
                    self.take_back(participant, Some(&provider)).await;
                }
                // Whoever was missed is named again.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Those whom an operator wants asked no more.
    pub fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// What those go on with who get no credentials.
    pub fn stun_servers(&self) -> Vec<IceServer> {
        self.offer().stun.to_servers()
    }

    /// The providers that are asked now.
    pub fn line(&self) -> Line {
        self.offer().line.clone()
    }

    /// Why nobody gave credentials.
    fn why_none(&self, offer: &Offer, asker: &Asker) -> DegradedReason {
        if offer.line.is_empty() {
            return DegradedReason::NotConfigured;
        }
        tracing::debug!("No provider gave credentials: the caller gets STUN only");
        match self.why_no_room(offer, asker) {
            None => DegradedReason::ProviderError,
            Some(NoRoom::Used | NoRoom::Promised | NoRoom::Elsewhere | NoRoom::NearLimit | NoRoom::Provider) => {
                DegradedReason::NearLimit
            }
            Some(NoRoom::Party) => DegradedReason::ShareUsed,
            Some(NoRoom::Uncounted) => DegradedReason::NotCounted,
        }
    }

    fn offer(&self) -> Arc<Offer> {
        Arc::clone(&self.offer.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long an answer is kept: what is minted together is kept as long as the one with the shortest life.
struct Keep;

impl<K> Expiry<K, Arc<Minted>> for Keep {
    fn expire_after_create(&self, _: &K, minted: &Arc<Minted>, _: std::time::Instant) -> Option<Duration> {
        Some(minted.grants.iter().map(Grant::life).min().unwrap_or_default() * 2 / 5)
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
        places: Vec::new(),
    }
}

fn rfc3339(moment: UnixMillis) -> String {
    let millis = i64::try_from(moment.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
}
