//! Whether this server is one of several, and where they meet.

use super::{ConfigError, naming::Naming, secret::Secret, values};
use secrecy::SecretString;
use std::path::PathBuf;

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Several machines")]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
pub(super) struct ClusterArgs {
    /// The Redis or Valkey over which several servers are one, such as `redis://:password@10.0.0.5:6379` or `rediss://..` with TLS:
    /// anybody joins and resumes at any of them, and limits count for all together. Each has a `DATA_DIR` of its own. Unset: this
    /// is the only one.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    redis_url: Option<SecretString>,

    /// File that holds this address, with its password.
    #[arg(long, env)]
    redis_url_file: Option<PathBuf>,

    /// What every key and channel of this deployment begins with there: one word, alike at all of its servers. Two deployments on one
    /// Redis have words of their own, and neither sees anything of the other's sessions, limits or budget; a number of a database
    /// does not keep them apart, since channels have none.
    #[arg(long, env, default_value = "tessro", value_parser = values::redis_prefix)]
    redis_prefix: String,
}

/// Where several servers meet.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// The Redis, which may need a password.
    pub redis: SecretString,
    /// What keys and channels begin with there, up to a colon; has none itself.
    pub prefix: String,
}

impl ClusterArgs {
    /// Where they meet; `None` where there is one server.
    pub(super) fn resolve(self) -> Result<Option<ClusterConfig>, ConfigError> {
        let (value, file, prefix) = (self.redis_url, self.redis_url_file, self.redis_prefix);
        let secret = Secret { naming: Naming::default(), variable: "REDIS_URL", value, file };
        Ok(secret.redis()?.map(|redis| ClusterConfig { redis, prefix }))
    }
}
