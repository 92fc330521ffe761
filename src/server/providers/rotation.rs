//! Keys that are changed by themselves: Cloudflare's TURN keys through its API, coturn's secrets through its database.
//!
//! - [`core`]: what is done next. [`ring`]: the keys of one provider. [`backoff`]: when what failed is tried again.
//! - [`store`]: the ring on disk, which is the truth. [`turner`]: the one who changes it. [`Follower`]: those who sign with it.
//! - `cloudflare`, `coturn`: where keys are made and deleted.
//!
//! Nobody is told of a change: who signs reads the file, and the old key works long after. So a restart, settings that are read
//! again and a second process in the same directory need no thought; a lock lets one of them change keys. No secret is ever
//! logged; a key's name is none.

mod backoff;
mod cloudflare;
mod core;
mod coturn;
mod follower;
mod ring;
mod store;
mod turner;

pub(super) use follower::Follower;

use self::{
    cloudflare::CloudflareKeys,
    core::Rules,
    coturn::CoturnSecrets,
    turner::{Place, Turner},
};
use super::{Terms, api};
use crate::{
    domain::ProviderName,
    server::{
        clock::Clock,
        config::{Config, ProviderConfig},
    },
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// Changes the keys of every provider for which that was set, until all clones are gone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rotations {
    turning: Arc<Mutex<JoinSet<()>>>,
    clock: Clock,
}

impl Rotations {
    /// Begins. Needs a tokio runtime; fails where the system has no certificates to trust.
    pub fn start(config: &Config, clock: Clock) -> Result<Self, reqwest::Error> {
        let rotations = Self { turning: Arc::default(), clock };
        rotations.exchange(config)?;
        Ok(rotations)
    }

    /// Goes on with these settings. What was under way is cut off, and is taken up where it was.
    pub fn exchange(&self, config: &Config) -> Result<(), reqwest::Error> {
        let mut turning = JoinSet::new();
        for turner in turners(config, &self.clock)? {
            turning.spawn(turner.run());
        }
        *self.turning.lock().unwrap_or_else(PoisonError::into_inner) = turning;
        Ok(())
    }

    /// Ends it.
    pub fn stop(&self) {
        self.turning.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Where to read which key signs; `None` where keys are changed by hand.
pub(super) fn follower(
    name: &ProviderName,
    config: &ProviderConfig,
    data_dir: &Path,
    clock: &Clock,
) -> Option<Follower> {
    Some(Follower::new(path(name, config, data_dir)?, clock))
}

fn path(name: &ProviderName, config: &ProviderConfig, data_dir: &Path) -> Option<PathBuf> {
    let place = match config {
        ProviderConfig::Cloudflare(config) => &config.rotation.as_ref()?.account_id,
        ProviderConfig::Coturn(config) => &config.rotation.as_ref()?.realm,
        ProviderConfig::Twilio(_)
        | ProviderConfig::Xirsys(_)
        | ProviderConfig::Metered(_)
        | ProviderConfig::Static(_)
        | ProviderConfig::Relay => return None,
    };
    Some(store::path(data_dir, name, place))
}

fn turners(config: &Config, clock: &Clock) -> Result<Vec<Turner>, reqwest::Error> {
    let mut turners = Vec::new();
    for (name, provider) in &config.providers {
        let Some(path) = path(name, provider, &config.app.data_dir) else { continue };
        let (every, place) = match provider {
            ProviderConfig::Cloudflare(provider) => {
                let Some(rotation) = &provider.rotation else { continue };
                let keys = CloudflareKeys::new(rotation, provider.api_base.clone(), &api::client()?, clock);
                (rotation.every, Place::Cloudflare(Box::new(keys)))
            }
            ProviderConfig::Coturn(provider) => {
                let Some(rotation) = &provider.rotation else { continue };
                (rotation.every, Place::Coturn(CoturnSecrets::new(rotation)))
            }
            ProviderConfig::Twilio(_)
            | ProviderConfig::Xirsys(_)
            | ProviderConfig::Metered(_)
            | ProviderConfig::Static(_)
            | ProviderConfig::Relay => continue,
        };
        let life = Terms::of(name.kind()).life(config.credentials.turn_credential_ttl);
        let rules = Rules { every, life };
        turners.push(Turner { name: name.clone(), place, rules, path, clock: clock.clone() });
    }
    Ok(turners)
}
