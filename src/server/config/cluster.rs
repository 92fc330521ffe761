//! Whether this server is one of several, and where they meet.

use super::{ConfigError, naming::Naming, secret::Secret, values};
use secrecy::SecretString;
use std::path::PathBuf;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Several machines")]
pub(super) struct ClusterArgs {
    /// The Redis or Valkey over which several servers are one, such as `redis://:password@10.0.0.5:6379` or `rediss://..` with TLS:
    /// anybody joins and resumes at any of them, and limits count for all together. Each has a `DATA_DIR` of its own. Unset: this
    /// is the only one.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    redis_url: Option<SecretString>,

    /// File that holds this address, with its password.
    #[arg(long, env)]
    redis_url_file: Option<PathBuf>,
}

/// Where several servers meet.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// The Redis, which may need a password.
    pub redis: SecretString,
}

impl ClusterArgs {
    /// Where they meet; `None` where there is one server.
    pub(super) fn resolve(self) -> Result<Option<ClusterConfig>, ConfigError> {
        let (value, file) = (self.redis_url, self.redis_url_file);
        let secret = Secret { naming: Naming::default(), variable: "REDIS_URL", value, file };
        Ok(secret.redis()?.map(|redis| ClusterConfig { redis }))
    }
}
