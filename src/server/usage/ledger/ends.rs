//! What the books hold of connections that are not over: how far each of their ends has been counted.

use super::super::billing::Counters;
use super::super::meter::Meter;
use super::rows::{loaded, loaded_bytes, parsed, stored, whose};
use crate::domain::{ByteCount, ConnectionId, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::PairCounters;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// One end of a connection: whose relay it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) participant: ParticipantId,
    pub(super) connection: ConnectionId,
    pub(super) session: Option<ParticipantId>,
}

/// What the books hold of one end.
#[derive(Debug, Clone)]
pub(super) struct EndRow {
    /// Whose relay, as its own end says.
    pub(super) provider: Option<ProviderName>,
    pub(super) own: ByteCount,
    pub(super) other_end: ByteCount,
    pub(super) larger: ByteCount,
    /// What the other end says.
    pub(super) seen: Meter,
    pub(super) since: UnixMillis,
}

/// What the books hold of one pair.
pub(super) struct PairRow {
    pub(super) provider: ProviderName,
    pub(super) meter: Meter,
    pub(super) counted: ByteCount,
    pub(super) since: UnixMillis,
}

/// The rows of ends and of their pairs, in a transaction.
pub(super) struct Ends<'a>(pub(super) &'a Transaction<'a>);

impl Ends<'_> {
    /// How many pairs of this end are kept, and since when.
    pub(super) fn pairs_of(&self, end: End) -> Result<(usize, Option<UnixMillis>), rusqlite::Error> {
        self.0
            .prepare_cached("SELECT count(*), min(since_ms) FROM pair WHERE participant = ?1 AND connection = ?2")?
            .query_row(params![end.participant.to_string(), end.connection.to_string()], |row| {
                let since: Option<i64> = row.get(1)?;
                let count = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
                Ok((count, since.map(|since| UnixMillis(loaded(since)))))
            })
    }

    /// Since when anything is kept of this participant's connections.
    pub(super) fn known_since(&self, participant: ParticipantId) -> Result<Option<UnixMillis>, rusqlite::Error> {
        self.0.prepare_cached("SELECT min(since_ms) FROM connection_end WHERE participant = ?1")?.query_row(
            [participant.to_string()],
            |row| {
                let since: Option<i64> = row.get(0)?;
                Ok(since.map(|since| UnixMillis(loaded(since))))
            },
        )
    }

    pub(super) fn pair(&self, end: End, pair: &str) -> Result<Option<PairRow>, rusqlite::Error> {
        self.0
            .prepare_cached(
                "SELECT provider, sequence, bytes_received, bytes_sent, packets_received, packets_sent, packets_indicated,
                    counted, since_ms
                 FROM pair WHERE participant = ?1 AND connection = ?2 AND pair = ?3",
            )?
            .query_row(params![end.participant.to_string(), end.connection.to_string(), pair], |row| {
                let counters = Counters { packets_indicated: loaded(row.get(6)?), ..counters(2, row)? };
                Ok(PairRow {
                    provider: parsed(0, row)?,
                    meter: Meter { sequence: loaded(row.get(1)?), counters },
                    counted: loaded_bytes(row.get(7)?),
                    since: UnixMillis(loaded(row.get(8)?)),
                })
            })
            .optional()
    }

    pub(super) fn write_pair(&self, end: End, pair: &PairCounters, row: &PairRow) -> Result<(), rusqlite::Error> {
        let Meter { sequence, counters } = row.meter;
        self.0
            .prepare_cached("INSERT OR REPLACE INTO pair VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
            .execute(params![
                end.participant.to_string(),
                end.connection.to_string(),
                pair.pair,
                row.provider.to_string(),
                stored(sequence),
                stored(counters.bytes_received),
                stored(counters.bytes_sent),
                stored(counters.packets_received),
                stored(counters.packets_sent),
                stored(row.counted.get()),
                stored(row.since.0),
                stored(counters.packets_indicated),
            ])?;
        Ok(())
    }

    pub(super) fn of(&self, end: End) -> Result<Option<EndRow>, rusqlite::Error> {
        self.0
            .prepare_cached(
                "SELECT provider, own, other_end, larger, sequence, bytes_received, bytes_sent, packets_received, packets_sent,
                    since_ms
                 FROM connection_end WHERE participant = ?1 AND connection = ?2",
            )?
            .query_row(params![end.participant.to_string(), end.connection.to_string()], |row| {
                Ok(EndRow {
                    provider: whose(0, row)?,
                    own: loaded_bytes(row.get(1)?),
                    other_end: loaded_bytes(row.get(2)?),
                    larger: loaded_bytes(row.get(3)?),
                    seen: Meter { sequence: loaded(row.get(4)?), counters: counters(5, row)? },
                    since: UnixMillis(loaded(row.get(9)?)),
                })
            })
            .optional()
    }

    pub(super) fn write_end(&self, end: End, row: &EndRow) -> Result<(), rusqlite::Error> {
        let Meter { sequence, counters } = row.seen;
        self.0
            .prepare_cached(
                "INSERT OR REPLACE INTO connection_end VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                end.participant.to_string(),
                end.connection.to_string(),
                row.provider.as_ref().map(ToString::to_string).unwrap_or_default(),
                stored(row.own.get()),
                stored(row.other_end.get()),
                stored(row.larger.get()),
                stored(sequence),
                stored(counters.bytes_received),
                stored(counters.bytes_sent),
                stored(counters.packets_received),
                stored(counters.packets_sent),
                stored(row.since.0),
            ])?;
        Ok(())
    }
}

impl EndRow {
    pub(super) fn new(since: UnixMillis) -> Self {
        let zero = ByteCount::ZERO;
        Self { provider: None, own: zero, other_end: zero, larger: zero, seen: Meter::default(), since }
    }
}

/// Four counters from this column on.
fn counters(column: usize, row: &Row<'_>) -> Result<Counters, rusqlite::Error> {
    Ok(Counters {
        bytes_received: loaded(row.get(column)?),
        bytes_sent: loaded(row.get(column + 1)?),
        packets_received: loaded(row.get(column + 2)?),
        packets_sent: loaded(row.get(column + 3)?),
        packets_indicated: 0,
    })
}
