//! What a page's checks sent over relays, until the server has it on disk.

use crate::domain::{ConnectionId, Now, ProviderName};
use crate::protocol::CheckUsage;
use crate::stream::meter::Meters;
use crate::stream::peer::Sample;
use std::collections::BTreeMap;

/// One account for each check that the server gave leave; a former one stays until it is settled.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    open: Option<ConnectionId>,
    checks: BTreeMap<ConnectionId, Meters>,
    /// What each connection of the present check carried at the last count.
    bytes: BTreeMap<ConnectionId, u64>,
}

impl Accounts {
    /// Another check begins; it has no name yet.
    pub(super) fn begin(&mut self) {
        self.open = None;
        self.bytes.clear();
    }

    /// The server has named the check.
    pub(super) fn open(&mut self, check: ConnectionId) {
        self.open = Some(check);
        self.checks.entry(check).or_default();
    }

    /// A connection of the present check is being built.
    pub(super) fn opened(&mut self, connection: ConnectionId, provider: Option<ProviderName>, now: Now) {
        if let Some(meters) = self.open.and_then(|check| self.checks.get_mut(&check)) {
            meters.open(connection, provider, now);
            self.bytes.insert(connection, 0);
        }
    }

    /// A connection's counters.
    pub(super) fn sampled(&mut self, connection: ConnectionId, sample: Sample, now: Now) {
        if let Some(bytes) = self.bytes.get_mut(&connection) {
            let carried: u64 = sample.relayed.iter().map(|pair| pair.bytes_received + pair.bytes_sent).sum();
            *bytes = carried.max(*bytes);
        }
        for meters in self.checks.values_mut() {
            meters.sampled(connection, sample.clone(), now);
        }
    }

    /// A connection is over; it is counted once more.
    pub(super) fn closed(&mut self, connection: ConnectionId, now: Now) {
        for meters in self.checks.values_mut() {
            meters.close(connection, now);
        }
    }

    /// The server has this on disk.
    pub(super) fn booked(&mut self, usage: &CheckUsage) {
        if let Some(meters) = self.checks.get_mut(&usage.check) {
            for report in &usage.reports {
                meters.acknowledged(report.connection, report.sequence);
            }
        }
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now: Now) -> Vec<CheckUsage> {
        let (open, mut due) = (self.open, Vec::new());
        self.checks.retain(|check, meters| {
            let reports = meters.due(now);
            if !reports.is_empty() {
                due.push(CheckUsage { check: *check, reports });
            }
            open == Some(*check) || !meters.is_empty()
        });
        due
    }

    /// Everything that is not on disk yet.
    pub(super) fn last_words(&mut self, now: Now) -> impl Iterator<Item = CheckUsage> {
        let words = self.checks.iter_mut().map(move |(check, meters)| (*check, meters.last_words(now)));
        let words = words.map(|(check, reports)| CheckUsage { check, reports });
        words.filter(|usage| !usage.reports.is_empty())
    }

    /// When [`Self::due`] has something.
    pub(super) fn next_timeout(&self) -> Option<Now> {
        self.checks.values().filter_map(Meters::next_timeout).min()
    }

    /// What the present check carried so far: each byte twice, as it leaves one end and as it reaches the other.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.values().sum()
    }
}
