//! Carries out what [`Rotation`] decides, for one provider, and says so in the log.

use super::{
    cloudflare::CloudflareKeys,
    core::{Listed, Rotation, Rules, Step},
    coturn::{CoturnSecrets, DatabaseError},
    ring::{Key, KeyId, KeyName},
    store::{Store, StoreError},
};
use crate::{
    domain::ProviderName,
    server::{clock::Clock, providers::Failure},
};
use secrecy::SecretString;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How often it is seen whether another process has gone that changed keys.
const TRY_EVERY: Duration = Duration::from_secs(2);

/// The longest sleep: a machine that was asleep itself, or whose clock was set, is noticed by then.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Where keys are made and deleted.
#[derive(Debug)]
pub(super) enum Place {
    Cloudflare(Box<CloudflareKeys>),
    Coturn(CoturnSecrets),
}

/// Why a step was not carried out.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error(transparent)]
    Provider(#[from] Failure),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a thread ended by a panic")]
    Thread(#[from] tokio::task::JoinError),
}

/// Changes the keys of one provider.
#[derive(Debug)]
pub(super) struct Turner {
    pub(super) name: ProviderName,
    pub(super) place: Place,
    pub(super) rules: Rules,
    pub(super) path: PathBuf,
    pub(super) clock: Clock,
}

impl Turner {
    /// Never ends. May be dropped at any moment.
    pub(super) async fn run(self) {
        let mut said = false;
        loop {
            match Store::open(&self.path).and_then(|store| store.map(|store| Ok((store.read()?, store))).transpose()) {
                Ok(Some((ring, store))) => {
                    let mut turning =
                        Turning { turner: &self, store: Arc::new(store), rotation: Rotation::new(ring, self.rules) };
                    loop {
                        let pause = turning.until_nothing_is_left().await;
                        tokio::time::sleep(pause.min(LOOK_EVERY)).await;
                    }
                }
                // Whoever has it does the same; when they are gone it is our turn.
                Ok(None) => tracing::debug!(provider = %self.name, "Another process changes the keys"),
                Err(error) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::error!(provider = %self.name, "Keys are not changed: {error}");
                    }
                }
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }
}

/// While it is this process that changes them.
struct Turning<'a> {
    turner: &'a Turner,
    store: Arc<Store>,
    rotation: Rotation,
}

impl Turning<'_> {
    /// Takes step after step; how long nothing will be to do.
    async fn until_nothing_is_left(&mut self) -> Duration {
        loop {
            let now = self.turner.clock.wall();
            let step = self.rotation.next(now, KeyName::from_random(rand::random()));
            if let Step::Wait(until) = step {
                return now.until(until);
            }
            if let Err(error) = self.carry_out(&step).await {
                tracing::warn!(provider = %self.turner.name, "{}: {error}", failed(&step));
                let pause = match &error {
                    TurnError::Provider(failure) => failure.retry_after(),
                    TurnError::Database(_) | TurnError::Store(_) | TurnError::Thread(_) => None,
                };
                self.rotation.failed(&step, pause, self.turner.clock.wall());
            }
        }
    }

    async fn carry_out(&mut self, step: &Step) -> Result<(), TurnError> {
        let provider = &self.turner.name;
        match step {
            Step::Store(ring) => {
                let (store, wanted) = (Arc::clone(&self.store), ring.clone());
                tokio::task::spawn_blocking(move || store.write(&wanted)).await??;
                let before = self.rotation.ring().current.as_ref().map(|key| key.name.clone());
                self.rotation.stored();
                let current = self.rotation.ring().current.as_ref();
                if let Some(key) = current.filter(|key| before.as_ref() != Some(&key.name)) {
                    tracing::info!(%provider, "Key {} signs from now on{}", key.name, instead_of(before.as_ref()));
                }
            }
            Step::List => {
                let listed = self.turner.place.list().await?;
                self.rotation.listed(listed, self.turner.clock.wall());
            }
            Step::Create(name) => {
                let (id, secret) = self.turner.place.create(name).await?;
                tracing::info!(%provider, "Key {name} was made");
                self.rotation.created(name.clone(), id, secret, self.turner.clock.wall());
            }
            Step::Prove(key) => {
                self.turner.place.prove(key).await?;
                tracing::info!(%provider, "Key {} was seen to work", key.name);
                self.rotation.proved();
            }
            Step::Delete(key) => {
                self.turner.place.delete(&key.id).await?;
                tracing::info!(%provider, "Key {} was deleted: nothing that it signed lives", key.name);
                self.rotation.deleted(key.clone());
            }
            Step::Wait(_) => {}
        }
        Ok(())
    }
}

fn failed(step: &Step) -> String {
    match step {
        Step::Store(_) | Step::Wait(_) => "The keys could not be written down, so none is changed".to_owned(),
        Step::List => "The list of keys was not to be had".to_owned(),
        Step::Create(name) => format!("Key {name} could not be made, the one before it goes on"),
        Step::Prove(key) => format!("Key {} does not work yet, the one before it goes on", key.name),
        Step::Delete(key) => format!("Key {} could not be deleted", key.name),
    }
}

fn instead_of(before: Option<&KeyName>) -> String {
    let words = |name| format!(" instead of {name}, which is deleted when nothing that it signed can live any more");
    before.map(words).unwrap_or_default()
}

impl Place {
    async fn list(&self) -> Result<Vec<Listed>, TurnError> {
        match self {
            Self::Cloudflare(keys) => Ok(keys.list().await?),
            Self::Coturn(secrets) => blocking(secrets, CoturnSecrets::list).await,
        }
    }

    async fn create(&self, name: &KeyName) -> Result<(KeyId, SecretString), TurnError> {
        match self {
            Self::Cloudflare(keys) => Ok(keys.create(name).await?),
            Self::Coturn(secrets) => {
                let name = name.clone();
                blocking(secrets, move |secrets| secrets.create(&name)).await
            }
        }
    }

    async fn prove(&self, key: &Key) -> Result<(), TurnError> {
        match self {
            Self::Cloudflare(keys) => Ok(keys.prove(key).await?),
            Self::Coturn(secrets) => {
                let key = key.clone();
                blocking(secrets, move |secrets| secrets.prove(&key)).await
            }
        }
    }

    async fn delete(&self, id: &KeyId) -> Result<(), TurnError> {
        match self {
            Self::Cloudflare(keys) => Ok(keys.delete(id).await?),
            Self::Coturn(secrets) => {
                let id = id.clone();
                blocking(secrets, move |secrets| secrets.delete(&id)).await
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    secrets: &CoturnSecrets,
    work: impl FnOnce(&CoturnSecrets) -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, TurnError> {
    let secrets = secrets.clone();
    Ok(tokio::task::spawn_blocking(move || work(&secrets)).await??)
}
