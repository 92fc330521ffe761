//! Cloudflare's TURN service: all of it or nothing.

use super::{ConfigError, values};
use clap::builder::{StringValueParser, TypedValueParser as _};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Cloudflare TURN")]
pub(super) struct CloudflareArgs {
    /// ID of the TURN key (dashboard: Realtime, TURN keys).
    #[arg(long, env, value_parser = values::key_id)]
    cloudflare_turn_key_id: Option<String>,

    /// API token of the TURN key, shown once when the key is made. Better in the environment or a file than on the command line,
    /// where other users of the machine can read it.
    #[arg(long, env, hide_env_values = true, value_parser = StringValueParser::new().map(SecretString::from))]
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

const KEY_ID: &str = "CLOUDFLARE_TURN_KEY_ID";
const API_TOKEN: &str = "CLOUDFLARE_TURN_API_TOKEN";

impl CloudflareArgs {
    /// The key, `None` where there is none.
    pub(super) fn resolve(self) -> Result<Option<CloudflareConfig>, ConfigError> {
        let half = |present, missing| Err(ConfigError::HalfAProvider { provider: "Cloudflare TURN", present, missing });
        let token = read_secret(API_TOKEN, self.cloudflare_turn_api_token, self.cloudflare_turn_api_token_file)?;
        match (self.cloudflare_turn_key_id, token) {
            (None, None) => Ok(None),
            (Some(_), None) => half(KEY_ID, API_TOKEN),
            (None, Some(_)) => half(API_TOKEN, KEY_ID),
            (Some(key_id), Some(api_token)) => {
                Ok(Some(CloudflareConfig { key_id, api_token, api_base: self.cloudflare_turn_api_base }))
            }
        }
    }
}

/// A secret from its variable or from the file that the variable with `_FILE` names.
fn read_secret(
    variable: &'static str,
    value: Option<SecretString>,
    file: Option<PathBuf>,
) -> Result<Option<SecretString>, ConfigError> {
    let secret = match (value, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(ConfigError::SecretTwice { variable }),
        (Some(value), None) => SecretString::from(value.expose_secret().trim()),
        (None, Some(file)) => match std::fs::read_to_string(&file) {
            Ok(text) => SecretString::from(text.trim()),
            Err(cause) => {
                return Err(ConfigError::SecretFile { variable, path: file.display().to_string(), cause });
            }
        },
    };
    // Anything else cannot stand in an HTTP header.
    let usable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if usable(secret.expose_secret()) {
        Ok(Some(secret))
    } else {
        Err(ConfigError::BadSecret { variable, advice: "copy it again, one line of letters, digits and signs" })
    }
}
