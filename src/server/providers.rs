//! Who mints TURN credentials, and how one answer of theirs becomes one of ours.
//!
//! - [`api`]: how any provider's API is talked to: time-outs, a second attempt, answers that are too large.
//! - `cloudflare`, `twilio`, `xirsys`, `metered`, `coturn`, `static_login`, `relay`: one provider each, with its [`Terms`].
//! - [`breaker`]: whether one that failed is asked again. [`race`]: who is asked when, and when to stop waiting.
//! - [`watch`]: what is known of their relays. [`near`]: who of a kind is the nearest.
//! - [`line`]: the providers in the order that the operator set. [`grants`]: what one caller gets of them.
//! - [`pauses`]: who is asked no more, since an operator wants it so.
//! - [`rotation`]: keys that are changed by themselves, on a schedule.
//! - `known`: who is behind a pseudonym. [`usage`]: what providers and relays say that they counted.
//! - [`ice_set`]: nothing that a provider says reaches a browser before it has gone over it.
//!
//! Owns the closed set of providers, the budget of time that one of them gets, and the words for its failures. Knows nothing
//! of callers and limits.

mod api;
mod breaker;
mod cloudflare;
mod coturn;
mod failure;
mod grants;
mod handed;
mod ice_set;
mod known;
mod line;
mod metered;
mod near;
mod pauses;
mod race;
mod relay;
mod rotation;
mod static_login;
mod terms;
mod twilio;
mod usage;
mod watch;
mod whom;
mod xirsys;

pub use breaker::Standing;
pub use failure::Failure;
pub use grants::{Grants, MOST_URLS, ParticipantKey};
pub use ice_set::{IceSet, Login, RelayUrls, StunUrls, Target, Way};
pub use known::Known;
pub use line::{Line, ProviderState, Trouble};
pub use near::{Near, Regions};
pub use pauses::Pauses;
pub use relay::RelayDesk;
pub use rotation::Rotations;
pub use terms::{AtExpiry, Terms, UsageAsked};
pub use usage::{LastFailure, LastSaid, Voice, VoiceState, Voices};
pub use watch::RelaySeen;
pub use whom::{Pseudonym, Whom};

use self::{
    cloudflare::Cloudflare, coturn::Coturn, metered::Metered, rotation::Follower, static_login::StaticLogin,
    twilio::Twilio, xirsys::Xirsys,
};
use crate::{
    domain::{ProviderName, UnixMillis},
    server::{
        clock::Clock,
        config::{Config, ProviderConfig},
    },
};
use reqwest::Client;
use std::{fmt, sync::OnceLock, time::Duration};
use url::Url;

/// A provider that the operator configured.
#[derive(Debug)]
pub struct Provider {
    name: ProviderName,
    life: Duration,
    /// Where it is asked; `None` where nobody is asked.
    api: Option<Url>,
    service: Service,
    /// Where its relays answered STUN when it minted first.
    stun_url: OnceLock<String>,
}

/// Who mints. A further provider is a further variant, and the compiler says where it is missing.
#[derive(Debug)]
enum Service {
    Cloudflare(Cloudflare),
    Twilio(Twilio),
    Xirsys(Xirsys),
    Metered(Metered),
    Coturn(Coturn),
    Static(StaticLogin),
    Relay(RelayDesk),
}

/// Credentials fresh from a provider.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who minted them.
    pub provider: ProviderName,
    /// ICE servers with at least one relay among them.
    pub servers: IceSet,
    /// When they were asked for.
    pub issued_at: UnixMillis,
    /// When they stop working, or are asked for anew where they never do.
    pub expires_at: UnixMillis,
    /// What the provider knows them by; `None` where everybody has the same.
    pub handle: Option<Handle>,
}

impl Grant {
    /// How long they live in all.
    pub fn life(&self) -> Duration {
        self.issued_at.until(self.expires_at)
    }
}

/// The user name by which a provider knows one credential: what taking it back and asking for its usage need. Not shown by
/// `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle(String);

impl Handle {
    /// The user name.
    pub fn username(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(..)")
    }
}

/// What a provider is asked for.
#[derive(Debug, Clone, Copy)]
struct Order {
    /// How long the credential is to live, within the provider's bounds.
    life: Duration,
    /// When the order was made. Lives are counted from here and not from the answer: late is the safe side.
    at: UnixMillis,
    /// For whom.
    whom: Whom,
}

/// What a provider gave.
#[derive(Debug)]
struct Minted {
    servers: IceSet,
    /// The life that it named, if it named any.
    life: Option<Duration>,
    /// Whether the credential is this caller's alone.
    own: bool,
}

impl Provider {
    /// Time for everything that asking one provider takes, second attempt included. A page waits for the answer, and promise
    /// 8 gives it 2 s in all.
    pub const BUDGET: Duration = Duration::from_millis(1_850);

    /// All that are configured, in their order, the built-in relay where it runs. Fails where the system has no certificates
    /// to trust.
    pub fn all(config: &Config, relay: Option<&RelayDesk>, clock: &Clock) -> Result<Vec<Self>, reqwest::Error> {
        // Who asks nobody need not have certificates.
        let asks = config.providers.iter().any(|(_, provider)| !matches!(provider, ProviderConfig::Relay));
        let http = asks.then(api::client).transpose()?;
        let ttl = config.credentials.turn_credential_ttl;
        let provider = |(name, provider): &(ProviderName, ProviderConfig)| {
            let keys = rotation::follower(name, provider, &config.app.data_dir, clock);
            let service = match (provider, &http) {
                (ProviderConfig::Relay, _) => Service::Relay(relay?.clone()),
                (other, http) => Service::new(other.clone(), keys, http.as_ref()?, clock)?,
            };
            let life = Terms::of(name.kind()).life(ttl);
            Some(Self { name: name.clone(), life, api: provider.api().cloned(), service, stun_url: OnceLock::new() })
        };
        Ok(config.providers.iter().filter_map(provider).collect())
    }

    /// What the operator calls it.
    pub fn name(&self) -> &ProviderName {
        &self.name
    }

    /// Where it is asked; `None` where nobody is asked.
    pub fn api(&self) -> Option<&Url> {
        self.api.as_ref()
    }

    /// How long the credentials live that it mints.
    pub fn life(&self) -> Duration {
        self.life
    }

    /// Where its relays answer STUN: known of those that are the operator's own, and of the others once they minted.
    pub fn stun_url(&self) -> Option<String> {
        let own = match &self.service {
            Service::Coturn(coturn) => coturn.urls().stun_url(),
            Service::Static(login) => login.urls().stun_url(),
            Service::Cloudflare(_)
            | Service::Twilio(_)
            | Service::Xirsys(_)
            | Service::Metered(_)
            | Service::Relay(_) => None,
        };
        own.or_else(|| self.stun_url.get().cloned())
    }

    /// Asks for credentials that live no longer than `at_most`; answers or fails within [`Provider::BUDGET`].
    pub async fn mint(&self, whom: Whom, at_most: Duration, clock: &Clock) -> Result<Grant, Failure> {
        let asked = self.life.min(Terms::of(self.name.kind()).life(at_most));
        let order = Order { life: asked, at: clock.wall(), whom };
        let answer = tokio::time::timeout(Self::BUDGET, self.service.mint(order)).await;
        let api = self.name.title();
        let Minted { servers, life, own } = answer.unwrap_or(Err(Failure::TimedOut { api }))?;
        if !servers.has_relay() {
            return Err(Failure::Unusable { api, cause: "there is no relay in it" });
        }
        if let (None, Some(url)) = (self.stun_url.get(), servers.stun_url()) {
            // Two at once found the same.
            let _set = self.stun_url.set(url);
        }
        let life = life.map_or(asked, |life| life.min(asked));
        let handle = servers.username().filter(|_| own).map(|username| Handle(username.to_owned()));
        let (issued_at, expires_at) = (order.at, order.at.plus(life));
        Ok(Grant { provider: self.name.clone(), servers, issued_at, expires_at, handle })
    }

    /// What we sign ourselves to live until `expires_at`, whether that has passed or not; `None` where others sign. A relay
    /// that takes it or not tells what time it has.
    pub fn signed_until(&self, expires_at: UnixMillis, whom: Whom) -> Option<IceSet> {
        match &self.service {
            Service::Coturn(coturn) => {
                let order = Order { life: Duration::ZERO, at: expires_at, whom };
                Some(coturn.mint(order).ok()?.servers)
            }
            Service::Cloudflare(_)
            | Service::Twilio(_)
            | Service::Xirsys(_)
            | Service::Metered(_)
            | Service::Static(_)
            | Service::Relay(_) => None,
        }
    }

    /// Takes a credential back before it expires.
    pub async fn revoke(&self, handle: &Handle) -> Result<(), Failure> {
        match &self.service {
            Service::Cloudflare(cloudflare) => cloudflare.revoke(handle).await,
            // Whoever may not relay any more is barred there, whatever they show.
            Service::Relay(_) => Ok(()),
            Service::Twilio(_) | Service::Xirsys(_) | Service::Metered(_) | Service::Coturn(_) | Service::Static(_) => {
                Err(Failure::Irrevocable { api: self.name.title() })
            }
        }
    }
}

impl Service {
    /// `None` for the built-in relay, of which there is none to be had from settings alone.
    fn new(config: ProviderConfig, keys: Option<Follower>, http: &Client, clock: &Clock) -> Option<Self> {
        Some(match config {
            ProviderConfig::Cloudflare(config) => Self::Cloudflare(Cloudflare::new(config, keys, http, clock)),
            ProviderConfig::Twilio(config) => Self::Twilio(Twilio::new(config, http, clock)),
            ProviderConfig::Xirsys(config) => Self::Xirsys(Xirsys::new(config, http, clock)),
            ProviderConfig::Metered(config) => Self::Metered(Metered::new(config, http, clock)),
            ProviderConfig::Coturn(config) => Self::Coturn(Coturn::new(config, keys)),
            ProviderConfig::Static(config) => Self::Static(StaticLogin::new(config)),
            ProviderConfig::Relay => return None,
        })
    }

    async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        match self {
            Self::Cloudflare(cloudflare) => cloudflare.mint(order).await,
            Self::Twilio(twilio) => twilio.mint(order).await,
            Self::Xirsys(xirsys) => xirsys.mint(order).await,
            Self::Metered(metered) => metered.mint(order).await,
            Self::Coturn(coturn) => coturn.mint(order),
            Self::Static(login) => Ok(login.mint()),
            Self::Relay(relay) => Ok(relay.mint(order)),
        }
    }
}
