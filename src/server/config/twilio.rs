//! Twilio's Network Traversal Service.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::domain::ProviderKind;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Twilio")]
pub(super) struct TwilioArgs {
    /// SID of the account, AC and 32 digits (console: Account info).
    #[arg(long, env, value_parser = values::word)]
    twilio_account_sid: Option<String>,

    /// Auth token of the account.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    twilio_auth_token: Option<SecretString>,

    /// File that holds the auth token.
    #[arg(long, env)]
    twilio_auth_token_file: Option<PathBuf>,

    /// Where the API is.
    #[arg(long, env, default_value = "https://api.twilio.com", value_parser = values::api_base)]
    twilio_api_base: Url,
}

/// An account that can be used.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// Which account.
    pub account_sid: String,
    /// What proves that it is ours.
    pub auth_token: SecretString,
    /// Where the API is, without a path of its own version.
    pub api_base: Url,
}

const AUTH_TOKEN: &str = "TWILIO_AUTH_TOKEN";

impl TwilioArgs {
    /// The account, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<TwilioConfig>, ConfigError> {
        let (value, file) = (self.twilio_auth_token, self.twilio_auth_token_file);
        let auth_token = Secret { naming, variable: AUTH_TOKEN, value, file }.token()?;
        let parts = Parts::of(ProviderKind::Twilio, naming)
            .need("TWILIO_ACCOUNT_SID", self.twilio_account_sid.as_ref())
            .need(AUTH_TOKEN, auth_token.as_ref());
        let (Some(account_sid), Some(auth_token)) = (self.twilio_account_sid, auth_token) else {
            return parts.incomplete();
        };
        Ok(Some(TwilioConfig { account_sid, auth_token, api_base: self.twilio_api_base }))
    }
}
