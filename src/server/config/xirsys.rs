//! Xirsys.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::domain::ProviderKind;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Xirsys")]
pub(super) struct XirsysArgs {
    /// Ident of the account: the name that it was made with.
    #[arg(long, env, value_parser = values::word)]
    xirsys_ident: Option<String>,

    /// Secret of the account.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    xirsys_secret: Option<SecretString>,

    /// File that holds the secret.
    #[arg(long, env)]
    xirsys_secret_file: Option<PathBuf>,

    /// Channel that was made in the dashboard.
    #[arg(long, env, value_parser = values::path)]
    xirsys_channel: Option<String>,

    /// Where the API is. It gives relays that are near to this server: choose the host of a region where that is not where
    /// people are.
    #[arg(long, env, default_value = "https://global.xirsys.net", value_parser = values::api_base)]
    xirsys_api_base: Url,
}

/// An account that can be used.
#[derive(Debug, Clone)]
pub struct XirsysConfig {
    /// Which account.
    pub ident: String,
    /// What proves that it is ours.
    pub secret: SecretString,
    /// The channel, a path without slashes at its ends.
    pub channel: String,
    /// Where the API is.
    pub api_base: Url,
}

const SECRET: &str = "XIRSYS_SECRET";

impl XirsysArgs {
    /// The account, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<XirsysConfig>, ConfigError> {
        let (value, file) = (self.xirsys_secret, self.xirsys_secret_file);
        let secret = Secret { naming, variable: SECRET, value, file }.token()?;
        let parts = Parts::of(ProviderKind::Xirsys, naming)
            .need("XIRSYS_IDENT", self.xirsys_ident.as_ref())
            .need(SECRET, secret.as_ref())
            .need("XIRSYS_CHANNEL", self.xirsys_channel.as_ref());
        let (Some(ident), Some(secret), Some(channel)) = (self.xirsys_ident, secret, self.xirsys_channel) else {
            return parts.incomplete();
        };
        Ok(Some(XirsysConfig { ident, secret, channel, api_base: self.xirsys_api_base }))
    }
}
