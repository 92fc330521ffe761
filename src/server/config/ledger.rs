//! How long the books are kept.

use super::values;
use crate::server::usage::Keep;

/// What becomes of old usage.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Ledger")]
pub struct LedgerConfig {
    /// For how many whole months before this one it is kept who used what: every row of evidence, sessions and participants. Older
    /// ones go, little by little, while the server runs; what a month came to stays, by hour and by provider. From 1 to 1200, or
    /// `all` to keep everything.
    #[arg(long, env, default_value = "24", value_parser = values::keep_months)]
    pub usage_keep_months: Keep,
}
