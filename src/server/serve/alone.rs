//! The built-in relay as a process of its own: `tessro relay`.
//!
//! It takes what the app hands out, because both have one secret. Calls go on while the app is stopped, upgraded and started
//! anew. What it cannot do is end somebody's allocations when they leave: those end with the browser's own goodbye, and at the
//! latest when the credential lapses.

use super::{FORGET_EVERY, StartError, read_certificate, relay::OwnRelay};
use crate::server::{clock::Clock, config::Config};

/// Relays until `stop` is done.
pub async fn relay_alone(config: Config, clock: Clock, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let certificate = read_certificate(&config)?;
    let relay = OwnRelay::alone(&config, certificate.as_ref(), &clock).await.map_err(StartError::RelayAlone)?;
    relay.announce();
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
    Ok(())
}
