//! Cloudflare's TURN service: a key that was made by hand, or what it takes to make keys, or both.

use super::{
    CloudflareRotation, ConfigError, naming::Naming, providers::Parts, rotation::lacks, secret::Secret, values,
};
use crate::domain::ProviderKind;
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
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

    /// How old a TURN key gets before a new one takes its place, such as 30d or 12h; the old one is deleted once no credential of
    /// it can live any more. It takes the account's ID and a token that may make keys; the TURN key above may be left out then,
    /// and serves until the first one is made if it is not. Unset: keys are changed by hand.
    #[arg(long, env, value_parser = values::period)]
    cloudflare_key_rotation: Option<Duration>,

    /// ID of the account (dashboard: Account home, copy account ID).
    #[arg(long, env, value_parser = values::word)]
    cloudflare_account_id: Option<String>,

    /// API token of the account with the permission Calls Write; makes and deletes TURN keys.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    cloudflare_api_token: Option<SecretString>,

    /// File that holds this token.
    #[arg(long, env)]
    cloudflare_api_token_file: Option<PathBuf>,

    /// Where the API is that makes keys.
    #[arg(long, env, default_value = "https://api.cloudflare.com/client/v4", value_parser = values::versioned_base)]
    cloudflare_api_base: Url,

    /// API token of the account with the permission Account Analytics Read: with it and the account's ID Cloudflare's own count of
    /// the month is asked for, which is what the bill says. Unset: it is not asked.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    cloudflare_analytics_token: Option<SecretString>,

    /// File that holds this token.
    #[arg(long, env)]
    cloudflare_analytics_token_file: Option<PathBuf>,

    /// Where the analytics are asked, `/graphql` being under it.
    #[arg(long, env, default_value = "https://api.cloudflare.com/client/v4", value_parser = values::versioned_base)]
    cloudflare_graphql_base: Url,
}

/// Cloudflare as it can be used: there is a key, or there are keys to come.
#[derive(Debug, Clone)]
pub struct CloudflareConfig {
    /// The key that was made by hand.
    pub key: Option<CloudflareKey>,
    /// Where the API is, without a path of its own version.
    pub api_base: Url,
    /// How keys are changed; `None`: by hand.
    pub rotation: Option<CloudflareRotation>,
    /// How Cloudflare is asked what it counted; `None`: it is not.
    pub usage: Option<Box<CloudflareUsage>>,
}

/// What asking for Cloudflare's own count takes.
#[derive(Debug, Clone)]
pub struct CloudflareUsage {
    /// Whose analytics.
    pub account_id: String,
    /// What may read them.
    pub token: SecretString,
    /// Where they are, without `/graphql`.
    pub graphql_base: Url,
}

/// A TURN key.
#[derive(Debug, Clone)]
pub struct CloudflareKey {
    /// Which.
    pub id: String,
    /// What proves that it is ours.
    pub api_token: SecretString,
}

const API_TOKEN: &str = "CLOUDFLARE_TURN_API_TOKEN";
const ACCOUNT_TOKEN: &str = "CLOUDFLARE_API_TOKEN";
const ROTATION: &str = "CLOUDFLARE_KEY_ROTATION";
const ACCOUNT_ID: &str = "CLOUDFLARE_ACCOUNT_ID";
const ANALYTICS_TOKEN: &str = "CLOUDFLARE_ANALYTICS_TOKEN";

impl CloudflareArgs {
    /// What can be used, `None` where nothing can.
    pub(super) fn resolve(mut self, naming: Naming<'_>) -> Result<Option<CloudflareConfig>, ConfigError> {
        let usage = self.usage(naming)?;
        let rotation = self.rotation(naming)?;
        let (value, file) = (self.cloudflare_turn_api_token, self.cloudflare_turn_api_token_file);
        let api_token = Secret { naming, variable: API_TOKEN, value, file }.token()?;
        let parts = Parts::of(ProviderKind::Cloudflare, naming)
            .need("CLOUDFLARE_TURN_KEY_ID", self.cloudflare_turn_key_id.as_ref())
            .need(API_TOKEN, api_token.as_ref());
        let key = match (self.cloudflare_turn_key_id, api_token) {
            (Some(id), Some(api_token)) => Some(CloudflareKey { id, api_token }),
            _ => parts.incomplete()?,
        };
        let usable = key.is_some() || rotation.is_some();
        Ok(usable.then_some(CloudflareConfig { key, api_base: self.cloudflare_turn_api_base, rotation, usage }))
    }

    /// The token decides: the account's ID may be there for keys that are changed by themselves.
    fn usage(&mut self, naming: Naming<'_>) -> Result<Option<Box<CloudflareUsage>>, ConfigError> {
        let (value, file) = (self.cloudflare_analytics_token.take(), self.cloudflare_analytics_token_file.take());
        let Some(token) = (Secret { naming, variable: ANALYTICS_TOKEN, value, file }).token()? else { return Ok(None) };
        let account_id = self.cloudflare_account_id.clone().ok_or_else(|| ConfigError::HalfACount {
            present: naming.variable(ANALYTICS_TOKEN),
            missing: naming.variable(ACCOUNT_ID),
        })?;
        Ok(Some(Box::new(CloudflareUsage { account_id, token, graphql_base: self.cloudflare_graphql_base.clone() })))
    }

    /// The switch decides: the account's ID and token may be there for something else.
    fn rotation(&mut self, naming: Naming<'_>) -> Result<Option<CloudflareRotation>, ConfigError> {
        let (value, file) = (self.cloudflare_api_token.take(), self.cloudflare_api_token_file.take());
        let Some(every) = self.cloudflare_key_rotation else { return Ok(None) };
        let token = Secret { naming, variable: ACCOUNT_TOKEN, value, file }.token()?;
        let api_token = token.ok_or_else(|| lacks(naming, ROTATION, ACCOUNT_TOKEN))?;
        let account_id = self.cloudflare_account_id.take();
        let account_id = account_id.ok_or_else(|| lacks(naming, ROTATION, ACCOUNT_ID))?;
        Ok(Some(CloudflareRotation { every, account_id, api_token, api_base: self.cloudflare_api_base.clone() }))
    }
}
