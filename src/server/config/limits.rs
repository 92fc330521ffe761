//! How much may be relayed.

use super::values;
use crate::{
    domain::ByteCount,
    server::usage::{Limits, ProviderLimits, Stages, WhenUncounted},
};

/// The month's budget, and who may have how much of it.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitConfig {
    /// How much may be relayed in a month (UTC), in GB of 10^9 bytes, decimals allowed. Once it is used up there are no new
    /// relay credentials until the month turns, and what runs over a relay ends.
    #[arg(long, env, default_value = "1000", value_parser = values::gigabytes)]
    pub monthly_bandwidth_limit_gb: ByteCount,

    /// How much of it single providers may relay, in GB, as in `cloudflare=950,coturn:fra=2000`. Who has relayed so much in a
    /// month is not asked any more until the month turns, and the next in line is.
    #[arg(long, env, default_value = "", hide_default_value = true, value_parser = values::provider_limits)]
    pub provider_bandwidth_limits_gb: ProviderLimits,

    /// How much may be relayed in a day (UTC), in GB. Unset: no limit but the month's.
    #[arg(long, env, value_parser = values::gigabytes)]
    pub daily_bandwidth_limit_gb: Option<ByteCount>,

    /// How much one session may relay in a month, in GB.
    #[arg(long, env, value_parser = values::gigabytes)]
    pub session_bandwidth_limit_gb: Option<ByteCount>,

    /// How much one participant may relay in a month, in GB.
    #[arg(long, env, value_parser = values::gigabytes)]
    pub participant_bandwidth_limit_gb: Option<ByteCount>,

    /// How much may be relayed for one client address in a month, in GB. Counted anew when the server is started.
    #[arg(long, env, value_parser = values::gigabytes)]
    pub address_bandwidth_limit_gb: Option<ByteCount>,

    /// How much one app with an API key may relay in a month, in GB, as far as the relay itself counts it: the built-in one does.
    #[arg(long, env, value_parser = values::gigabytes)]
    pub api_key_bandwidth_limit_gb: Option<ByteCount>,

    /// At how many percent of the month's or the day's limit you are warned, whoever watches over a relay gets a smaller picture, and
    /// newcomers get no relay. Whole numbers that grow, up to 100.
    #[arg(long, env, default_value = "70,90,95", value_parser = values::stages)]
    pub bandwidth_stages: Stages,

    /// What happens to credentials while nothing can be counted, as when the disk is full: `closed` gives none, `open` goes on.
    #[arg(long, env, default_value = "closed", value_parser = values::when_uncounted)]
    pub bandwidth_when_uncounted: WhenUncounted,
}

impl LimitConfig {
    /// Every limit.
    pub fn all(&self) -> Limits {
        Limits {
            month: self.monthly_bandwidth_limit_gb,
            day: self.daily_bandwidth_limit_gb,
            providers: self.provider_bandwidth_limits_gb.clone(),
            session: self.session_bandwidth_limit_gb,
            participant: self.participant_bandwidth_limit_gb,
            address: self.address_bandwidth_limit_gb,
            app: self.api_key_bandwidth_limit_gb,
            stages: self.bandwidth_stages,
            when_uncounted: self.bandwidth_when_uncounted,
        }
    }
}
