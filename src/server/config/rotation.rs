//! Keys that are changed by themselves: how often, and what that needs of the operator.

use super::{ConfigError, naming::Naming};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
use url::Url;

/// How Cloudflare's TURN keys are changed.
#[derive(Debug, Clone)]
pub struct CloudflareRotation {
    /// How old a key gets.
    pub every: Duration,
    /// Whose keys.
    pub account_id: String,
    /// What may make and delete them.
    pub api_token: SecretString,
    /// Where that API is, with its version.
    pub api_base: Url,
}

/// How coturn's secrets are changed.
#[derive(Debug, Clone)]
pub struct CoturnRotation {
    /// How old a secret gets.
    pub every: Duration,
    /// The file that coturn reads them from.
    pub database: PathBuf,
    /// Whose secrets within it.
    pub realm: String,
}

/// What `missing` belongs to, which the switch `present` turns on.
pub(super) fn lacks(naming: Naming<'_>, present: &str, missing: &str) -> ConfigError {
    ConfigError::HalfARotation { present: naming.variable(present), missing: naming.variable(missing) }
}
