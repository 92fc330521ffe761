//! Cloudflare's TURN service: all of it or nothing.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::domain::ProviderKind;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Cloudflare TURN")]
pub(super) struct CloudflareArgs {
    /// ID of the TURN key (dashboard: Realtime, TURN keys).
    #[arg(long, env, value_parser = values::word)]
    cloudflare_turn_key_id: Option<String>,

    /// API token of the TURN key, shown once when the key is made. Better in the environment or a file than on the command line,
    /// where other users of the machine can read it.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    cloudflare_turn_api_token: Option<SecretString>,

    /// File that holds the API token.
    #[arg(long, env)]
    cloudflare_turn_api_token_file: Option<PathBuf>,

    /// Where the API is; a stand-in for tests, a proxy of your own.
    #[arg(long, env, default_value = "https://rtc.live.cloudflare.com", value_parser = values::api_base)]
    cloudflare_turn_api_base: Url,
}

/// A TURN key that can be used.
#[derive(Debug, Clone)]
pub struct CloudflareConfig {
    /// Which key.
    pub key_id: String,
    /// What proves that it is ours.
    pub api_token: SecretString,
    /// Where the API is, without a path of its own version.
    pub api_base: Url,
}

const API_TOKEN: &str = "CLOUDFLARE_TURN_API_TOKEN";

impl CloudflareArgs {
    /// The key, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<CloudflareConfig>, ConfigError> {
        let (value, file) = (self.cloudflare_turn_api_token, self.cloudflare_turn_api_token_file);
        let api_token = Secret { naming, variable: API_TOKEN, value, file }.token()?;
        let parts = Parts::of(ProviderKind::Cloudflare, naming)
            .need("CLOUDFLARE_TURN_KEY_ID", self.cloudflare_turn_key_id.as_ref())
            .need(API_TOKEN, api_token.as_ref());
        let (Some(key_id), Some(api_token)) = (self.cloudflare_turn_key_id, api_token) else {
            return parts.incomplete();
        };
        Ok(Some(CloudflareConfig { key_id, api_token, api_base: self.cloudflare_turn_api_base }))
    }
}
