//! What others than browsers say that was relayed: the providers' own counts of a month, and what coturn counts of each
//! allocation.
//!
//! - `cloudflare`, `twilio`, `metered`, `xirsys`: how one provider is asked, and its units. [`amount`]: units into bytes.
//! - [`schedule`]: when each is asked next. [`poller`]: who asks.
//! - [`coturn`]: coturn's statistics, which come by themselves.
//! - [`board`]: what was heard last of each, and what went wrong.
//!
//! Hands on what is said as it is said, also where it is less than before; what of it counts is the ledger's affair. A failure
//! never stops anything: it is logged once, readable in [`Voices::states`], and whoever failed is asked again later.

mod amount;
mod board;
mod cloudflare;
mod coturn;
mod metered;
mod poller;
mod schedule;
mod twilio;
mod xirsys;

pub use board::{LastFailure, LastSaid, Voice, VoiceState};

use self::{
    board::Board,
    cloudflare::CloudflareCount,
    coturn::{Listener, SharedBook},
    metered::MeteredCount,
    poller::{Poller, Source},
    twilio::TwilioCount,
    xirsys::XirsysCount,
};
use super::{Known, api};
use crate::{
    domain::ProviderName,
    server::{
        clock::Clock,
        config::{Config, CoturnStatistics, MeteredKey, ProviderConfig, variable_of},
        usage::Said,
    },
};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// What an operator does about a 429: counts are asked for a few times an hour.
const ASKED_TOO_OFTEN: &str = "it was asked too often, by others of the account too. It is asked again later by itself; PROVIDER_USAGE_EVERY makes it rarer";

/// To whom everything is told that is heard.
type Tell = Arc<dyn Fn(Said) + Send + Sync>;

/// Hears every provider that can be heard, until all clones are gone. Cheap to clone.
#[derive(Clone)]
pub struct Voices {
    hearing: Arc<Mutex<Hearing>>,
    board: Board,
    known: Known<u128>,
    clock: Clock,
    tell: Tell,
}

/// Who hears, and what must not be forgotten when others do.
#[derive(Default)]
struct Hearing {
    tasks: JoinSet<()>,
    books: BTreeMap<ProviderName, SharedBook>,
}

/// How one provider is heard.
enum Ear {
    Asks(Source),
    Listens(CoturnStatistics),
    /// Not at all, and what to do about that.
    Deaf(String),
}

impl Voices {
    /// Begins. Needs a tokio runtime; fails where the system has no certificates to trust.
    pub fn start(
        config: &Config,
        known: Known<u128>,
        clock: Clock,
        tell: impl Fn(Said) + Send + Sync + 'static,
    ) -> Result<Self, reqwest::Error> {
        let voices = Self { hearing: Arc::default(), board: Board::default(), known, clock, tell: Arc::new(tell) };
        voices.exchange(config)?;
        Ok(voices)
    }

    /// Goes on with these settings.
    pub fn exchange(&self, config: &Config) -> Result<(), reqwest::Error> {
        let ears = self.ears(config)?;
        let every = config.provider_usage_every;
        self.board.exchange(ears.iter().map(|(name, ear)| {
            let voice = match (ear, every) {
                (Ear::Asks(_), Some(every)) => Voice::Asked(every),
                (Ear::Asks(_), None) => Voice::Unheard("PROVIDER_USAGE_EVERY is off".to_owned()),
                (Ear::Listens(_), _) => Voice::Listened { speaks: false },
                (Ear::Deaf(why), _) => Voice::Unheard(why.clone()),
            };
            (name.clone(), voice)
        }));
        let mut hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        hearing.tasks = JoinSet::new();
        let listened: Vec<_> =
            ears.iter().filter(|(_, ear)| matches!(ear, Ear::Listens(_))).map(|(name, _)| name).collect();
        for (name, book) in hearing.books.iter().filter(|(name, _)| !listened.contains(name)) {
            if book.lock().unwrap_or_else(PoisonError::into_inner).close() {
                (self.tell)(Said::Speaks { provider: name.clone(), speaks: false });
            }
        }
        for (name, ear) in ears {
            match ear {
                Ear::Asks(source) => {
                    let Some(every) = every else { continue };
                    let (board, clock, tell) = (self.board.clone(), self.clock.clone(), Arc::clone(&self.tell));
                    hearing.tasks.spawn(Poller { name, source, board, clock, tell }.run(every));
                }
                Ear::Listens(statistics) => {
                    let book = Arc::clone(hearing.books.entry(name.clone()).or_default());
                    if let Some(listener) = self.listener(name, &statistics, book) {
                        hearing.tasks.spawn(listener.run());
                    }
                }
                Ear::Deaf(_) => {}
            }
        }
        Ok(())
    }

    /// Says in the log whose count is heard.
    pub fn announce(&self) {
        for VoiceState { provider, voice, .. } in self.states() {
            match voice {
                Voice::Asked(every) => {
                    tracing::info!(%provider, "Its own count is asked for every {} s", every.as_secs());
                }
                Voice::Listened { .. } => tracing::info!(%provider, "Its own count is heard from Redis"),
                Voice::Unheard(why) => tracing::info!(%provider, "Its own count is not heard: {why}"),
            }
        }
    }

    /// What is known of each provider's own count, in the order of the line.
    pub fn states(&self) -> Vec<VoiceState> {
        self.board.states()
    }

    /// Ends it.
    pub fn stop(&self) {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner).tasks.abort_all();
    }

    /// Everybody who counts at all.
    fn ears(&self, config: &Config) -> Result<Vec<(ProviderName, Ear)>, reqwest::Error> {
        let mut http = None;
        let mut ears = Vec::new();
        for (name, provider) in &config.providers {
            if provider.api().is_some() && http.is_none() {
                http = Some(api::client()?);
            }
            ears.extend(ear(name, provider, http.as_ref(), &self.clock).map(|ear| (name.clone(), ear)));
        }
        Ok(ears)
    }

    fn listener(&self, name: ProviderName, statistics: &CoturnStatistics, book: SharedBook) -> Option<Listener> {
        // The settings have seen that it is an address.
        let redis = redis::Client::open(statistics.redis.expose_secret()).ok()?;
        let (number, speaks) = {
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            (book.take_over(self.clock.now()), book.speaks())
        };
        self.board.speaks(&name, speaks);
        Some(Listener {
            name,
            redis,
            realm: statistics.realm.clone(),
            book,
            number,
            known: self.known.clone(),
            board: self.board.clone(),
            clock: self.clock.clone(),
            tell: Arc::clone(&self.tell),
        })
    }
}

impl fmt::Debug for Voices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voices").field("states", &self.states()).finish_non_exhaustive()
    }
}

/// How this provider is heard; `None` for what counts nothing itself, and for the built-in relay, whose meter is in this process.
fn ear(name: &ProviderName, provider: &ProviderConfig, http: Option<&Client>, clock: &Clock) -> Option<Ear> {
    let set = |variable: &str| variable_of(name, variable);
    Some(match provider {
        ProviderConfig::Cloudflare(config) => match &config.usage {
            Some(usage) => {
                let by_hand = config.key.as_ref().filter(|_| config.rotation.is_none());
                let key = by_hand.map(|key| key.id.clone());
                Ear::Asks(Source::Cloudflare(CloudflareCount::new(usage, key, http?, clock)))
            }
            None => Ear::Deaf(format!(
                "set {} and {} to have it",
                set("CLOUDFLARE_ACCOUNT_ID"),
                set("CLOUDFLARE_ANALYTICS_TOKEN")
            )),
        },
        ProviderConfig::Twilio(config) => Ear::Asks(Source::Twilio(TwilioCount::new(config, http?, clock))),
        ProviderConfig::Xirsys(config) => Ear::Asks(Source::Xirsys(XirsysCount::new(config, http?, clock))),
        ProviderConfig::Metered(config) => match &config.key {
            MeteredKey::Secret(key) => {
                let (base, key) = (config.api_base.clone(), key.clone());
                Ear::Asks(Source::Metered(MeteredCount::new(base, key, http?, clock)))
            }
            MeteredKey::Api(_) => Ear::Deaf(format!("set {} to have it", set("METERED_SECRET_KEY"))),
        },
        ProviderConfig::Coturn(config) => match &config.statistics {
            Some(statistics) => Ear::Listens(statistics.clone()),
            None => Ear::Deaf(format!("set {} to have it", set("COTURN_REDIS_URL"))),
        },
        ProviderConfig::Static(_) | ProviderConfig::Relay => return None,
    })
}
