//! Relay usage: which connections there are, what their relays cost, and what may still be relayed.
//!
//! [`Usage`] is the face; behind it the cores do the arithmetic (`month`, `billing`, `bounds`, `meter`, `sums`, `connections`,
//! `cap`) and one thread of its own writes the ledger and drives the time-outs, so that nothing here blocks or awaits. Bytes count
//! once they are on disk, and a report is acknowledged only then: a browser that hears nothing sends it again, which changes
//! nothing if it had been written. Refuses to know sockets, tokens, session codes and names: a session is known by the
//! random identifier of its host. Whether somebody may report is decided before [`Usage::report`] is called.

mod among;
mod archive;
mod behind;
mod billing;
mod books;
mod bounds;
mod cap;
mod checks;
mod connections;
mod glance;
mod ledger;
mod marks;
mod meter;
mod month;
mod party;
mod provider_limits;
mod report;
mod several;
mod shared;
mod status;
mod sums;
mod voices;
mod writer;

pub use archive::{Archive, ArchiveError, rebuild};
pub use billing::Billing;
pub use books::{Books, ProviderMonth, SessionMonth, Slots};
pub use cap::{Limits, NoRoom, Stages, WhenUncounted};
pub use glance::{Ask, answer};
pub use ledger::Keep;
pub use marks::Marks;
pub use month::{Month, ParseMonthError};
pub use party::Party;
pub use provider_limits::ProviderLimits;
pub use report::{ReportError, check};
#[cfg(test)]
pub(crate) use several::table::{Reply, Request, Table};
pub use several::{Account, Figure, Figures, GONE_AFTER, LAPSES_AFTER, Lent, Wish};
pub use shared::{Answer, RelayOrder, Told};
pub use status::gb_number;
pub use sums::{MonthTotal, ProviderSum};
pub use voices::Said;

use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName};
use crate::protocol::{BandwidthStatus, CheckUsage, RelayStage, UsageReport};
use crate::server::clock::Clock;
use crate::server::cluster::NodeName;
use cap::Holder;
use connections::{Connections, Input};
use ledger::{Heard, Ledger, Reported};
use shared::{Asked, Shared};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
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
    /// Whose books these are.
    node: NodeName,
    /// They, for reading.
    books: Books,
    shared: Arc<Shared>,
    /// Dropping it stops the thread, so the thread does not hold it.
    queue: SyncSender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Reports refused in a row because the queue was full.
    refused: AtomicU64,
}

/// Somebody who asks for credentials: who their bytes are counted for.
#[derive(Debug, Clone)]
pub struct Asker(Asked);

impl Asker {
    fn new(holder: Holder, parties: Vec<Party>) -> Self {
        Self(Asked { holder, parties })
    }

    /// Somebody in the session of `host`, from an address.
    pub fn participant(participant: ParticipantId, host: ParticipantId, address: u64) -> Self {
        let parties = vec![Party::Session(host), Party::Participant(participant), Party::Address(address)];
        Self::new(Holder::Participant(participant), parties)
    }

    /// Somebody of whom nothing is known yet.
    pub fn newcomer() -> Self {
        Self::new(Holder::Participant(nobody()), Vec::new())
    }

    /// A user of somebody else's app.
    pub fn of_app(app: &str) -> Self {
        Self::new(Holder::Participant(nobody()), vec![Party::App(app.to_owned())])
    }

    /// Somebody without a token.
    pub fn stranger(address: u64) -> Self {
        Self::new(Holder::Stranger(nobody()), vec![Party::Strangers, Party::Address(address)])
    }

    /// The same, under the number that relays count them by.
    #[must_use]
    pub fn counted_as(self, number: ParticipantId) -> Self {
        let Self(asked) = self;
        let holder = match asked.holder {
            Holder::Stranger(_) => Holder::Stranger(number),
            Holder::Participant(_) | Holder::Relay | Holder::Before => Holder::Participant(number),
        };
        Self(Asked { holder, ..asked })
    }
}

/// A number that nobody has.
fn nobody() -> ParticipantId {
    ParticipantId::from_random(rand::random())
}

impl Usage {
    /// Opens the ledger in `data_dir`, creating it where it is missing, and starts its thread. Months are calendar months in UTC.
    pub fn open(data_dir: &Path, limits: impl Into<Limits>, clock: Clock) -> Result<Self, UsageError> {
        Self::start(data_dir, limits.into(), clock, false)
    }

    /// The same where other machines count the same months: limits are those of all of them together, and until somebody has
    /// answered what [`Usage::tell`] asks for, nothing is promised beyond what was promised before.
    pub fn open_among_others(data_dir: &Path, limits: impl Into<Limits>, clock: Clock) -> Result<Self, UsageError> {
        Self::start(data_dir, limits.into(), clock, true)
    }

    fn start(data_dir: &Path, limits: Limits, clock: Clock, among_others: bool) -> Result<Self, UsageError> {
        let ledger = Ledger::open(data_dir)?;
        let failed = |source| UsageError::Ledger { path: data_dir.to_owned(), source };
        let mut connections = Connections::default();
        for kept in ledger.connections().map_err(failed)? {
            connections.handle(Input::Restored(kept, clock.wall()), clock.now());
        }
        let node = ledger.node().map_err(failed)?;
        let shared = Shared::load(&ledger, limits, connections, clock, among_others).map_err(failed)?;
        let shared = Arc::new(shared);
        shared.look_at_limit();
        let (queue, jobs) = sync_channel(QUEUE);
        let writer = Writer::new(ledger, Arc::clone(&shared), jobs);
        let thread = std::thread::Builder::new().name("usage".to_owned()).spawn(move || writer.run());
        let thread = Mutex::new(Some(thread.map_err(UsageError::Thread)?));
        Ok(Self(Arc::new(Inner {
            node,
            books: Books::new(data_dir),
            shared,
            queue,
            thread,
            refused: AtomicU64::new(0),
        })))
    }

    /// The name by which this server is known among several; it stays with the books.
    pub fn node(&self) -> &NodeName {
        &self.0.node
    }

    /// For how long evidence is kept; without this for good. What a month came to is kept anyway.
    pub fn keep(&self, keep: Keep) {
        // An error means that the thread is gone, and nothing is deleted any more.
        let _gone = self.0.queue.send(Job::Keep(keep));
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
    /// count all the same. No more is counted than can have been relayed, and nothing at a provider whose credentials the participant
    /// was never given.
    pub fn report(
        &self,
        participant: ParticipantId,
        report: UsageReport,
        acknowledged: impl FnOnce() + Send + 'static,
    ) {
        let (session, other, open_for) = {
            let connections = self.0.shared.connections();
            let open_for = connections.open_for(report.connection, participant, self.0.shared.clock.now());
            let other = connections.other_end(report.connection, participant);
            (connections.session_of(report.connection, participant), other, open_for)
        };
        let foreign = self.0.shared.foreign(participant, &report);
        self.queue(Reported { participant, other, session, open_for, at_most: None, foreign, report }, acknowledged);
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
            other: None,
            session: None,
            open_for: None,
            at_most: Some(bounds::OF_A_CHECK),
            foreign: BTreeSet::new(),
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

    /// Somebody other than a browser says what was relayed. What cannot be written now is kept and written later.
    pub fn hear(&self, said: Said) {
        let shared = &self.0.shared;
        let mut known = ByteCount::ZERO;
        if let Said::Relay { provider, participant, bytes } = &said {
            // It is heard, whoever counts what it says.
            known = shared.voices().told(provider, *participant, *bytes);
            if shared.is_counted_elsewhere(provider) {
                return;
            }
        }
        let session = match &said {
            Said::Relay { participant: Some(participant), .. } | Said::Unheard { participant, .. } => {
                shared.session_of(*participant)
            }
            Said::Speaks { provider, speaks } => {
                let now = shared.clock.now();
                shared.voices().speaks(provider, *speaks, now);
                return;
            }
            Said::Relay { participant: None, .. } | Said::Provider { .. } => None,
        };
        // Waits for a moment where reports have filled the queue: what a relay counted is said once.
        if self.0.queue.send(Job::Hear(Heard { session, said, known })).is_err() {
            tracing::warn!("the usage ledger is closed; what a relay or provider counts is not taken any more");
        }
    }

    /// A relay of this name runs in this process: it counts for itself, and may relay up to [`Usage::relay_bound`].
    pub fn relays_here(&self, provider: ProviderName) {
        self.0.shared.cap().cuts_here(provider.clone());
        let mut voices = self.0.shared.voices();
        voices.speaking.insert(provider.clone());
        voices.own = Some(provider);
    }

    /// The same of a [relay that is a process of its own](Usage::has_a_relay_elsewhere) and tells what it counts: it outlives this one,
    /// and so does what is promised there. Said again, it speaks again after it was silent.
    pub fn relays_elsewhere(&self, provider: ProviderName) {
        self.0.shared.cap().cuts_here(provider.clone());
        let mut voices = self.0.shared.voices();
        voices.silent.remove(&provider);
        voices.speaking.insert(provider);
    }

    /// There is such a relay, which was not heard yet: what is booked of it is known from here on.
    pub fn has_a_relay_elsewhere(&self, provider: ProviderName) {
        let mut voices = self.0.shared.voices();
        (voices.own, voices.own_is_elsewhere) = (Some(provider), true);
    }

    /// What is in the books of that relay since it was named here.
    pub fn relay_booked(&self) -> ByteCount {
        self.0.shared.relay_booked()
    }

    /// How much it may relay beyond its bound while it is not led: what could still be promised.
    pub fn relay_alone(&self) -> ByteCount {
        self.0.shared.relay_alone()
    }

    /// Up to where the relay in this process may relay, counted from its start: what is in the books of it, and what is promised.
    pub fn relay_bound(&self) -> ByteCount {
        self.0.shared.relay_bound()
    }

    /// Whether somebody, by the number that relays count them under, may go on at the relay in this process: up to
    /// [`Usage::relay_bound`] everybody may but those who have used up a limit of their own, or strangers all that they share.
    pub fn goes_on(&self, participant: ParticipantId) -> Result<(), NoRoom> {
        self.0.shared.goes_on(participant)
    }

    /// Whether credentials of this provider may be given to them.
    pub fn has_room(&self, provider: &ProviderName, asker: &Asker) -> Result<(), NoRoom> {
        self.0.shared.has_room(provider, &asker.0)
    }

    /// Credentials of this provider are being given to them: promises what they will need at first. Relays know them by these names,
    /// by which a process after this one finds them.
    pub fn lease(&self, provider: &ProviderName, asker: &Asker, names: &Arc<[String]>) -> Result<(), NoRoom> {
        self.0.shared.lease(provider, &asker.0, names)
    }

    /// What relays call those who were given credentials, by this process or one before it.
    pub fn names(&self) -> Vec<(String, ParticipantId)> {
        self.0.shared.voices().names()
    }

    /// For how long credentials of this provider may live that live for `life` otherwise: none outlives what is left of the month, the
    /// day, the provider's part and the budget.
    pub fn life(&self, provider: &ProviderName, life: Duration) -> Duration {
        self.0.shared.life(provider, life)
    }

    /// Other limits hold from now on.
    pub fn exchange(&self, limits: Limits) {
        self.0.shared.exchange(limits);
        self.0.shared.look_at_limit();
    }

    /// The month so far, of all machines that count it; the connections are those of this one.
    pub fn status(&self) -> BandwidthStatus {
        let shared = &self.0.shared;
        let (month, total) = shared.this_month();
        let active = shared.connections().active();
        let (reserved, limit) = (shared.reserved(), shared.cap().limits().month);
        status::status(total, reserved, limit, month, active)
    }

    /// What the books hold of this month, by provider; the estimate of a connection that nobody told of is nobody's.
    pub fn this_month(&self) -> Vec<(Option<ProviderName>, ProviderSum)> {
        let shared = &self.0.shared;
        let month = Month::of(shared.clock.wall());
        shared.books().sums().month(month).map(|(provider, sum)| (provider.clone(), sum)).collect()
    }

    /// What counts of this provider this month.
    pub fn relayed_by(&self, provider: &ProviderName) -> ByteCount {
        let shared = &self.0.shared;
        let month = Month::of(shared.clock.wall());
        shared.books().sums().of(month, provider).used()
    }

    /// Every limit.
    pub fn limits(&self) -> Limits {
        self.0.shared.cap().limits().clone()
    }

    /// Whether the month's limit is reached, and by how much.
    pub fn limit_reached(&self) -> Option<LimitReached> {
        let limit = self.0.shared.cap().limits().month;
        let used = self.0.shared.this_month().1.used;
        (used >= limit).then_some(LimitReached { used, limit })
    }

    /// Whether the day's limit is reached, where there is one.
    pub fn day_is_over(&self) -> bool {
        self.0.shared.day_is_over()
    }

    /// When the day turns, for which there may be a limit too, as `resetDate` says it of the month.
    pub fn day_turns_at(&self) -> String {
        status::day_turns_at(self.0.shared.clock.wall())
    }

    /// How long it takes at most until credentials may be had again that were refused to everybody for this reason: until the month
    /// turns, or the day where the month has room, or until what is promised and not used is free.
    pub fn again_in(&self, why: NoRoom) -> Duration {
        let wall = self.0.shared.clock.wall();
        if self.limit_reached().is_some() {
            wall.until(Month::of(wall).next().starts_at())
        } else if why == NoRoom::Used {
            wall.until(status::day_turns(wall))
        } else {
            cap::LEASE_FOR
        }
    }

    /// How near the limit is; changes within a second of the month's turn.
    pub fn stage_changes(&self) -> watch::Receiver<RelayStage> {
        self.0.shared.stage.subscribe()
    }

    /// Who has to stop using a relay, from now on. Whoever goes on is named again.
    pub fn orders(&self) -> broadcast::Receiver<RelayOrder> {
        self.0.shared.orders.subscribe()
    }

    /// Since when nothing can be counted; `None` while all is well.
    pub fn uncounted_for(&self) -> Option<Duration> {
        let shared = &self.0.shared;
        let failing = shared.voices().failing;
        failing.map(|since| shared.clock.now().since(since))
    }

    /// For how long a relay that counted for itself has been silent, and whether nothing is given out of it meanwhile. That is never
    /// so where browsers report bytes over one of which nothing is heard: without anybody who uses it, it would never be heard again.
    pub fn silent_for(&self, provider: &ProviderName) -> Option<(Duration, bool)> {
        let shared = &self.0.shared;
        let (now, voices) = (shared.clock.now(), shared.voices());
        if let Some(since) = voices.unheard_since(provider) {
            return Some((now.since(since), false));
        }
        let since = voices.silent.get(provider).copied()?;
        drop(voices);
        Some((now.since(since), shared.is_uncounted(provider)))
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

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
