//! Who mints TURN credentials, and how one answer of theirs becomes one of ours.
//!
//! - [`api`]: how any provider's API is talked to: time-outs, a second attempt, answers that are too large.
//! - `cloudflare`, `twilio`, `xirsys`, `metered`, `coturn`, `static_login`: one provider each, with its [`Terms`].
//! - [`breaker`]: whether one that failed is asked again. [`race`]: who is asked when, and when to stop waiting.
//! - [`watch`]: what is known of their relays. [`line`]: the providers in the order that the operator set. [`grants`]: what one caller gets of them.
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
mod ice_set;
mod line;
mod metered;
mod pseudonym;
mod race;
mod static_login;
mod terms;
mod twilio;
mod watch;
mod xirsys;

pub use breaker::Standing;
pub use failure::Failure;
pub use grants::{Grants, MOST_URLS, ParticipantKey};
pub use ice_set::{IceSet, Login, RelayUrls, StunUrls, Target, Way};
pub use line::{Line, ProviderState};
pub use pseudonym::Pseudonym;
pub use terms::{AtExpiry, Price, Terms, UsageAsked};
pub use watch::RelaySeen;

use self::{
    cloudflare::Cloudflare, coturn::Coturn, metered::Metered, static_login::StaticLogin, twilio::Twilio, xirsys::Xirsys,
};
use crate::{
    domain::{ProviderName, UnixMillis},
    server::{
        clock::Clock,
        config::{Config, ProviderConfig},
    },
};
use reqwest::Client;
use std::{fmt, time::Duration};
use url::Url;

/// A provider that the operator configured.
#[derive(Debug)]
pub struct Provider {
    name: ProviderName,
    life: Duration,
    /// Where it is asked; `None` where nobody is asked.
    api: Option<Url>,
    service: Service,
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
struct Order<'a> {
    /// How long the credential is to live, within the provider's bounds.
    life: Duration,
    /// When the order was made. Lives are counted from here and not from the answer: late is the safe side.
    at: UnixMillis,
    /// For whom.
    whom: &'a Pseudonym,
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

    /// All that are configured, in their order. Fails where the system has no certificates to trust.
    pub fn all(config: &Config, clock: &Clock) -> Result<Vec<Self>, reqwest::Error> {
        // Who uses none need not have certificates.
        if config.providers.is_empty() {
            return Ok(Vec::new());
        }
        let http = api::client()?;
        let ttl = config.credentials.turn_credential_ttl;
        let provider = |(name, config): &(ProviderName, ProviderConfig)| {
            Self::new(name.clone(), config.clone(), ttl, &http, clock)
        };
        Ok(config.providers.iter().map(provider).collect())
    }

    /// A provider whose credentials live for `ttl`, or as near to it as it allows.
    fn new(name: ProviderName, config: ProviderConfig, ttl: Duration, http: &Client, clock: &Clock) -> Self {
        let api = config.api().cloned();
        let service = match config {
            ProviderConfig::Cloudflare(config) => Service::Cloudflare(Cloudflare::new(config, http, clock)),
            ProviderConfig::Twilio(config) => Service::Twilio(Twilio::new(config, http, clock)),
            ProviderConfig::Xirsys(config) => Service::Xirsys(Xirsys::new(config, http, clock)),
            ProviderConfig::Metered(config) => Service::Metered(Metered::new(config, http, clock)),
            ProviderConfig::Coturn(config) => Service::Coturn(Coturn::new(config)),
            ProviderConfig::Static(config) => Service::Static(StaticLogin::new(config)),
        };
        let life = Terms::of(name.kind()).life(ttl);
        Self { name, life, api, service }
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

    /// Asks for credentials; answers or fails within [`Provider::BUDGET`].
    pub async fn mint(&self, whom: &Pseudonym, clock: &Clock) -> Result<Grant, Failure> {
        let order = Order { life: self.life, at: clock.wall(), whom };
        let answer = tokio::time::timeout(Self::BUDGET, self.service.mint(order)).await;
        let api = self.name.title();
        let Minted { servers, life, own } = answer.unwrap_or(Err(Failure::TimedOut { api }))?;
        if !servers.has_relay() {
            return Err(Failure::Unusable { api, cause: "there is no relay in it" });
        }
        let life = life.map_or(self.life, |life| life.min(self.life));
        let handle = servers.username().filter(|_| own).map(|username| Handle(username.to_owned()));
        let (issued_at, expires_at) = (order.at, order.at.plus(life));
        Ok(Grant { provider: self.name.clone(), servers, issued_at, expires_at, handle })
    }

    /// What we sign ourselves to live until `expires_at`, whether that has passed or not; `None` where others sign. A relay
    /// that takes it or not tells what time it has.
    pub fn signed_until(&self, expires_at: UnixMillis, whom: &Pseudonym) -> Option<IceSet> {
        match &self.service {
            Service::Coturn(coturn) => {
                let order = Order { life: Duration::ZERO, at: expires_at, whom };
                Some(coturn.mint(order).servers)
            }
            Service::Cloudflare(_)
            | Service::Twilio(_)
            | Service::Xirsys(_)
            | Service::Metered(_)
            | Service::Static(_) => None,
        }
    }

    /// Takes a credential back before it expires.
    pub async fn revoke(&self, handle: &Handle) -> Result<(), Failure> {
        match &self.service {
            Service::Cloudflare(cloudflare) => cloudflare.revoke(handle).await,
            Service::Twilio(_) | Service::Xirsys(_) | Service::Metered(_) | Service::Coturn(_) | Service::Static(_) => {
                Err(Failure::Irrevocable { api: self.name.title() })
            }
        }
    }
}

impl Service {
    async fn mint(&self, order: Order<'_>) -> Result<Minted, Failure> {
        match self {
            Self::Cloudflare(cloudflare) => cloudflare.mint(order).await,
            Self::Twilio(twilio) => twilio.mint(order).await,
            Self::Xirsys(xirsys) => xirsys.mint(order).await,
            Self::Metered(metered) => metered.mint(order).await,
            Self::Coturn(coturn) => Ok(coturn.mint(order)),
            Self::Static(login) => Ok(login.mint()),
        }
    }
}
