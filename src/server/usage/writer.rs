//! The thread that owns the ledger.
//!
//! Takes whatever is queued into one transaction, with the connections that are new, and only after its commit publishes the
//! sums, marks the connections as reported and calls the acknowledgements. It also drives the connections' time-outs; what ended is
//! written after the reports, so that a late one that is queued already is booked before the ending that it belongs to. When a
//! write fails nothing is acknowledged and nothing counts as reported: browsers send their reports again; endings, and what relays
//! and providers said, are kept here and tried again.

use super::behind::Due;
use super::bounds::Ignored;
use super::connections::{Ended, Input, Kept};
use super::ledger::{Batch, Heard, Keep, Ledger, Outcome, Recorded, Reported, Retention};
use super::marks::Marks;
use super::several::Figures;
use super::shared::Shared;
use super::sums::MonthTotal;
use super::voices::Said;
use crate::domain::{ByteCount, ConnectionId, Now, ProviderName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How many reports wait at most: what 500 connections report in 5 s, with room. Beyond, reports are refused.
pub(super) const QUEUE: usize = 2048;

/// The longest sleep: the wall clock may be set, so the turn of the month is looked for rather than waited for.
const TICK: Duration = Duration::from_secs(1);

/// How often what others told is written down. Nothing is counted by it that would not be told again.
const OTHERS_EVERY: Duration = Duration::from_secs(5);

/// Warnings that are remembered so as not to be repeated; beyond, all are forgotten.
const WARNINGS_KEPT: usize = 1_000;

/// Called once the report is on disk.
pub(super) type Acknowledgement = Box<dyn FnOnce() + Send>;

/// Work for the thread.
pub(super) enum Job {
    /// Count this.
    Report(Reported, Acknowledgement),
    /// Somebody other than a browser counted.
    Hear(Heard),
    /// A connection was opened: write it down.
    Look,
    /// These were counted elsewhere up to here.
    Adopt(Vec<Marks>),
    /// These are counted elsewhere from now on.
    LeaveToOthers(Vec<ConnectionId>),
    /// Evidence is kept for so long.
    Keep(Keep),
    /// End what lingers, write it down, and stop.
    Stop,
}

pub(super) struct Writer {
    ledger: Ledger,
    shared: Arc<Shared>,
    queue: Receiver<Job>,
    /// Endings that are not on disk yet.
    endings: Vec<Ended>,
    /// What relays and providers said and is not on disk yet.
    heard: Vec<Heard>,
    /// How far others counted connections that are counted here now.
    adopted: Vec<Marks>,
    /// Connections that others count now.
    left: Vec<ConnectionId>,
    retention: Retention,
    /// What is promised, as it is on disk.
    promised: BTreeMap<ProviderName, ByteCount>,
    /// What is needed of what is shared, as it is on disk.
    needs: Figures,
    /// When what others told is written down again.
    others_due: Now,
    /// What the operator was warned about.
    warned: BTreeSet<Ignored>,
}

impl Writer {
    pub(super) fn new(ledger: Ledger, shared: Arc<Shared>, queue: Receiver<Job>) -> Self {
        let (endings, heard, promised, warned) = (Vec::new(), Vec::new(), BTreeMap::new(), BTreeSet::new());
        let (adopted, left) = (Vec::new(), Vec::new());
        let retention = Retention::new(Keep::Everything);
        let (needs, others_due) = (Figures::new(), Now::default());
        Self { ledger, shared, queue, endings, heard, adopted, left, retention, promised, needs, others_due, warned }
    }

    /// Works until it is told to stop, or until nobody is left to tell it.
    pub(super) fn run(mut self) {
        loop {
            let (jobs, stopping) = self.wait();
            // What was counted elsewhere is on disk before anything counts on it.
            if self.write_what_moved() {
                self.write_reports(jobs);
                self.write_unheard();
            }
            self.collect_endings(stopping);
            self.write_endings();
            self.shared.release_freed();
            self.shared.tick(&self.ledger);
            if stopping {
                self.shared.forget_the_relay_here();
            }
            self.write_promises();
            self.shared.write_granted(&mut self.ledger);
            self.write_needs();
            self.write_others(stopping);
            if stopping {
                break;
            }
            self.retention.work(&mut self.ledger, self.shared.clock.wall(), self.shared.clock.now());
        }
        if !self.endings.is_empty() {
            tracing::error!(connections = self.endings.len(), "the usage of ended connections could not be written");
        }
    }

    fn wait(&mut self) -> (Vec<(Reported, Acknowledgement)>, bool) {
        let mut jobs = Vec::new();
        match self.queue.recv_timeout(self.patience()) {
            Ok(Job::Report(reported, acknowledge)) => jobs.push((reported, acknowledge)),
            Ok(Job::Hear(heard)) => self.hear(heard),
            Ok(Job::Look) => {}
            Ok(Job::Adopt(marks)) => self.adopted.extend(marks),
            Ok(Job::LeaveToOthers(connections)) => self.left.extend(connections),
            Ok(Job::Keep(keep)) => self.retention = Retention::new(keep),
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return (jobs, true),
            Err(RecvTimeoutError::Timeout) => return (jobs, false),
        }
        while jobs.len() < QUEUE {
            match self.queue.try_recv() {
                Ok(Job::Report(reported, acknowledge)) => jobs.push((reported, acknowledge)),
                Ok(Job::Hear(heard)) => self.hear(heard),
                Ok(Job::Look) => {}
                Ok(Job::Adopt(marks)) => self.adopted.extend(marks),
                Ok(Job::LeaveToOthers(connections)) => self.left.extend(connections),
                Ok(Job::Keep(keep)) => self.retention = Retention::new(keep),
                Ok(Job::Stop) => return (jobs, true),
                Err(_) => break,
            }
        }
        (jobs, false)
    }

    /// While nothing can be written the counts of one participant are one count, so that what waits stays small.
    fn hear(&mut self, heard: Heard) {
        for waiting in &mut self.heard {
            match (&mut waiting.said, &heard.said) {
                (
                    Said::Relay { provider, participant, bytes },
                    Said::Relay { provider: same, participant: whose, bytes: more },
                ) if provider == same && participant == whose => {
                    *bytes = bytes.plus(*more);
                    waiting.known = waiting.known.plus(heard.known);
                    return;
                }
                (
                    Said::Provider { provider, month, bytes },
                    Said::Provider { provider: same, month: of, bytes: newer },
                ) if provider == same && month == of => {
                    *bytes = *newer;
                    return;
                }
                _ => {}
            }
        }
        self.heard.push(heard);
    }

    /// True once it is on disk. Until then no report is taken: it would count what is counted.
    fn write_what_moved(&mut self) -> bool {
        let written = match (self.adopted.as_slice(), self.left.as_slice()) {
            ([], []) => return true,
            (adopted, left) => self.ledger.adopt(adopted).and_then(|()| self.ledger.leave_to_others(left)),
        };
        match written {
            Ok(()) => {
                self.adopted.clear();
                self.left.clear();
            }
            Err(error) => tracing::debug!(%error, "what another machine counted could not be written down"),
        }
        self.adopted.is_empty() && self.left.is_empty()
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
        let ended = std::iter::from_fn(|| connections.poll_output()).collect::<Vec<_>>();
        drop(connections);
        let voices = self.shared.voices();
        self.endings.extend(ended.into_iter().map(|ended| voices.without_needless_estimate(ended)));
    }

    fn write_reports(&mut self, jobs: Vec<(Reported, Acknowledgement)>) {
        let kept = self.shared.connections().take_changes();
        if jobs.is_empty() && kept.is_empty() && self.heard.is_empty() {
            return;
        }
        let (reports, acknowledgements): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        let heard = std::mem::take(&mut self.heard);
        let Some(recorded) = self.record(&kept, &reports, &heard, &[]) else {
            self.shared.connections().still_changed(&kept);
            self.heard = heard;
            return;
        };
        let now = self.shared.clock.now();
        let mut connections = self.shared.connections();
        for Reported { participant, report, .. } in reports {
            let path = report.path;
            connections.handle(Input::Reported { participant, connection: report.connection, path }, now);
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

    /// What browsers reported over relays that are not heard counts.
    fn write_unheard(&mut self) {
        let due = self.shared.take_due();
        if due.is_empty() {
            return;
        }
        for (provider, Due { participant, session, bytes }) in due {
            let said = Said::Unheard { provider, participant, bytes };
            self.heard.push(Heard { session, said, known: ByteCount::ZERO });
        }
        self.write_reports(Vec::new());
    }

    fn write_endings(&mut self) {
        let endings = std::mem::take(&mut self.endings);
        if endings.is_empty() {
            return;
        }
        let Some(recorded) = self.record(&[], &[], &[], &endings) else {
            self.endings = endings;
            return;
        };
        let (_, total) = self.shared.this_month();
        for (ended, outcome) in endings.iter().zip(recorded.outcomes) {
            tracing::info!("{}", closing_line(ended.connection, outcome, total));
        }
    }

    /// What is promised is on disk within a second, so that a process after this one promises none of it again.
    fn write_promises(&mut self) {
        let promised = self.shared.cap().promises().clone();
        if promised == self.promised {
            return;
        }
        match self.ledger.promise(self.shared.clock.wall(), &promised) {
            Ok(()) => self.promised = promised,
            Err(error) => tracing::debug!(%error, "what is promised could not be written down"),
        }
    }

    /// What this machine needs of what it shares is on disk within a second too: with that, and no more, a process after this one
    /// begins.
    fn write_needs(&mut self) {
        let Some((month, node, needs)) = self.shared.write() else { return };
        if self.needs == needs {
            return;
        }
        match self.ledger.write_others(month, &BTreeMap::from([(node, needs.clone())])) {
            Ok(()) => {
                self.shared.books().is_written(&needs);
                self.needs = needs;
            }
            Err(error) => tracing::debug!(%error, "what is held could not be written down"),
        }
    }

    /// What others told is on disk within seconds, so that a process after this one knows it while they are away.
    fn write_others(&mut self, stopping: bool) {
        let now = self.shared.clock.now();
        if now < self.others_due && !stopping {
            return;
        }
        let Some((month, others)) = self.shared.books().take_unwritten() else { return };
        self.others_due = now + OTHERS_EVERY;
        if let Err(error) = self.ledger.write_others(month, &others) {
            tracing::debug!(%error, "what other machines told could not be written down");
            self.shared.books().still_unwritten(others.into_keys());
        }
    }

    /// Writes, and publishes the sums; `None` where that fails.
    fn record(&mut self, kept: &[Kept], reports: &[Reported], heard: &[Heard], endings: &[Ended]) -> Option<Recorded> {
        let speaking = self.shared.voices().speaking.clone();
        let batch = Batch { kept, reports, heard, endings, speaking: &speaking };
        let shared = &self.shared;
        let recorded =
            self.ledger.record_all(shared.clock.wall(), batch, &|participant| shared.parties_of(participant));
        let failing = match &recorded {
            Ok(_) => shared.voices().failing.take(),
            Err(_) => shared.voices().failing.replace(shared.clock.now()),
        };
        match (recorded, failing) {
            (Ok(recorded), failing) => {
                if failing.is_some() {
                    tracing::info!("the usage ledger can be written again");
                }
                shared.take(&recorded);
                shared.look_at_limit();
                return Some(recorded);
            }
            (Err(error), Some(since)) => {
                shared.voices().failing = Some(since);
                tracing::debug!(%error, "the usage ledger still cannot be written");
            }
            (Err(error), None) => tracing::error!(
                %error,
                "the usage ledger cannot be written; browsers keep their reports and send them again. Check that DATA_DIR is \
                 writable and its disk is not full"
            ),
        }
        None
    }
}

fn closing_line(connection: ConnectionId, outcome: Outcome, total: MonthTotal) -> String {
    let (kind, bytes) = match outcome {
        Outcome::Measured(bytes) => ("Measured", bytes),
        Outcome::Estimated(bytes) => ("Estimated", bytes),
    };
    let (bytes, total) = (bytes.gb_text(4), total.used.gb_text(2));
    format!("[Bandwidth] Connection {connection} closed. {kind} usage: {bytes} GB. Total this month: {total} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_connection_is_logged_in_the_guides_words() {
        let connection = ConnectionId::from_random(0xab);
        let total = MonthTotal { used: ByteCount::new(45_230_000_000), estimated: ByteCount::new(230_000_000) };
        assert_eq!(
            closing_line(connection, Outcome::Measured(ByteCount::new(23_400_000)), total),
            "[Bandwidth] Connection 00000000000000ab closed. Measured usage: 0.0234 GB. Total this month: 45.23 GB"
        );
        assert_eq!(
            closing_line(connection, Outcome::Estimated(ByteCount::new(1_000_000)), total),
            "[Bandwidth] Connection 00000000000000ab closed. Estimated usage: 0.0010 GB. Total this month: 45.23 GB"
        );
    }
}
