//! How much may be relayed.

use super::values;
use crate::{domain::ByteCount, server::usage::ProviderLimits};

/// The month's budget.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitConfig {
    /// How much may be relayed in a month (UTC), in GB of 10^9 bytes, decimals allowed. Once it is used up there are no new
    /// relay credentials until the month turns.
    #[arg(long, env, default_value = "1000", value_parser = values::gigabytes)]
    pub monthly_bandwidth_limit_gb: ByteCount,

    /// How much of it single providers may relay, in GB, as in `cloudflare=950,coturn:fra=2000`. Who has relayed so much in a
    /// month is not asked any more until the month turns, and the next in line is.
    #[arg(long, env, default_value = "", hide_default_value = true, value_parser = values::provider_limits)]
    pub provider_bandwidth_limits_gb: ProviderLimits,
}
