//! A relay of the operator's that shares a secret with Tessro: coturn with `use-auth-secret`, eturnal.

use super::{ConfigError, CoturnRotation, naming::Naming, providers::Parts, rotation::lacks, secret::Secret, values};
use crate::{domain::ProviderKind, server::providers::RelayUrls};
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, time::Duration};

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

    /// How old a secret gets before a new one takes its place, such as 30d or 12h; the old one is taken out of coturn's database once
    /// no credential of it can live any more. It takes the database and the realm; the secret above may be left out then, and signs
    /// until the first one is made if it is not. Unset: secrets are changed by hand.
    #[arg(long, env, value_parser = values::period)]
    coturn_secret_rotation: Option<Duration>,

    /// coturn's SQLite database, what it has as `userdb`: on this machine, and writable for the user that runs Tessro.
    #[arg(long, env)]
    coturn_database: Option<PathBuf>,

    /// What coturn has as `realm`.
    #[arg(long, env, value_parser = values::realm)]
    coturn_realm: Option<String>,

    /// The Redis that coturn has as `redis-statsdb`, such as `redis://:password@127.0.0.1:6379` or `rediss://..` with TLS: what
    /// coturn itself counts is heard there, and counts instead of what browsers report. Where several relays share a Redis, the
    /// realm above tells them apart. Unset: it is not heard.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    coturn_redis_url: Option<SecretString>,

    /// File that holds this address, with its password.
    #[arg(long, env)]
    coturn_redis_url_file: Option<PathBuf>,
}

/// A relay that can be used.
#[derive(Debug, Clone)]
pub struct CoturnConfig {
    /// Where it is.
    pub urls: RelayUrls,
    /// What signs, until there is a secret that was made by itself.
    pub shared_secret: Option<SecretString>,
    /// How secrets are changed; `None`: by hand.
    pub rotation: Option<CoturnRotation>,
    /// Where its statistics are heard; `None`: nowhere.
    pub statistics: Option<CoturnStatistics>,
}

/// Where coturn's statistics are heard.
#[derive(Debug, Clone)]
pub struct CoturnStatistics {
    /// The Redis, which may need a password.
    pub redis: SecretString,
    /// The realm whose relay is meant; `None`: all that are heard.
    pub realm: Option<String>,
}

const SHARED_SECRET: &str = "COTURN_SHARED_SECRET";
const ROTATION: &str = "COTURN_SECRET_ROTATION";
const REDIS_URL: &str = "COTURN_REDIS_URL";

impl CoturnArgs {
    /// The relay, `None` where there is none.
    pub(super) fn resolve(mut self, naming: Naming<'_>) -> Result<Option<CoturnConfig>, ConfigError> {
        let statistics = self.statistics(naming)?;
        let rotation = self.rotation(naming)?;
        let (value, file) = (self.coturn_shared_secret, self.coturn_shared_secret_file);
        let secrets = Secret { naming, variable: SHARED_SECRET, value, file }.token()?;
        let mut parts = Parts::of(ProviderKind::Coturn, naming).need("COTURN_URLS", self.coturn_urls.as_ref());
        parts = match &rotation {
            Some(_) => parts.need(ROTATION, rotation.as_ref()),
            None => parts.need(SHARED_SECRET, secrets.as_ref()),
        };
        let Some(urls) = self.coturn_urls.filter(|_| rotation.is_some() || secrets.is_some()) else {
            return parts.incomplete();
        };
        let first = |secrets: SecretString| {
            let first = secrets.expose_secret().split(',').find(|secret| !secret.is_empty());
            first.map(SecretString::from).ok_or_else(|| {
                let advice = "write the secret of the relay, several with commas between them";
                ConfigError::BadSecret { variable: naming.variable(SHARED_SECRET), advice }
            })
        };
        Ok(Some(CoturnConfig { urls, shared_secret: secrets.map(first).transpose()?, rotation, statistics }))
    }

    fn statistics(&mut self, naming: Naming<'_>) -> Result<Option<CoturnStatistics>, ConfigError> {
        let (value, file) = (self.coturn_redis_url.take(), self.coturn_redis_url_file.take());
        let Some(redis) = (Secret { naming, variable: REDIS_URL, value, file }).redis()? else { return Ok(None) };
        Ok(Some(CoturnStatistics { redis, realm: self.coturn_realm.clone() }))
    }

    fn rotation(&mut self, naming: Naming<'_>) -> Result<Option<CoturnRotation>, ConfigError> {
        let Some(every) = self.coturn_secret_rotation else { return Ok(None) };
        let database = self.coturn_database.take().ok_or_else(|| lacks(naming, ROTATION, "COTURN_DATABASE"))?;
        let realm = self.coturn_realm.take().ok_or_else(|| lacks(naming, ROTATION, "COTURN_REALM"))?;
        Ok(Some(CoturnRotation { every, database, realm }))
    }
}
