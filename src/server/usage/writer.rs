//! The thread that owns the ledger.
//!
//! Takes whatever is queued into one transaction, with the connections that are new, and only after its commit publishes the sums, marks the connections as
//! reported and calls the acknowledgements. It also drives the connections' time-outs; what ended is written after the
//! reports, so that a late one that is queued already is booked before the ending that it belongs to. When a write fails
//! nothing is acknowledged and nothing counts as reported: browsers send their reports again, and endings are kept here and
//! tried again.

use super::Shared;
use super::bounds::Ignored;
use super::connections::{Ended, Input, Kept};
use super::ledger::{Ledger, MonthTotal, Outcome, Recorded, Reported};
use super::month::Month;
use super::status::gb_number;
use crate::domain::{ByteCount, ConnectionId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How many reports wait at most: what 500 connections report in 5 s, with room. Beyond, reports are refused.
pub(super) const QUEUE: usize = 2048;

/// The longest sleep: the wall clock may be set, so the turn of the month is looked for rather than waited for.
const TICK: Duration = Duration::from_secs(1);

/// Warnings that are remembered so as not to be repeated; beyond, all are forgotten.
const WARNINGS_KEPT: usize = 1_000;

/// Called once the report is on disk.
pub(super) type Acknowledgement = Box<dyn FnOnce() + Send>;

/// Work for the thread.
pub(super) enum Job {
    /// Count this.
    Report(Reported, Acknowledgement),
    /// A connection was opened: write it down.
    Look,
    /// End what lingers, write it down, and stop.
    Stop,
}

pub(super) struct Writer {
    ledger: Ledger,
    shared: Arc<Shared>,
    queue: Receiver<Job>,
    /// Endings that are not on disk yet.
    endings: Vec<Ended>,
    /// The last write failed.
    failing: bool,
    /// What the operator was warned about.
    warned: BTreeSet<Ignored>,
}

impl Writer {
    pub(super) fn new(ledger: Ledger, shared: Arc<Shared>, queue: Receiver<Job>) -> Self {
        Self { ledger, shared, queue, endings: Vec::new(), failing: false, warned: BTreeSet::new() }
    }

    /// Works until it is told to stop, or until nobody is left to tell it.
    pub(super) fn run(mut self) {
        loop {
            let (jobs, stopping) = self.wait();
            self.write_reports(jobs);
            self.collect_endings(stopping);
            self.write_endings();
            self.shared.look_at_limit();
            if stopping {
                break;
            }
        }
        if !self.endings.is_empty() {
            tracing::error!(connections = self.endings.len(), "the usage of ended connections could not be written");
        }
    }

    fn wait(&self) -> (Vec<(Reported, Acknowledgement)>, bool) {
        let mut jobs = Vec::new();
        match self.queue.recv_timeout(self.patience()) {
            Ok(Job::Report(reported, acknowledge)) => jobs.push((reported, acknowledge)),
            Ok(Job::Look) => {}
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return (jobs, true),
            Err(RecvTimeoutError::Timeout) => return (jobs, false),
        }
        while jobs.len() < QUEUE {
            match self.queue.try_recv() {
                Ok(Job::Report(reported, acknowledge)) => jobs.push((reported, acknowledge)),
                Ok(Job::Look) => {}
                Ok(Job::Stop) => return (jobs, true),
                Err(_) => break,
            }
        }
        (jobs, false)
    }

    fn patience(&self) -> Duration {
        let due = self.shared.connections().next_timeout();
        due.map_or(TICK, |due| TICK.min(due.since(self.shared.clock.now())))
    }

    fn collect_endings(&mut self, stopping: bool) {
        let mut connections = self.shared.connections();
        connections.handle(Input::Timeout, self.shared.clock.now());
        if stopping {
            connections.finish();
        }
        self.endings.extend(std::iter::from_fn(|| connections.poll_output()));
    }

    fn write_reports(&mut self, jobs: Vec<(Reported, Acknowledgement)>) {
        let kept = self.shared.connections().take_changes();
        if jobs.is_empty() && kept.is_empty() {
            return;
        }
        let (reports, acknowledgements): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        let Some(recorded) = self.record(&kept, &reports, &[]) else {
            self.shared.connections().still_changed(&kept);
            return;
        };
        let now = self.shared.clock.now();
        let mut connections = self.shared.connections();
        for Reported { participant, report, .. } in reports {
            connections.handle(Input::Reported { participant, connection: report.connection }, now);
        }
        drop(connections);
        for acknowledge in acknowledgements {
            acknowledge();
        }
        for ignored in recorded.ignored {
            if self.warned.len() >= WARNINGS_KEPT {
                self.warned.clear();
            }
            if self.warned.insert(ignored) {
                ignored.warn();
            }
        }
    }

    fn write_endings(&mut self) {
        let endings = std::mem::take(&mut self.endings);
        if endings.is_empty() {
            return;
        }
        let Some(recorded) = self.record(&[], &[], &endings) else {
            self.endings = endings;
            return;
        };
        for (ended, outcome) in endings.iter().zip(recorded.outcomes) {
            tracing::info!("{}", closing_line(ended.connection, outcome, recorded.total));
        }
    }

    /// Writes, and publishes the sums; `None` where that fails.
    fn record(&mut self, kept: &[Kept], reports: &[Reported], endings: &[Ended]) -> Option<Recorded> {
        match self.ledger.record_all(self.shared.clock.wall(), kept, reports, endings) {
            Ok(recorded) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the usage ledger can be written again");
                }
                let mut totals = self.shared.totals();
                totals.months.insert(recorded.month, recorded.total);
                let by_provider = recorded.by_provider.clone().into_iter();
                totals.providers.extend(by_provider.map(|(provider, total)| ((recorded.month, provider), total)));
                drop(totals);
                self.shared.look_at_limit();
                return Some(recorded);
            }
            Err(error) if self.failing => tracing::debug!(%error, "the usage ledger still cannot be written"),
            Err(error) => {
                self.failing = true;
                tracing::error!(
                    %error,
                    "the usage ledger cannot be written; browsers keep their reports and send them again. Check that \
                     DATA_DIR is writable and its disk is not full"
                );
            }
        }
        None
    }
}

impl Shared {
    /// Tells whoever watches, and the log, when the month's limit is reached and when it no longer is.
    pub(super) fn look_at_limit(&self) {
        let used = self.total(Month::of(self.clock.wall())).used();
        let reached = used >= self.limit;
        let changed = self.limit_reached.send_if_modified(|was| std::mem::replace(was, reached) != reached);
        match (changed, reached) {
            (true, true) => tracing::warn!("{}", limit_line(used, self.limit)),
            (true, false) => tracing::info!("A new month has begun; relay credentials are given again"),
            (false, _) => {}
        }
    }
}

fn limit_line(used: ByteCount, limit: ByteCount) -> String {
    let (used, limit) = (used.gb_text(2), gb_number(limit));
    format!("Bandwidth limit reached: {used} of {limit} GB used this month; no new relay credentials until it turns")
}

fn closing_line(connection: ConnectionId, outcome: Outcome, total: MonthTotal) -> String {
    let (kind, bytes) = match outcome {
        Outcome::Measured(bytes) => ("Measured", bytes),
        Outcome::Estimated(bytes) => ("Estimated", bytes),
    };
    let (bytes, total) = (bytes.gb_text(4), total.used().gb_text(2));
    format!("[Bandwidth] Connection {connection} closed. {kind} usage: {bytes} GB. Total this month: {total} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_connection_is_logged_in_the_guides_words() {
        let connection = ConnectionId::from_random(0xab);
        let total = MonthTotal { measured: ByteCount::new(45_000_000_000), estimated: ByteCount::new(230_000_000) };
        assert_eq!(
            closing_line(connection, Outcome::Measured(ByteCount::new(23_400_000)), total),
            "[Bandwidth] Connection 00000000000000ab closed. Measured usage: 0.0234 GB. Total this month: 45.23 GB"
        );
        assert_eq!(
            closing_line(connection, Outcome::Estimated(ByteCount::new(1_000_000)), total),
            "[Bandwidth] Connection 00000000000000ab closed. Estimated usage: 0.0010 GB. Total this month: 45.23 GB"
        );
    }

    #[test]
    fn the_limit_is_told_as_the_guide_words_it() {
        assert_eq!(
            limit_line(ByteCount::new(20_400_000), ByteCount::new(20_000_000)),
            "Bandwidth limit reached: 0.02 of 0.02 GB used this month; no new relay credentials until it turns"
        );
    }
}
