//! What an operator looks at the running server with.

use super::{ConfigError, naming::Naming, secret::Secret, values};
use axum::http::HeaderName;
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Operating")]
pub(super) struct OperatingArgs {
    /// Token that lets you onto the operator's page, `/admin`, and read `/metrics`, sent as `Authorization: Bearer`. Long and random,
    /// such as from `openssl rand -hex 24`. Unset: nobody gets onto the page, and `/metrics` is for programs on this machine that
    /// come by no proxy.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    admin_token: Option<SecretString>,

    /// File that holds the token.
    #[arg(long, env)]
    admin_token_file: Option<PathBuf>,

    /// Header in which a proxy or CDN in front says in which country a visitor is, in two letters, such as `CF-IPCountry`. Set it
    /// where nobody but that proxy can reach the server: the operator's page then counts connections by country, and nothing finer.
    #[arg(long, env, value_parser = values::header)]
    country_header: Option<HeaderName>,

    /// File that says which country an address is in, a database of countries (`.mmdb`) such as DB-IP Lite: for where no proxy
    /// says it. Read at the start.
    #[arg(long, env)]
    geoip_file: Option<PathBuf>,

    /// How often the running server tries each provider's relay, such as 30s, 5m or 1h, or `off`. It tries them at its start too.
    /// A provider whose relay does not answer is asked after the others. Costs about 2 kB of relayed data each time, and a
    /// credential now and then. As often it looks at clocks, STUN, its data and the way to itself, for `/metrics` and the log.
    #[arg(long, env, default_value = "5m", value_parser = values::timer)]
    turn_check_every: values::Timer,
}

/// What an operator looks at the running server with.
#[derive(Debug, Clone)]
pub struct OperatingConfig {
    /// In which header a visitor's country stands.
    pub country_header: Option<HeaderName>,
    /// The file that has the countries of addresses.
    pub geoip_file: Option<PathBuf>,
    /// Who has it may read what is not for visitors.
    pub admin_token: Option<SecretString>,
    /// How often relays and the way to the server are tried; `None` for never.
    pub turn_check_every: Option<Duration>,
}

impl OperatingArgs {
    pub(super) fn resolve(self) -> Result<OperatingConfig, ConfigError> {
        let (value, file) = (self.admin_token, self.admin_token_file);
        let admin_token = Secret { naming: Naming::default(), variable: "ADMIN_TOKEN", value, file }.token()?;
        Ok(OperatingConfig {
            country_header: self.country_header,
            geoip_file: self.geoip_file,
            admin_token,
            turn_check_every: self.turn_check_every.0,
        })
    }
}
