//! Metered, whose free account is Open Relay: a secret key makes a credential for everyone, an API key belongs to one that
//! is there already.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::domain::ProviderKind;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Metered (Open Relay)")]
pub(super) struct MeteredArgs {
    /// Name of the app: what stands before .metered.live.
    #[arg(long, env, value_parser = values::metered_app)]
    metered_app: Option<String>,

    /// Secret key of the account: everyone gets a credential of their own that expires. It is used where both keys are set.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    metered_secret_key: Option<SecretString>,

    /// File that holds the secret key.
    #[arg(long, env)]
    metered_secret_key_file: Option<PathBuf>,

    /// API key of one credential, such as Open Relay's free account has: everyone gets that one.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    metered_api_key: Option<SecretString>,

    /// File that holds the API key.
    #[arg(long, env)]
    metered_api_key_file: Option<PathBuf>,

    /// Where the API is. Unset: the app's own address.
    #[arg(long, env, value_parser = values::api_base)]
    metered_api_base: Option<Url>,
}

/// An app that can be used.
#[derive(Debug, Clone)]
pub struct MeteredConfig {
    /// What proves that it is ours.
    pub key: MeteredKey,
    /// Where the API is, without a path.
    pub api_base: Url,
}

/// What the operator has.
#[derive(Debug, Clone)]
pub enum MeteredKey {
    /// Makes credentials.
    Secret(SecretString),
    /// Belongs to one credential.
    Api(SecretString),
}

const SECRET_KEY: &str = "METERED_SECRET_KEY";

impl MeteredArgs {
    /// The app, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<MeteredConfig>, ConfigError> {
        let (value, file) = (self.metered_secret_key, self.metered_secret_key_file);
        let secret = Secret { naming, variable: SECRET_KEY, value, file }.token()?;
        let (value, file) = (self.metered_api_key, self.metered_api_key_file);
        let api = Secret { naming, variable: "METERED_API_KEY", value, file }.token()?;
        let named = if api.is_some() { "METERED_API_KEY" } else { SECRET_KEY };
        let key = secret.map(MeteredKey::Secret).or(api.map(MeteredKey::Api));
        let parts = Parts::of(ProviderKind::Metered, naming)
            .need("METERED_APP", self.metered_app.as_ref())
            .need(named, key.as_ref());
        let (Some(app), Some(key)) = (self.metered_app, key) else {
            return parts.incomplete();
        };
        let api_base = match self.metered_api_base {
            Some(set) => set,
            None => values::api_base(&format!("https://{app}.metered.live")).map_err(|advice| {
                ConfigError::BadValue { variable: naming.variable("METERED_APP"), value: app, advice: advice.into() }
            })?,
        };
        Ok(Some(MeteredConfig { key, api_base }))
    }
}
