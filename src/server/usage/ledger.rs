//! The books on disk: what was relayed, in SQLite, written before it is believed.
//!
//! One call of [`Ledger::record_all`] is one transaction, durable when it returns: events, counters and sums change together
//! or not at all, so reports that are sent again after a crash count once (`property_tests` cuts the log at any byte,
//! `crash_tests` kills the process). No end is believed beyond its [`bounds`](super::bounds). Refuses to know threads, acknowledgements, the cap and people's names. Amounts
//! beyond `i64::MAX` bytes are kept as that.

use super::UsageError;
use super::billing::{Billing, Counters};
use super::bounds::{Ignored, PAIRS_KEPT, believable};
use super::connections::{Ended, Kept};
use super::meter::Meter;
use super::month::Month;
use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::{PairCounters, UsageReport};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file within the data directory.
const FILE: &str = "usage.db";

/// Each entry takes the ledger one version further; entries are only ever added.
const SCHEMA: [&str; 5] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// How long to wait for another process that reads or copies the file.
const BUSY: Duration = Duration::from_secs(5);

/// A month's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MonthTotal {
    /// Counted by browsers.
    pub measured: ByteCount,
    /// Assumed, because nobody counted.
    pub estimated: ByteCount,
}

/// A report and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reported {
    /// Who.
    pub participant: ParticipantId,
    /// The session's host, where the connection is known.
    pub session: Option<ParticipantId>,
    /// How long the connection has been open, where it is known.
    pub open_for: Option<Duration>,
    /// The most that is believed, whatever the connection's age.
    pub at_most: Option<ByteCount>,
    /// What; checked.
    pub report: UsageReport,
}

/// What an ended connection came to, over its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What both ends measured.
    Measured(ByteCount),
    /// Nobody measured.
    Estimated(ByteCount),
}

/// What is on disk after [`Ledger::record_all`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The month that was recorded in.
    pub month: Month,
    /// Its sums.
    pub total: MonthTotal,
    /// The sums of the providers of which something was recorded.
    pub by_provider: BTreeMap<ProviderName, ByteCount>,
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

impl MonthTotal {
    /// Everything that counts towards the cap.
    pub(super) fn used(self) -> ByteCount {
        self.measured.plus(self.estimated)
    }
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

    /// The sums of every month so far.
    pub(super) fn totals(&self) -> Result<BTreeMap<Month, MonthTotal>, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT month, measured, estimated FROM month_total")?;
        let rows = rows.query_map([], |row| {
            let month = parsed(0, &row.get::<_, String>(0)?)?;
            Ok((month, MonthTotal { measured: loaded_bytes(row.get(1)?), estimated: loaded_bytes(row.get(2)?) }))
        })?;
        rows.collect()
    }

    /// What was measured of every provider in every month so far.
    pub(super) fn provider_totals(&self) -> Result<BTreeMap<(Month, ProviderName), ByteCount>, rusqlite::Error> {
        let mut rows = self.database.prepare("SELECT month, provider, measured FROM provider_total")?;
        let rows = rows.query_map([], |row| {
            // Names that an earlier version knew bound nobody now.
            let Ok(provider) = row.get::<_, String>(1)?.parse() else { return Ok(None) };
            let month = parsed(0, &row.get::<_, String>(0)?)?;
            Ok(Some(((month, provider), loaded_bytes(row.get(2)?))))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// The connections that were open when they were last heard of.
    pub(super) fn connections(&self) -> Result<Vec<Kept>, rusqlite::Error> {
        let mut rows =
            self.database.prepare("SELECT connection, host, guest, opened_ms, alive_ms, reported FROM connection")?;
        let rows = rows.query_map([], |row| {
            Ok(Kept {
                connection: parsed(0, &row.get::<_, String>(0)?)?,
                host: parsed(1, &row.get::<_, String>(1)?)?,
                guest: parsed(2, &row.get::<_, String>(2)?)?,
                opened_at: UnixMillis(loaded(row.get(3)?)),
                alive_at: UnixMillis(loaded(row.get(4)?)),
                reported: row.get(5)?,
            })
        })?;
        rows.collect()
    }

    /// [`Self::record_all`] without connections.
    #[cfg(test)]
    pub(super) fn record(
        &mut self,
        at: UnixMillis,
        reports: &[Reported],
        endings: &[Ended],
    ) -> Result<Recorded, rusqlite::Error> {
        self.record_all(at, &[], reports, endings)
    }

    /// Records connections, then reports, then endings, at a moment that decides the month. When it returns, all of it is
    /// on disk; when it fails, none of it is, and it may be tried again.
    pub(super) fn record_all(
        &mut self,
        at: UnixMillis,
        kept: &[Kept],
        reports: &[Reported],
        endings: &[Ended],
    ) -> Result<Recorded, rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let month = Month::of(at);
        let total = month_total(&transaction, month)?;
        let (by_provider, ignored) = (BTreeMap::new(), Vec::new());
        let mut entry = Entry { month, at, total, by_provider, ignored, transaction: &transaction };
        for kept in kept {
            entry.keep(kept)?;
        }
        for reported in reports {
            entry.note_report(reported)?;
        }
        for reported in reports.iter().filter(|reported| !reported.report.pairs.is_empty()) {
            let mut standing = entry.standing(reported.participant, reported.report.connection)?;
            for pair in &reported.report.pairs {
                entry.measure(reported, &mut standing, pair)?;
            }
        }
        let outcomes = endings.iter().map(|ended| entry.end(ended)).collect::<Result<_, _>>()?;
        let Entry { total, by_provider, ignored, .. } = entry;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO month_total (month, measured, estimated) VALUES (?1, ?2, ?3)")?
            .execute(params![month.to_string(), stored(total.measured.get()), stored(total.estimated.get())])?;
        transaction.commit()?;
        Ok(Recorded { month, total, by_provider, outcomes, ignored })
    }
}

/// One transaction being put together.
struct Entry<'a> {
    transaction: &'a Transaction<'a>,
    month: Month,
    at: UnixMillis,
    total: MonthTotal,
    by_provider: BTreeMap<ProviderName, ByteCount>,
    ignored: Vec<Ignored>,
}

/// What the books hold of one end of a connection.
#[derive(Default)]
struct Standing {
    pairs: usize,
    counted: ByteCount,
    since: Option<UnixMillis>,
}

impl Entry<'_> {
    fn keep(&self, kept: &Kept) -> Result<(), rusqlite::Error> {
        // What is reported stays so, whatever the order in which this and the report come.
        self.transaction
            .prepare_cached(
                "INSERT INTO connection (connection, host, guest, opened_ms, alive_ms, reported)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET alive_ms = max(alive_ms, excluded.alive_ms),
                    reported = max(reported, excluded.reported)",
            )?
            .execute(params![
                kept.connection.to_string(),
                kept.host.to_string(),
                kept.guest.to_string(),
                stored(kept.opened_at.0),
                stored(kept.alive_at.0),
                kept.reported,
            ])?;
        Ok(())
    }

    /// Somebody says how the connection runs, though it be that nothing passes through a relay.
    fn note_report(&self, reported: &Reported) -> Result<(), rusqlite::Error> {
        self.transaction
            .prepare_cached(
                "UPDATE connection SET reported = 1
                 WHERE connection = ?1 AND reported = 0 AND (host = ?2 OR guest = ?2)",
            )?
            .execute(params![reported.report.connection.to_string(), reported.participant.to_string()])?;
        Ok(())
    }

    fn measure(
        &mut self,
        reported: &Reported,
        standing: &mut Standing,
        pair: &PairCounters,
    ) -> Result<(), rusqlite::Error> {
        let participant = reported.participant.to_string();
        let connection = reported.report.connection.to_string();
        let known = self
            .transaction
            .prepare_cached(
                "SELECT provider, sequence, bytes_received, bytes_sent, packets_received, packets_sent, counted, since_ms,
                        packets_indicated
                 FROM pair WHERE participant = ?1 AND connection = ?2 AND pair = ?3",
            )?
            .query_row(params![participant, connection, pair.pair], pair_row)
            .optional()?;
        let is_new = known.is_none();
        // A pair keeps the provider that it was first reported with: another name later cannot change what was billed.
        let PairRow { provider, mut meter, counted, since } = known.unwrap_or_else(|| PairRow {
            provider: pair.provider.clone(),
            meter: Meter::default(),
            counted: ByteCount::ZERO,
            since: self.at,
        });
        let Some(billed) = meter.apply(Billing::of(provider.kind()), reported.report.sequence, pair.into()) else {
            return Ok(());
        };
        // Most pairs never carry anything.
        if meter.counters == Counters::default() {
            return Ok(());
        }
        if is_new && standing.pairs >= PAIRS_KEPT {
            self.ignored.push(Ignored::Pairs(reported.report.connection));
            return Ok(());
        }
        let age = standing.since.unwrap_or(self.at).until(self.at).max(reported.open_for.unwrap_or_default());
        let believed = reported.at_most.map_or(believable(age), |most| most.min(believable(age)));
        let added = billed.min(believed.minus(standing.counted));
        if added < billed {
            self.ignored.push(Ignored::Bytes(reported.report.connection));
        }
        standing.pairs += usize::from(is_new);
        standing.counted = standing.counted.plus(added);
        let counters = meter.counters;
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO pair VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
            .execute(params![
                participant,
                connection,
                pair.pair,
                provider.to_string(),
                stored(meter.sequence),
                stored(counters.bytes_received),
                stored(counters.bytes_sent),
                stored(counters.packets_received),
                stored(counters.packets_sent),
                stored(counted.plus(added).get()),
                stored(since.0),
                stored(counters.packets_indicated),
            ])?;
        if added == ByteCount::ZERO {
            return Ok(());
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO usage_event (month, at_ms, kind, bytes, connection, session, participant, pair, provider)
                 VALUES (?1, ?2, 'measured', ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                self.month.to_string(),
                stored(self.at.0),
                stored(added.get()),
                connection,
                reported.session.map(|host| host.to_string()),
                participant,
                pair.pair,
                provider.to_string(),
            ])?;
        self.total.measured = self.total.measured.plus(added);
        self.add_to_provider(provider, added)
    }

    fn add_to_provider(&mut self, provider: ProviderName, added: ByteCount) -> Result<(), rusqlite::Error> {
        let total = self
            .transaction
            .prepare_cached(
                "INSERT INTO provider_total (month, provider, measured) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET measured = min(measured + excluded.measured, 9223372036854775807)
                 RETURNING measured",
            )?
            .query_row(params![self.month.to_string(), provider.to_string(), stored(added.get())], |row| row.get(0))?;
        self.by_provider.insert(provider, loaded_bytes(total));
        Ok(())
    }

    fn end(&mut self, ended: &Ended) -> Result<Outcome, rusqlite::Error> {
        // Booked with the same stroke: neither twice nor not at all.
        self.transaction
            .prepare_cached("DELETE FROM connection WHERE connection = ?1 AND opened_ms = ?2")?
            .execute(params![ended.connection.to_string(), stored(ended.opened_at.0)])?;
        let measured = self.standing(ended.host, ended.connection)?.counted;
        let measured = measured.plus(self.standing(ended.guest, ended.connection)?.counted);
        // Before a restart it may have been measured although nobody reported since.
        let Some(estimate) = ended.estimate.filter(|_| measured == ByteCount::ZERO) else {
            return Ok(Outcome::Measured(measured));
        };
        if estimate > ByteCount::ZERO {
            let added = self
                .transaction
                .prepare_cached(
                    "INSERT INTO usage_event (month, at_ms, kind, bytes, connection, session, opened_ms)
                     VALUES (?1, ?2, 'estimated', ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    self.month.to_string(),
                    stored(self.at.0),
                    stored(estimate.get()),
                    ended.connection.to_string(),
                    ended.host.to_string(),
                    stored(ended.opened_at.0),
                ])?;
            if added > 0 {
                self.total.estimated = self.total.estimated.plus(estimate);
            }
        }
        Ok(Outcome::Estimated(estimate))
    }

    fn standing(&self, end: ParticipantId, connection: ConnectionId) -> Result<Standing, rusqlite::Error> {
        let mut pairs = self
            .transaction
            .prepare_cached("SELECT counted, since_ms FROM pair WHERE participant = ?1 AND connection = ?2")?;
        let mut pairs = pairs.query(params![end.to_string(), connection.to_string()])?;
        let mut standing = Standing::default();
        while let Some(pair) = pairs.next()? {
            let since = UnixMillis(loaded(pair.get(1)?));
            standing.pairs += 1;
            standing.counted = standing.counted.plus(loaded_bytes(pair.get(0)?));
            standing.since = Some(standing.since.map_or(since, |earliest| earliest.min(since)));
        }
        Ok(standing)
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

fn month_total(transaction: &Transaction<'_>, month: Month) -> Result<MonthTotal, rusqlite::Error> {
    let total = transaction
        .prepare_cached("SELECT measured, estimated FROM month_total WHERE month = ?1")?
        .query_row([month.to_string()], |row| {
            Ok(MonthTotal { measured: loaded_bytes(row.get(0)?), estimated: loaded_bytes(row.get(1)?) })
        })
        .optional()?;
    Ok(total.unwrap_or_default())
}

/// What the books hold of one pair.
struct PairRow {
    provider: ProviderName,
    meter: Meter,
    counted: ByteCount,
    since: UnixMillis,
}

fn pair_row(row: &rusqlite::Row<'_>) -> Result<PairRow, rusqlite::Error> {
    let counters = Counters {
        bytes_received: loaded(row.get(2)?),
        bytes_sent: loaded(row.get(3)?),
        packets_received: loaded(row.get(4)?),
        packets_sent: loaded(row.get(5)?),
        packets_indicated: loaded(row.get(8)?),
    };
    Ok(PairRow {
        provider: parsed(0, &row.get::<_, String>(0)?)?,
        meter: Meter { sequence: loaded(row.get(1)?), counters },
        counted: loaded_bytes(row.get(6)?),
        since: UnixMillis(loaded(row.get(7)?)),
    })
}

fn parsed<T>(column: usize, text: &str) -> Result<T, rusqlite::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn loaded(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn loaded_bytes(value: i64) -> ByteCount {
    ByteCount::new(loaded(value))
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod restart_tests;
#[cfg(test)]
pub(super) mod tests;
