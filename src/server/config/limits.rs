//! How much may be relayed.

use super::values;
use crate::domain::ByteCount;

/// The month's budget.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitConfig {
    /// How much may be relayed in a month (UTC), in GB of 10^9 bytes, decimals allowed. Once it is used up there are no new
    /// relay credentials until the month turns.
    #[arg(long, env, default_value = "1000", value_parser = values::gigabytes)]
    pub monthly_bandwidth_limit_gb: ByteCount,
}
