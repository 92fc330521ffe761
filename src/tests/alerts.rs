//! Alerts for real: a webhook that refuses, hangs and then takes them, a mail server with TLS, and the server that sends them.

mod commands;
mod mail;
mod webhook;

use crate::{
    domain::{ByteCount, ProviderKind, UnixMillis},
    server::{
        alerts::{Desk, Observation, Rhythm, STAGES, State, Trouble, Way, store::Store},
        clock::Clock,
        config::Config,
    },
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// So often that a test need not wait.
const OFTEN: Rhythm = Rhythm { look: Duration::from_millis(20), first_pause: Duration::from_millis(50) };

/// What a desk sees, which is changed while it looks.
#[derive(Clone)]
struct Scene(Arc<Mutex<Observation>>);

impl Scene {
    fn quiet() -> Self {
        Self(Arc::new(Mutex::new(Observation {
            used: ByteCount::ZERO,
            counted: ByteCount::ZERO,
            limit: ByteCount::new(1_000),
            budget: None,
            limits: Vec::new(),
            providers: vec![(ProviderKind::Coturn.into(), None::<Trouble>)],
            drifts: Vec::new(),
            meters: Vec::new(),
            counting_fails: None,
        })))
    }

    /// So many percent of the limit are used.
    fn used(&self, percent: u64) {
        self.0.lock().unwrap().used = ByteCount::new(percent * 10);
    }

    /// A desk that looks at this.
    fn desk(&self, data: &Path, config: &Config) -> Desk {
        self.desk_with(data, Way::all(config, &[]).unwrap())
    }

    fn desk_with(&self, data: &Path, ways: Vec<Way>) -> Desk {
        let scene = Arc::clone(&self.0);
        let look = move || scene.lock().unwrap().clone();
        Desk::open(data, ways, STAGES.to_vec(), OFTEN, Clock::system(), look)
    }
}

/// What is on disk.
fn kept(data: &Path) -> State {
    Store::in_directory(data).read()
}

/// The time, as signatures are dated.
fn seconds(now: UnixMillis) -> u64 {
    now.0 / 1_000
}
