//! The built-in relay as a process of its own: `tessro relay`.
//!
//! It takes what the app hands out, because both have one secret. Calls go on while the app is stopped, upgraded and started
//! anew. While the app runs it leads the relay ([`Led`]): whoever leaves is cut at once, and limits hold. While it does not,
//! allocations end with the browser's own goodbye, and at the latest when the credential lapses, and what is relayed is bounded.

use super::{
    FORGET_EVERY, StartError, read_certificate,
    relay::{Led, OwnRelay, RelaySecrets, tidy},
};
use crate::server::{certificate::Certificate, clock::Clock, config::Config, relay::Relay};
use std::sync::Arc;

/// A relay without a site.
pub struct RelayAlone {
    relay: OwnRelay,
    led: Option<Led>,
    certificate: Option<Certificate>,
}

impl RelayAlone {
    /// Takes the ports; from here on it relays.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let certificate = read_certificate(&config)?;
        let relay = OwnRelay::alone(&config, certificate.as_ref(), &clock).await.map_err(StartError::RelayAlone)?;
        relay.announce();
        let led = relay.led(&config, &clock).await;
        Ok(Self { relay, led, certificate })
    }

    /// The same, which looks so often whether its certificate was renewed.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn looking_at_its_certificate_every(self, pause: std::time::Duration) -> Self {
        Self { certificate: self.certificate.map(|certificate| certificate.looked_at_every(pause)), ..self }
    }

    /// The relay itself.
    pub fn relay(&self) -> Option<Arc<Relay>> {
        self.relay.running()
    }

    /// What has its secrets.
    pub fn secrets(&self) -> RelaySecrets {
        self.relay.secrets()
    }

    /// Relays until `stop` is done.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { relay, led, certificate } = self;
        let watching = async {
            match certificate {
                Some(certificate) => certificate.watch().await,
                None => std::future::pending().await,
            }
        };
        let tidying = async {
            let mut ticks = tokio::time::interval(FORGET_EVERY);
            loop {
                ticks.tick().await;
                relay.running().iter().for_each(|relay| tidy(relay));
            }
        };
        let being_led = async {
            match &led {
                Some(led) => led.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop => {}
            () = being_led => {}
            () = watching => {}
            () = tidying => {}
        }
        drop((led, relay));
        tracing::info!("Stopped");
    }
}
