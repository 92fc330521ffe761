//! How connections run, for the operator: those that are open, and how those of the month ended.
//!
//! Fed by what both ends report beside their counters; decides nothing and bills nothing, so a report that is lost or made up
//! changes a figure and no more. Open ones are in memory; what became of them is kept as sums of closed sets in a small file of
//! its own (`sums`), by outcome, candidate, transport and country, with nobody's name or address in it; beside them how long people
//! watched, by a look every other second. Sums are written every
//! few seconds: a crash loses those.

mod core;
mod country;
mod sums;

pub use self::core::{Open, Watched};
pub use country::{Countries, CountriesError, Country};

use self::core::Core;
use self::sums::Sums;
use crate::domain::{ConnectionId, ParticipantId};
use crate::protocol::{Outcomes, UsageReport};
use crate::server::clock::Clock;
use crate::server::usage::Month;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often sums go to disk, and connections that are over are counted.
const WRITE_EVERY: Duration = Duration::from_secs(2);

/// How long people watched in a month, as it is on disk; `None` where nobody kept that.
pub fn watched(data_dir: &Path, month: Month) -> Option<Watched> {
    sums::watched_by_file(data_dir, month)
}

/// Clones are the same.
#[derive(Debug, Clone)]
pub struct Paths(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    core: Mutex<Core>,
    sums: Mutex<Option<Sums>>,
    stopping: CancellationToken,
    writing: Mutex<Option<JoinHandle<()>>>,
}

impl Paths {
    /// What the month has come to by now is in `data_dir`. Where that cannot be had there are no sums, and everything else goes
    /// on. Needs a running tokio runtime.
    pub fn open(data_dir: &Path, clock: Clock) -> Self {
        let sums = Sums::open(data_dir)
            .inspect_err(|error| {
                tracing::error!("How connections end is not kept ({error}): make DATA_DIR writable and start again");
            })
            .ok();
        let inner = Inner {
            clock,
            core: Mutex::default(),
            sums: Mutex::new(sums),
            stopping: CancellationToken::new(),
            writing: Mutex::default(),
        };
        let paths = Self(Arc::new(inner));
        let writing = tokio::spawn(paths.clone().write_now_and_then());
        *paths.0.writing.lock().unwrap_or_else(PoisonError::into_inner) = Some(writing);
        paths
    }

    /// There is a connection between these two.
    pub fn opened(&self, connection: ConnectionId, host: ParticipantId, guest: ParticipantId) {
        let (now, wall) = (self.0.clock.now(), self.0.clock.wall());
        self.core().opened(connection, host, guest, wall, now);
    }

    /// One end says how it runs.
    pub fn reported(&self, participant: ParticipantId, report: &UsageReport) {
        self.core().reported(participant, report);
    }

    /// It is over.
    pub fn closed(&self, connection: ConnectionId) {
        let now = self.0.clock.now();
        self.core().closed(connection, now);
    }

    /// Where somebody is, as a trusted header or a file says.
    pub fn is_from(&self, participant: ParticipantId, country: Country) {
        let now = self.0.clock.now();
        self.core().is_from(participant, country, now);
    }

    /// Those that are open, the youngest first.
    pub fn all(&self) -> Vec<Open> {
        self.core().all()
    }

    /// How this month's connections ended, those among them that are not on disk yet.
    pub fn outcomes(&self) -> Option<Outcomes> {
        self.of_this_month("How connections ended", Sums::outcomes)
    }

    /// How long people watched this month, directly or by way of a relay; `None` where nobody keeps that.
    pub fn watched(&self) -> Option<Watched> {
        self.of_this_month("How long people watched", Sums::watched)
    }

    /// Writes what is not on disk yet, and stops.
    pub async fn close(&self) {
        self.0.stopping.cancel();
        let writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writing) = writing {
            // It ends by itself; a panic in it is logged by the panic's own hook.
            let _ended = writing.await;
        }
    }

    async fn write_now_and_then(self) {
        loop {
            let stopped = tokio::time::timeout(WRITE_EVERY, self.0.stopping.cancelled()).await.is_ok();
            let paths = self.clone();
            let _written = tokio::task::spawn_blocking(move || paths.write()).await;
            if stopped {
                return;
            }
        }
    }

    fn of_this_month<T>(&self, what: &str, read: fn(&Sums, Month) -> rusqlite::Result<T>) -> Option<T> {
        let month = Month::of(self.0.clock.wall());
        self.write();
        let sums = self.sums();
        let read = read(sums.as_ref()?, month);
        read.inspect_err(|error| tracing::warn!("{what} cannot be read: {error}")).ok()
    }

    fn write(&self) {
        let (ended, watched) = {
            let (mut core, now) = (self.core(), self.0.clock.now());
            (core.take_ended(now), core.take_watched(now))
        };
        let (month, mut sums) = (Month::of(self.0.clock.wall()), self.sums());
        let Some(open) = sums.as_mut() else { return };
        if !ended.is_empty()
            && let Err(error) = open.add(month, &ended)
        {
            tracing::warn!("How {} connections ended could not be written: {error}", ended.len());
        }
        if watched != Watched::default()
            && let Err(error) = open.add_watched(month, watched)
        {
            tracing::warn!("How long people watched could not be written: {error}");
        }
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.0.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sums(&self) -> MutexGuard<'_, Option<Sums>> {
        self.0.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
