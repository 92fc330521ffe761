//! The built-in relay as a process of its own: `tessro relay`.
//!
//! It takes what the app hands out, because both have one secret. Calls go on while the app is stopped, upgraded and started
//! anew. What it cannot do is end somebody's allocations when they leave: those end with the browser's own goodbye, and at the
//! latest when the credential lapses.

use super::{
    FORGET_EVERY, StartError, read_certificate,
    relay::{OwnRelay, RelaySecrets},
};
use crate::server::{certificate::Certificate, clock::Clock, config::Config};

/// A relay without a site.
pub struct RelayAlone {
    relay: OwnRelay,
    certificate: Option<Certificate>,
}

impl RelayAlone {
    /// Takes the ports; from here on it relays.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let certificate = read_certificate(&config)?;
        let relay = OwnRelay::alone(&config, certificate.as_ref(), &clock).await.map_err(StartError::RelayAlone)?;
        relay.announce();
        Ok(Self { relay, certificate })
    }

    /// What has its secrets.
    pub fn secrets(&self) -> RelaySecrets {
        self.relay.secrets()
    }

    /// Relays until `stop` is done.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { relay, certificate } = self;
        let watching = async {
            match certificate {
                Some(certificate) => certificate.watch().await,
                None => std::future::pending().await,
            }
        };
        let forgetting = async {
            let mut ticks = tokio::time::interval(FORGET_EVERY);
            loop {
                ticks.tick().await;
                relay.running().iter().for_each(|relay| relay.forget_idle());
            }
        };
        tokio::select! {
            () = stop => {}
            () = watching => {}
            () = forgetting => {}
        }
        drop(relay);
        tracing::info!("Stopped");
    }
}
