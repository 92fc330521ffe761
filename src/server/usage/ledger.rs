//! The books on disk: what was relayed, in SQLite, written before it is believed.
//!
//! One call of [`Ledger::record_all`] is one transaction, durable when it returns: evidence, counters and sums change together
//! or not at all, so reports that are sent again after a crash count once (`property_tests` cuts the log at any byte,
//! `crash_tests` kills the process). The evidence is only ever added to until it is old ([`retention`]), and every sum can be made
//! from it anew ([`Ledger::rebuild`]). Refuses to know threads, acknowledgements, the cap and people's names. Amounts beyond `i64::MAX` bytes
//! are kept as that.

mod adopting;
mod ends;
mod entry;
mod granted;
mod others;
mod rebuilding;
mod retention;
mod rows;
mod span;

pub(super) use adopting::ends_of;
pub(super) use granted::Grantee;
pub use retention::Keep;
pub(super) use retention::Retention;
pub(super) use span::{days, spans};

use self::entry::Entry;
use self::rows::{loaded, loaded_bytes, parsed};
use super::UsageError;
use super::bounds::Ignored;
use super::cap::LEASE_FOR;
use super::connections::{Ended, Kept};
use super::month::Month;
use super::party::Party;
use super::sums::{ProviderSum, Sums, Whose};
use super::voices::Said;
use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::UsageReport;
use crate::server::cluster::NodeName;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file within the data directory.
pub(super) const FILE: &str = "usage.db";

/// Each entry takes the ledger one version further; entries are only ever added.
const SCHEMA: [&str; 10] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
];

/// How long to wait for another process that reads or copies the file.
const BUSY: Duration = Duration::from_secs(5);

/// A report and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reported {
    /// Who.
    pub participant: ParticipantId,
    /// Who is at the other end, where the connection is known.
    pub other: Option<ParticipantId>,
    /// The session's host, where the connection is known.
    pub session: Option<ParticipantId>,
    /// How long the connection has been open, where it is known.
    pub open_for: Option<Duration>,
    /// The most that is believed, whatever the connection's age.
    pub at_most: Option<ByteCount>,
    /// Whose relays they cannot have used: what is said of those counts, and is nobody's.
    pub foreign: BTreeSet<ProviderName>,
    /// What; checked.
    pub report: UsageReport,
}

/// What somebody other than a browser said, and the session that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    /// The session's host, where it is known.
    pub session: Option<ParticipantId>,
    /// What.
    pub said: Said,
    /// How much of what a relay says counts already.
    pub known: ByteCount,
}

/// What is recorded at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    /// Connections that are open, to be written down.
    pub kept: &'a [Kept],
    /// What browsers reported.
    pub reports: &'a [Reported],
    /// What others said.
    pub heard: &'a [Heard],
    /// What is over.
    pub endings: &'a [Ended],
    /// Whose relays count for themselves, so that browsers' reports are kept and do not count.
    pub speaking: &'a BTreeSet<ProviderName>,
}

/// What an ended connection came to, over its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What was measured at both ends.
    Measured(ByteCount),
    /// Nobody measured.
    Estimated(ByteCount),
}

/// Bytes that count and whose they are, in the order in which they were recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    /// Whose relay.
    pub provider: Option<ProviderName>,
    /// Whose credentials.
    pub participant: Option<ParticipantId>,
    /// The session's host, where it is known.
    pub session: Option<ParticipantId>,
    /// How many more.
    pub bytes: ByteCount,
}

/// What browsers reported over a relay that counts for itself: it did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Whose relay.
    pub provider: ProviderName,
    /// Whose credentials.
    pub participant: ParticipantId,
    /// The session's host, where it is known.
    pub session: Option<ParticipantId>,
    /// Over which connection.
    pub connection: ConnectionId,
    /// How many more.
    pub bytes: ByteCount,
}

/// What is on disk after [`Ledger::record_all`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The sums that changed.
    pub sums: BTreeMap<(Month, Whose), ProviderSum>,
    /// This month's sums of parties that changed.
    pub parties: BTreeMap<Party, ByteCount>,
    /// What came to count.
    pub counted: Vec<Counted>,
    /// What browsers reported that did not come to count.
    pub held: Vec<Held>,
    /// One outcome for each ending, in the same order.
    pub outcomes: Vec<Outcome>,
    /// What was not counted; the same may be named again and again.
    pub ignored: Vec<Ignored>,
}

/// The books. Belongs to one thread.
#[derive(Debug)]
pub(super) struct Ledger {
    database: Connection,
}

impl Ledger {
    /// Opens the ledger in a directory, creating both where they are missing.
    pub(super) fn open(data_dir: &Path) -> Result<Self, UsageError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|source| UsageError::DataDir { path: data_dir.to_owned(), source })?;
        let path = data_dir.join(FILE);
        let failed = |source| UsageError::Ledger { path: path.clone(), source };
        let mut database = Connection::open(&path).map_err(failed)?;
        database.busy_timeout(BUSY).map_err(failed)?;
        database.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
        database.pragma_update(None, "synchronous", "full").map_err(failed)?;
        migrate(&mut database, &path)?;
        Ok(Self { database })
    }

    /// The name of the node whose own rows these are.
    pub(super) fn node(&self) -> Result<NodeName, rusqlite::Error> {
        self.database.query_row("SELECT name FROM node WHERE id = 0", [], |row| parsed(0, row))
    }

    /// The sums of every month so far.
    pub(super) fn sums(&self) -> Result<Sums, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT month, provider, counted, estimated, said FROM provider_total")?;
        let rows =
            rows.query_map([], |row| Ok(((parsed(0, row)?, rows::whose(1, row)?), rows::provider_sum(2, row)?)))?;
        rows.collect()
    }

    /// What counts of each party in a month.
    pub(super) fn parties(&self, month: Month) -> Result<BTreeMap<Party, ByteCount>, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT party, counted FROM party_total WHERE month = ?1")?;
        let rows = rows.query_map([month.to_string()], |row| Ok((parsed(0, row)?, loaded_bytes(row.get(1)?))))?;
        rows.collect()
    }

    /// What counts of a day, over all providers. Providers speak of months only, so their own counts are not part of it.
    pub(super) fn day(&self, day: u64) -> Result<ByteCount, rusqlite::Error> {
        self.database
            .prepare_cached("SELECT coalesce(sum(counted), 0) FROM hour_total WHERE hour >= ?1 AND hour < ?2")?
            .query_row([rows::stored(day * 24), rows::stored((day + 1) * 24)], |row| Ok(loaded_bytes(row.get(0)?)))
    }

    /// The connections that were open when they were last heard of.
    pub(super) fn connections(&self) -> Result<Vec<Kept>, rusqlite::Error> {
        let mut rows =
            self.database.prepare("SELECT connection, host, guest, opened_ms, alive_ms, reported FROM connection")?;
        let rows = rows.query_map([], |row| {
            Ok(Kept {
                connection: parsed(0, row)?,
                host: parsed(1, row)?,
                guest: parsed(2, row)?,
                opened_at: UnixMillis(loaded(row.get(3)?)),
                alive_at: UnixMillis(loaded(row.get(4)?)),
                reported: row.get(5)?,
            })
        })?;
        rows.collect()
    }

    /// Records connections, then what browsers and others said, then endings, at a moment that decides the month. `parties` tells
    /// whom a participant's bytes are counted for. When it returns, all of it is on disk; when it fails, none of it is, and it
    /// may be tried again.
    pub(super) fn record_all(
        &mut self,
        at: UnixMillis,
        batch: Batch<'_>,
        parties: &dyn Fn(ParticipantId) -> Vec<Party>,
    ) -> Result<Recorded, rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut entry = Entry::new(&transaction, at, batch.speaking, parties)?;
        for kept in batch.kept {
            entry.keep(kept)?;
        }
        for reported in batch.reports {
            entry.report(reported)?;
        }
        for heard in batch.heard {
            entry.hear(heard)?;
        }
        for ended in batch.endings {
            entry.end(ended)?;
        }
        let recorded = entry.recorded();
        transaction.commit()?;
        Ok(recorded)
    }

    /// What was promised over each provider when it was last written down, where that is so recent that it may still be used.
    pub(super) fn promises(&self, at: UnixMillis) -> Result<Vec<(ProviderName, ByteCount)>, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT provider, bytes, at_ms FROM promise")?;
        let rows = rows.query_map([], |row| {
            let written = UnixMillis(loaded(row.get(2)?));
            let lapsed = written.until(at) >= LEASE_FOR;
            let bytes = loaded_bytes(row.get(1)?);
            Ok(rows::whose(0, row)?.filter(|_| !lapsed && bytes > ByteCount::ZERO).map(|provider| (provider, bytes)))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// Writes down what is promised now.
    pub(super) fn promise(
        &mut self,
        at: UnixMillis,
        promised: &BTreeMap<ProviderName, ByteCount>,
    ) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (provider, bytes) in promised {
            transaction.prepare_cached("INSERT OR REPLACE INTO promise VALUES (?1, ?2, ?3)")?.execute(params![
                provider.to_string(),
                rows::stored(bytes.get()),
                rows::stored(at.0)
            ])?;
        }
        transaction.commit()
    }
}

fn migrate(database: &mut Connection, path: &Path) -> Result<(), UsageError> {
    let failed = |source| UsageError::Ledger { path: path.to_owned(), source };
    // Asks for the right to write, so that a file that can only be read is found out now.
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let Some(missing) = usize::try_from(version).ok().and_then(|version| SCHEMA.get(version..)) else {
        return Err(UsageError::TooNew { path: PathBuf::from(path), version });
    };
    for schema in missing {
        transaction.execute_batch(schema).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(SCHEMA.len()).unwrap_or(i64::MAX)).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod restart_tests;
#[cfg(test)]
pub(super) mod tests;
