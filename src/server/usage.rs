//! Relay usage: which connections there are, what their relays cost, and whether the month's limit is reached.
//!
//! [`Usage`] is the face; behind it the cores do the arithmetic (`month`, `billing`, `bounds`, `meter`,
//! `connections`) and one
//! thread of its own writes the ledger and drives the time-outs, so that nothing here blocks or awaits. Bytes count once
//! they are on disk, and a report is acknowledged only then: a browser that hears nothing sends it again, which changes
//! nothing if it had been written. Refuses to know sockets, tokens, session codes and names: a session is known by the
//! random identifier of its host. Whether somebody may report is decided before [`Usage::report`] is called.

mod billing;
mod books;
mod bounds;
mod checks;
mod connections;
mod ledger;
mod meter;
mod month;
mod provider_limits;
mod report;
mod status;
mod writer;

pub use billing::Billing;
pub use books::{Books, ProviderMonth, SessionMonth, Slots};
pub use month::{Month, ParseMonthError};
pub use provider_limits::ProviderLimits;
pub use report::{ReportError, check};
pub use status::gb_number;

use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName};
use crate::protocol::{BandwidthStatus, CheckUsage, UsageReport};
use crate::server::clock::Clock;
use checks::Checks;
use connections::{Connections, Input};
use ledger::{Ledger, MonthTotal, Reported};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;
use writer::{Job, QUEUE, Writer};

/// Why usage cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The directory is missing and cannot be made.
    #[error(
        "cannot create the data directory {path}: {source}. Make its parent writable for the user that runs Tessro, or \
         set DATA_DIR to a directory that is"
    )]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file cannot be opened or written.
    #[error(
        "cannot write the usage ledger {path}: {source}. Make the directory and the file writable for the user that runs \
         Tessro, or set DATA_DIR to a directory that is"
    )]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file's layout is one that this version does not know.
    #[error(
        "the usage ledger {path} was written by a newer Tessro (layout {version}). Run that version, or set DATA_DIR to \
         another directory"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout.
        version: u32,
    },
    /// The system gives no thread.
    #[error("cannot start the thread that writes the usage ledger: {0}")]
    Thread(std::io::Error),
}

/// The month's limit is reached: no new credentials until the month turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReached {
    /// The month's relayed bytes.
    pub used: ByteCount,
    /// What the operator allows in a month.
    pub limit: ByteCount,
}

/// Reports of a check that nobody began, or that began too long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("No check of this name may report. Begin another one.")]
pub struct UnknownCheck;

/// Counts relay usage. Clones are the same.
#[derive(Debug, Clone)]
pub struct Usage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    /// Dropping it stops the thread, so the thread does not hold it.
    queue: SyncSender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Reports refused in a row because the queue was full.
    refused: AtomicU64,
}

/// What the thread and its callers both look at. Locks are held for moments, never while anything is written.
#[derive(Debug)]
struct Shared {
    clock: Clock,
    limit: ByteCount,
    connections: Mutex<Connections>,
    checks: Mutex<Checks>,
    /// What is on disk.
    totals: Mutex<Totals>,
    limit_reached: watch::Sender<bool>,
}

/// The ledger's sums.
#[derive(Debug)]
struct Totals {
    months: BTreeMap<Month, MonthTotal>,
    /// What was measured; an estimate belongs to no provider.
    providers: BTreeMap<(Month, ProviderName), ByteCount>,
}

impl Usage {
    /// Opens the ledger in `data_dir`, creating it where it is missing, and starts its thread. `limit` is what may be
    /// relayed in a calendar month (UTC).
    pub fn open(data_dir: &Path, limit: ByteCount, clock: Clock) -> Result<Self, UsageError> {
        let ledger = Ledger::open(data_dir)?;
        let failed = |source| UsageError::Ledger { path: data_dir.to_owned(), source };
        let totals =
            Totals { months: ledger.totals().map_err(failed)?, providers: ledger.provider_totals().map_err(failed)? };
        let kept = ledger.connections().map_err(failed)?;
        let mut connections = Connections::default();
        for kept in kept {
            connections.handle(Input::Restored(kept, clock.wall()), clock.now());
        }
        let shared = Arc::new(Shared {
            clock,
            limit,
            connections: Mutex::new(connections),
            checks: Mutex::default(),
            totals: Mutex::new(totals),
            limit_reached: watch::Sender::new(false),
        });
        shared.look_at_limit();
        let (queue, jobs) = sync_channel(QUEUE);
        let writer = Writer::new(ledger, Arc::clone(&shared), jobs);
        let thread = std::thread::Builder::new().name("usage".to_owned()).spawn(move || writer.run());
        let thread = Mutex::new(Some(thread.map_err(UsageError::Thread)?));
        Ok(Self(Arc::new(Inner { shared, queue, thread, refused: AtomicU64::new(0) })))
    }

    /// A guest asked for a connection. Asking again is harmless.
    pub fn opened(&self, connection: ConnectionId, host: ParticipantId, guest: ParticipantId) {
        self.handle(Input::Opened { connection, host, guest, at: self.0.shared.clock.wall() });
        // A full queue wakes the thread anyway.
        let _woken = self.0.queue.try_send(Job::Look);
    }

    /// The connections that were opened and are not booked yet, those from before a restart among them: which, the host, and
    /// the guest. Whoever knows that one of them is over has to say so.
    pub fn open_connections(&self) -> Vec<(ConnectionId, ParticipantId, ParticipantId)> {
        self.0.shared.connections().all().collect()
    }

    /// Either end sent a message about a connection. An estimate runs to the last of these.
    pub fn alive(&self, connection: ConnectionId) {
        self.handle(Input::Alive { connection });
    }

    /// A connection is over. Where a message of one of its ends says so, call [`Usage::alive`] first: the end of a
    /// connection is no sign that it lived until then. It is booked 3 s later, for reports that are on their way.
    pub fn closed(&self, connection: ConnectionId) {
        self.handle(Input::Closed { connection });
    }

    /// Counts a report of `participant`, who has proved to be that, after [`check`] has passed it. Never blocks. Where the
    /// connection is open, call [`Usage::alive`] first.
    /// `acknowledged` is called on the ledger's thread once the report is on disk; it has to be quick. It is never called
    /// for a report that could not be taken or written: the browser sends that again. Connections that are unknown here
    /// count all the same. No more is counted than can have been relayed.
    pub fn report(
        &self,
        participant: ParticipantId,
        report: UsageReport,
        acknowledged: impl FnOnce() + Send + 'static,
    ) {
        let (session, open_for) = {
            let connections = self.0.shared.connections();
            let open_for = connections.open_for(report.connection, participant, self.0.shared.clock.now());
            (connections.session_of(report.connection, participant), open_for)
        };
        self.queue(Reported { participant, session, open_for, at_most: None, report }, acknowledged);
    }

    /// Somebody who is in no session may send a little over relays, and report it under this name.
    pub fn begin_check(&self) -> ConnectionId {
        let check = ConnectionId::from_random(rand::random());
        self.0.shared.checks().begin(check, self.0.shared.clock.now());
        check
    }

    /// Counts what a check reports, after [`check`] has passed each report of it: as [`Usage::report`], up to the bound of a
    /// check. `acknowledged` is called once everything is on disk.
    pub fn report_check(
        &self,
        usage: CheckUsage,
        acknowledged: impl FnOnce() + Send + 'static,
    ) -> Result<(), UnknownCheck> {
        if !self.0.shared.checks().is_open(usage.check, self.0.shared.clock.now()) {
            return Err(UnknownCheck);
        }
        let mut reports: Vec<_> = checks::as_one_connection(usage).collect();
        let Some(last) = reports.pop() else {
            acknowledged();
            return Ok(());
        };
        let of_nobody = |report| Reported {
            participant: checks::NOBODY,
            session: None,
            open_for: None,
            at_most: Some(bounds::OF_A_CHECK),
            report,
        };
        for report in reports {
            self.queue(of_nobody(report), || ());
        }
        // Written in the order in which they are queued.
        self.queue(of_nobody(last), acknowledged);
        Ok(())
    }

    fn queue(&self, reported: Reported, acknowledged: impl FnOnce() + Send + 'static) {
        let job = Job::Report(reported, Box::new(acknowledged));
        match self.0.queue.try_send(job) {
            Ok(()) => {
                let refused = self.0.refused.swap(0, Ordering::Relaxed);
                if refused > 0 {
                    tracing::warn!(refused, "usage reports are taken again");
                }
            }
            Err(TrySendError::Full(_)) => {
                if self.0.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!("usage reports come faster than they are written; browsers send them again");
                }
            }
            Err(TrySendError::Disconnected(_)) => {
                if self.0.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!("the usage ledger is closed; reports are not taken any more");
                }
            }
        }
    }

    /// The month so far.
    pub fn status(&self) -> BandwidthStatus {
        let shared = &self.0.shared;
        let month = Month::of(shared.clock.wall());
        let active = shared.connections().active();
        status::status(shared.total(month), shared.limit, month, active)
    }

    /// What was measured over this provider's relays this month. Reports name whose credentials a pair ran on.
    pub fn relayed_by(&self, provider: &ProviderName) -> ByteCount {
        let shared = &self.0.shared;
        let key = (Month::of(shared.clock.wall()), provider.clone());
        shared.totals().providers.get(&key).copied().unwrap_or_default()
    }

    /// What may be relayed in a month.
    pub fn limit(&self) -> ByteCount {
        self.0.shared.limit
    }

    /// Whether the month's limit is reached, and by how much.
    pub fn limit_reached(&self) -> Option<LimitReached> {
        let shared = &self.0.shared;
        let used = shared.total(Month::of(shared.clock.wall())).used();
        (used >= shared.limit).then_some(LimitReached { used, limit: shared.limit })
    }

    /// True once the month's limit is reached, false again within a second of the month's turn.
    pub fn limit_changes(&self) -> watch::Receiver<bool> {
        self.0.shared.limit_reached.subscribe()
    }

    /// Writes down everything that was reported before, ends what lingers, and stops the thread; what is open goes on with
    /// the next start. Later reports are refused. Needs a tokio runtime, which it does not block.
    pub async fn close(self) {
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        let stopped = tokio::task::spawn_blocking(move || {
            // An error means that the thread is gone already; joining tells.
            let _gone = self.0.queue.send(Job::Stop);
            thread.join()
        });
        if !matches!(stopped.await, Ok(Ok(()))) {
            tracing::error!("the thread that writes the usage ledger ended by a panic");
        }
    }

    fn handle(&self, input: Input) {
        self.0.shared.connections().handle(input, self.0.shared.clock.now());
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checks(&self) -> MutexGuard<'_, Checks> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn total(&self, month: Month) -> MonthTotal {
        self.totals().months.get(&month).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
