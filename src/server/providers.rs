//! Who mints TURN credentials, and how one answer of theirs becomes one of ours.
//!
//! Owns the closed set of providers, the budget of time that one of them gets, and the words for its failures. Knows nothing
//! of callers, limits and caches; [`Grants`] does the asking on behalf of a caller. Nothing that a provider says reaches a
//! browser before [`IceSet`] has gone over it.

mod cloudflare;
mod grants;
mod ice_set;

pub use cloudflare::Cloudflare;
pub use grants::{Grants, ParticipantKey};
pub use ice_set::{IceSet, StunUrls};

use crate::{
    domain::{ProviderName, UnixMillis},
    server::clock::Clock,
};
use std::time::Duration;

/// A provider that the operator configured.
#[derive(Debug)]
pub enum Provider {
    /// Cloudflare Realtime TURN.
    Cloudflare(Cloudflare),
}

/// Credentials fresh from a provider.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who minted them.
    pub provider: ProviderName,
    /// ICE servers with at least one relay among them.
    pub servers: IceSet,
    /// When they stop working.
    pub expires_at: UnixMillis,
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
}

impl Failure {
    /// Whether asking again at once may help.
    fn is_passing(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            Self::Unusable { .. } => false,
        }
    }
}

impl Provider {
    /// Asks for credentials; answers or fails within [`Provider::BUDGET`].
    pub async fn mint(&self, clock: &Clock) -> Result<Grant, Failure> {
        match self {
            Self::Cloudflare(cloudflare) => cloudflare.mint(clock).await,
        }
    }

    /// How long the credentials live that it mints.
    pub fn ttl(&self) -> Duration {
        match self {
            Self::Cloudflare(cloudflare) => cloudflare.ttl(),
        }
    }

    /// Time for everything that asking takes, second attempt included. A page waits for the answer, and promise 8 gives
    /// it 2 s in all.
    pub const BUDGET: Duration = Duration::from_millis(1_850);
}
