//! A relay of the operator's that shares a secret with Tessro: coturn with `use-auth-secret`, eturnal.

use super::{ConfigError, naming::Naming, providers::Parts, secret::Secret, values};
use crate::{domain::ProviderKind, server::providers::RelayUrls};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::PathBuf;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "coturn")]
pub(super) struct CoturnArgs {
    /// Addresses of the relay as browsers reach it, with commas between them, such as
    /// `turn:turn.example:3478,turns:turn.example:443?transport=tcp`.
    #[arg(long, env, value_parser = values::relay_urls)]
    coturn_urls: Option<RelayUrls>,

    /// Secret that the relay has as `static-auth-secret`. Several with commas between them while it is being changed: the first
    /// one signs, and the relay knows all of them.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    coturn_shared_secret: Option<SecretString>,

    /// File that holds the secret.
    #[arg(long, env)]
    coturn_shared_secret_file: Option<PathBuf>,
}

/// A relay that can be used.
#[derive(Debug, Clone)]
pub struct CoturnConfig {
    /// Where it is.
    pub urls: RelayUrls,
    /// What signs.
    pub shared_secret: SecretString,
}

const SHARED_SECRET: &str = "COTURN_SHARED_SECRET";

impl CoturnArgs {
    /// The relay, `None` where there is none.
    pub(super) fn resolve(self, naming: Naming<'_>) -> Result<Option<CoturnConfig>, ConfigError> {
        let (value, file) = (self.coturn_shared_secret, self.coturn_shared_secret_file);
        let secrets = Secret { naming, variable: SHARED_SECRET, value, file }.token()?;
        let parts = Parts::of(ProviderKind::Coturn, naming)
            .need("COTURN_URLS", self.coturn_urls.as_ref())
            .need(SHARED_SECRET, secrets.as_ref());
        let (Some(urls), Some(secrets)) = (self.coturn_urls, secrets) else {
            return parts.incomplete();
        };
        let Some(first) = secrets.expose_secret().split(',').find(|secret| !secret.is_empty()) else {
            let advice = "write the secret of the relay, several with commas between them";
            return Err(ConfigError::BadSecret { variable: naming.variable(SHARED_SECRET), advice });
        };
        Ok(Some(CoturnConfig { urls, shared_secret: SecretString::from(first) }))
    }
}
