//! Why a provider gave no credentials, in words for the operator.

use std::time::Duration;

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
    /// The word for it in figures.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Declined { .. } => "declined",
            Self::TimedOut { .. } => "timed_out",
            Self::Unreachable { .. } => "unreachable",
            Self::Unusable { .. } => "unusable",
            Self::NoKey { .. } => "no_key",
            Self::Irrevocable { .. } => "irrevocable",
        }
    }

    /// What to do: the end of its text.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Refused { advice, .. } | Self::Declined { advice, .. } => advice,
            Self::TimedOut { .. } => "check the server's network and the provider's status page",
            Self::Unreachable { .. } => "check the server's network and the API's address",
            Self::Unusable { .. } => "check the API's address",
            Self::NoKey { .. } => {
                "the server makes it as soon as that can be done, and its log says what is in the way"
            }
            Self::Irrevocable { .. } => "it ends when it expires",
        }
    }

    /// How long the provider asked to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
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
