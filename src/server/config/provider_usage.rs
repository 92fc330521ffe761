//! How often providers are asked what they counted themselves.

use super::values;
use std::time::Duration;

/// The variables.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What providers count")]
pub(super) struct ProviderUsageArgs {
    /// How often each provider that can be asked is asked for its own count of the month, such as 10m or 1h, or `off`; never more
    /// than once a minute. What the provider says is what it bills, so no month is taken to be less than that. Cloudflare wants a
    /// token of its own for it (`CLOUDFLARE_ANALYTICS_TOKEN`), Metered its secret key; coturn tells by itself (`COTURN_REDIS_URL`).
    #[arg(long, env, default_value = "10m", value_parser = values::timer)]
    provider_usage_every: values::Timer,
}

impl ProviderUsageArgs {
    /// `None` for never.
    pub(super) fn every(&self) -> Option<Duration> {
        self.provider_usage_every.0
    }
}
