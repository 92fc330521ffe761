//! Asks one provider what it counted, when its [`Schedule`] says so.

use super::{
    Tell,
    board::{Board, LastSaid},
    cloudflare::CloudflareCount,
    metered::MeteredCount,
    schedule::{Schedule, months},
    twilio::TwilioCount,
    xirsys::XirsysCount,
};
use crate::{
    domain::{ByteCount, ProviderName},
    server::{
        clock::Clock,
        providers::Failure,
        usage::{Month, Said},
    },
};
use std::time::Duration;

/// The longest sleep: a machine that was asleep itself is noticed by then.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who can be asked. A further one is a further variant.
#[derive(Debug)]
pub(super) enum Source {
    Cloudflare(CloudflareCount),
    Twilio(TwilioCount),
    Metered(MeteredCount),
    Xirsys(XirsysCount),
}

impl Source {
    /// What the provider says that was relayed in this month so far, as it bills it.
    async fn used_in(&self, month: Month) -> Result<ByteCount, Failure> {
        match self {
            Self::Cloudflare(count) => count.used_in(month).await,
            Self::Twilio(count) => count.used_in(month).await,
            Self::Metered(count) => count.used_in(month).await,
            Self::Xirsys(count) => count.used_in(month).await,
        }
    }
}

/// Asks one provider.
pub(super) struct Poller {
    pub(super) name: ProviderName,
    pub(super) source: Source,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) tell: Tell,
}

impl Poller {
    /// Never ends. May be dropped at any moment.
    pub(super) async fn run(self, every: Duration) {
        let mut schedule = Schedule::new(every, self.clock.now());
        loop {
            let now = self.clock.now();
            if now < schedule.next() {
                tokio::time::sleep((schedule.next() - now).min(LOOK_EVERY)).await;
                continue;
            }
            let asked = self.ask().await;
            let (now, chance) = (self.clock.now(), rand::random_range(0.0..1.0));
            match asked {
                Ok(()) => schedule.answered(now, chance),
                Err(failure) => schedule.failed(failure.retry_after(), now, chance),
            }
        }
    }

    /// Asks about every month that is to be asked about, and tells what is said.
    async fn ask(&self) -> Result<(), Failure> {
        for month in months(self.clock.wall()) {
            match self.source.used_in(month).await {
                Ok(bytes) => self.said(month, bytes),
                Err(failure) => {
                    if self.board.failed(&self.name, failure.to_string(), self.clock.wall()) {
                        tracing::warn!(provider = %self.name, "Its own count is not to be had: {failure}");
                    }
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    fn said(&self, month: Month, bytes: ByteCount) {
        let before = self.board.said(&self.name, LastSaid { month, bytes }, self.clock.wall());
        if let Some(before) = before.filter(|before| *before > bytes) {
            tracing::info!(
                provider = %self.name,
                "It corrects its count of {month} from {} to {} GB", before.gb_text(3), bytes.gb_text(3)
            );
        }
        (self.tell)(Said::Provider { provider: self.name.clone(), month, bytes });
    }
}
