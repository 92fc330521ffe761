//! Who mints TURN credentials, and how one answer of theirs becomes one of ours.
//!
//! - [`api`]: how any provider's API is talked to: time-outs, a second attempt, answers that are too large.
//! - `cloudflare`, `twilio`, `xirsys`, `metered`, `coturn`, `static_login`: one provider each, with its [`Terms`].
//! - [`breaker`]: whether one that failed is asked again. [`race`]: who is asked when, and when to stop waiting.
//! - [`line`]: the providers in the order that the operator set. [`near`]: who of a kind is the nearest.
//! - [`grants`]: what one caller gets of them. [`rotation`]: keys that are changed by themselves, on a schedule.
//! - [`ice_set`]: nothing that a provider says reaches a browser before it has gone over it.
//!
//! Owns the closed set of providers, the budget of time that one of them gets, and the words for its failures. Knows nothing
//! of callers and limits.

mod api;
mod breaker;
mod cloudflare;
mod coturn;
mod grants;
mod ice_set;
mod line;
mod metered;
mod near;
mod pseudonym;
mod race;
mod rotation;
mod static_login;
mod terms;
mod twilio;
mod xirsys;

pub use grants::{Grants, ParticipantKey};
pub use ice_set::{IceSet, RelayUrls, StunUrls};
pub use line::Line;
pub use near::{Near, Regions};
pub use pseudonym::Pseudonym;
pub use rotation::Rotations;
pub use terms::{AtExpiry, Price, Terms, UsageAsked};

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

/// A provider that the operator configured.
#[derive(Debug)]
pub struct Provider {
    name: ProviderName,
    life: Duration,
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

/// Why a provider gave no credentials. The text is for the operator's log: it says what to do and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It answered, and said no.
    #[error("{api} API returned {status}: {advice}")]
    Refused {
        /// Whose API.
        api: &'static str,
        /// The HTTP status.
        status: u16,
        /// What to do.
        advice: &'static str,
        /// When it may be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It said no in an answer that looks like yes.
    #[error("{api} API said no ({reason}): {advice}")]
    Declined {
        /// Whose API.
        api: &'static str,
        /// Its own word for why.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// It did not answer in time.
    #[error("{api} API did not answer in time: check the server's network and the provider's status page")]
    TimedOut {
        /// Whose API.
        api: &'static str,
    },
    /// There was no connection, or it broke.
    #[error("{api} API could not be reached ({cause}): check the server's network and the API's address")]
    Unreachable {
        /// Whose API.
        api: &'static str,
        /// What the network said.
        cause: String,
    },
    /// The answer makes no sense.
    #[error("{api} API gave an answer that cannot be used ({cause}): check the API's address")]
    Unusable {
        /// Whose API.
        api: &'static str,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// Its first key is still to be made.
    #[error("{api} has no key yet: it is made as soon as that can be done, and the log says what is in the way")]
    NoKey {
        /// Whose key.
        api: &'static str,
    },
    /// There is no way to take a credential of this kind back.
    #[error("{api} takes no credential back: it ends when it expires")]
    Irrevocable {
        /// Whose credential.
        api: &'static str,
    },
}

impl Failure {
    /// How long the provider asked to be left alone.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Declined { .. }
            | Self::TimedOut { .. }
            | Self::Unreachable { .. }
            | Self::Unusable { .. }
            | Self::NoKey { .. }
            | Self::Irrevocable { .. } => None,
        }
    }
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
        let data_dir = &config.app.data_dir;
        let provider = |(name, config): &(ProviderName, ProviderConfig)| {
            let keys = rotation::follower(name, config, data_dir, clock);
            Self::new(name.clone(), config.clone(), keys, ttl, &http, clock)
        };
        Ok(config.providers.iter().map(provider).collect())
    }

    /// A provider whose credentials live for `ttl`, or as near to it as it allows.
    fn new(
        name: ProviderName,
        config: ProviderConfig,
        keys: Option<Follower>,
        ttl: Duration,
        http: &Client,
        clock: &Clock,
    ) -> Self {
        let service = match config {
            ProviderConfig::Cloudflare(config) => Service::Cloudflare(Cloudflare::new(config, keys, http, clock)),
            ProviderConfig::Twilio(config) => Service::Twilio(Twilio::new(config, http, clock)),
            ProviderConfig::Xirsys(config) => Service::Xirsys(Xirsys::new(config, http, clock)),
            ProviderConfig::Metered(config) => Service::Metered(Metered::new(config, http, clock)),
            ProviderConfig::Coturn(config) => Service::Coturn(Coturn::new(config, keys)),
            ProviderConfig::Static(config) => Service::Static(StaticLogin::new(config)),
        };
        let life = Terms::of(name.kind()).life(ttl);
        Self { name, life, service, stun_url: OnceLock::new() }
    }

    /// What the operator calls it.
    pub fn name(&self) -> &ProviderName {
        &self.name
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
            Service::Cloudflare(_) | Service::Twilio(_) | Service::Xirsys(_) | Service::Metered(_) => None,
        };
        own.or_else(|| self.stun_url.get().cloned())
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
        if let (None, Some(url)) = (self.stun_url.get(), servers.stun_url()) {
            // Two at once found the same.
            let _set = self.stun_url.set(url);
        }
        let life = life.map_or(self.life, |life| life.min(self.life));
        let handle = servers.username().filter(|_| own).map(|username| Handle(username.to_owned()));
        let (issued_at, expires_at) = (order.at, order.at.plus(life));
        Ok(Grant { provider: self.name.clone(), servers, issued_at, expires_at, handle })
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
            Self::Coturn(coturn) => coturn.mint(order),
            Self::Static(login) => Ok(login.mint()),
        }
    }
}
