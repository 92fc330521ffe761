//! The key that signs now, as the file says: for everyone who mints, in this process or another one.

use super::{
    ring::{Key, Ring},
    store,
};
use crate::{domain::Now, server::clock::Clock};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How old may be what was read. A key works long after another one has taken its place, so nobody has to be told.
const FRESH: Duration = Duration::from_secs(1);

/// Reads the keys of one provider.
#[derive(Debug)]
pub(in super::super) struct Follower {
    path: PathBuf,
    clock: Clock,
    read: Mutex<Read>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Read {
    at: Option<Now>,
    ring: Arc<Ring>,
    failing: bool,
}

impl Follower {
    pub(super) fn new(path: PathBuf, clock: &Clock) -> Self {
        Self { path, clock: clock.clone(), read: Mutex::default() }
    }

    /// The key that signs; `None` before the first one was made.
    pub(in super::super) fn current(&self) -> Option<Key> {
        self.ring().current.clone()
    }

    /// Every key with which something was signed that may live, the newest first.
    pub(in super::super) fn signed(&self) -> Vec<Key> {
        let ring = self.ring();
        let retired = ring.retired.iter().rev().map(|retired| &retired.key);
        ring.current.iter().chain(retired).cloned().collect()
    }

    fn ring(&self) -> Arc<Ring> {
        let now = self.clock.now();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.at.is_none_or(|at| now.since(at) >= FRESH) {
            read.at = Some(now);
            match store::read(&self.path) {
                Ok(ring) => (read.ring, read.failing) = (Arc::new(ring), false),
                Err(error) => {
                    if !std::mem::replace(&mut read.failing, true) {
                        tracing::error!("Keys cannot be read: {error}. What was read before is used");
                    }
                }
            }
        }
        Arc::clone(&read.ring)
    }
}
