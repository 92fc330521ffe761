//! Who gets credentials, and for how long.

use super::values;
use crate::server::{guard::RateLimit, providers::StunUrls};
use std::time::Duration;

/// Settings that hold for every provider.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialConfig {
    /// How long TURN credentials live, in seconds. Each provider has its own bounds (Cloudflare 30 to 172800); a value outside
    /// them is brought inside.
    #[arg(long, env, default_value = "86400", value_parser = values::seconds)]
    pub turn_credential_ttl: Duration,

    /// STUN servers for those who get no relay, with commas between them. The one variable that may be empty: then
    /// there are none.
    #[arg(long, env, default_value = "stun:stun.cloudflare.com:3478", value_parser = values::stun_urls)]
    pub stun_urls: StunUrls,

    /// How often one address may ask for credentials without being in a session: requests per s, m or h.
    #[arg(long, env, default_value = "10/5m", value_parser = values::rate_limit)]
    pub rate_limit_credentials: RateLimit,
}
