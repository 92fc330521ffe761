//! A relay with one login for everybody: coturn with `lt-cred-mech`, and whatever gives out a user name and a password.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::{domain::ProviderKind, server::providers::RelayUrls};
use secrecy::SecretString;
use std::path::PathBuf;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Static credentials")]
pub(super) struct StaticArgs {
    /// Addresses of the relay as browsers reach it, with commas between them.
    #[arg(long, env, value_parser = values::relay_urls)]
    static_turn_urls: Option<RelayUrls>,

    /// User name. Every visitor learns it, and the password with it: whoever has them can use the relay from anywhere, until you
    /// change them.
    #[arg(long, env, value_parser = values::username)]
    static_turn_username: Option<String>,

    /// Password.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    static_turn_credential: Option<SecretString>,

    /// File that holds the password.
    #[arg(long, env)]
    static_turn_credential_file: Option<PathBuf>,
}

/// A login that can be used.
#[derive(Debug, Clone)]
pub struct StaticConfig {
    /// Where the relay is.
    pub urls: RelayUrls,
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: SecretString,
}

const USERNAME: &str = "STATIC_TURN_USERNAME";
const CREDENTIAL: &str = "STATIC_TURN_CREDENTIAL";

/// The login that guides still print for Open Relay, and where it used to work.
const DEAD_LOGIN: (&str, &str) = ("openrelayproject", "openrelay.metered.ca");

impl StaticArgs {
    /// The login, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<StaticConfig>, ConfigError> {
        let (value, file) = (self.static_turn_credential, self.static_turn_credential_file);
        let credential = Secret { naming, variable: CREDENTIAL, value, file }.password()?;
        let parts = Parts::of(ProviderKind::Static, naming)
            .need("STATIC_TURN_URLS", self.static_turn_urls.as_ref())
            .need(USERNAME, self.static_turn_username.as_ref())
            .need(CREDENTIAL, credential.as_ref());
        let (Some(urls), Some(username), Some(credential)) =
            (self.static_turn_urls, self.static_turn_username, credential)
        else {
            return parts.incomplete();
        };
        if username == DEAD_LOGIN.0 && urls.as_slice().iter().any(|url| url.contains(DEAD_LOGIN.1)) {
            let advice = "this login of Open Relay is dead, whatever guides say: it wants an account of your own now. Make a \
                          free one at metered.ca, write METERED_APP and METERED_API_KEY, and leave the STATIC_TURN_ variables out";
            return Err(ConfigError::BadValue {
                variable: naming.variable(USERNAME),
                value: username,
                advice: advice.into(),
            });
        }
        Ok(Some(StaticConfig { urls, username, credential }))
    }
}
