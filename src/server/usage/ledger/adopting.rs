//! Connections that another machine counted before, and those that another one counts from now on.

use super::super::marks::{EndMarks, Marks, PairMarks};
use super::Ledger;
use super::rows::{loaded, parsed, stored};
use crate::domain::{ConnectionId, UnixMillis};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

impl Ledger {
    /// Goes on where these marks are. What was counted here already stays so: of two counters the larger one is kept.
    pub(in super::super) fn adopt(&mut self, marks: &[Marks]) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for mark in marks {
            for end in &mark.ends {
                adopt_end(&transaction, mark.connection, end)?;
                for pair in &end.pairs {
                    adopt_pair(&transaction, mark.connection, end, pair)?;
                }
            }
        }
        transaction.commit()
    }

    /// Another machine books these when they end.
    pub(in super::super) fn leave_to_others(&mut self, connections: &[ConnectionId]) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for connection in connections {
            transaction
                .prepare_cached("DELETE FROM connection WHERE connection = ?1")?
                .execute([connection.to_string()])?;
        }
        transaction.commit()
    }
}

fn adopt_end(transaction: &Transaction<'_>, connection: ConnectionId, end: &EndMarks) -> Result<(), rusqlite::Error> {
    let [received, sent, packets_received, packets_sent] = end.counters.map(stored);
    transaction
        .prepare_cached(
            "INSERT INTO connection_end VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT DO UPDATE SET provider = iif(provider = '', excluded.provider, provider),
                own = max(own, excluded.own), other_end = max(other_end, excluded.other_end), larger = max(larger, excluded.larger),
                sequence = max(sequence, excluded.sequence), bytes_received = max(bytes_received, excluded.bytes_received),
                bytes_sent = max(bytes_sent, excluded.bytes_sent), packets_received = max(packets_received, excluded.packets_received),
                packets_sent = max(packets_sent, excluded.packets_sent), since_ms = min(since_ms, excluded.since_ms)",
        )?
        .execute(params![
            end.participant.to_string(),
            connection.to_string(),
            end.provider,
            stored(end.own),
            stored(end.other_end),
            stored(end.larger),
            stored(end.sequence),
            received,
            sent,
            packets_received,
            packets_sent,
            stored(end.since.0),
        ])?;
    Ok(())
}

fn adopt_pair(
    transaction: &Transaction<'_>,
    connection: ConnectionId,
    end: &EndMarks,
    pair: &PairMarks,
) -> Result<(), rusqlite::Error> {
    let [received, sent, packets_received, packets_sent, packets_indicated] = pair.counters.map(stored);
    transaction
        .prepare_cached(
            "INSERT INTO pair (participant, connection, pair, provider, sequence, bytes_received, bytes_sent, packets_received,
                packets_sent, packets_indicated, counted, since_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence),
                bytes_received = max(bytes_received, excluded.bytes_received), bytes_sent = max(bytes_sent, excluded.bytes_sent),
                packets_received = max(packets_received, excluded.packets_received),
                packets_sent = max(packets_sent, excluded.packets_sent),
                packets_indicated = max(packets_indicated, excluded.packets_indicated),
                counted = max(counted, excluded.counted), since_ms = min(since_ms, excluded.since_ms)",
        )?
        .execute(params![
            end.participant.to_string(),
            connection.to_string(),
            pair.pair,
            pair.provider,
            stored(pair.sequence),
            received,
            sent,
            packets_received,
            packets_sent,
            packets_indicated,
            stored(pair.counted),
            stored(pair.since.0),
        ])?;
    Ok(())
}

/// What the books hold of a connection's ends.
pub(in super::super) fn ends_of(database: &Connection, marks: &Marks) -> Result<Vec<EndMarks>, rusqlite::Error> {
    let mut ends = Vec::new();
    for participant in [marks.host, marks.guest] {
        let whose = params![participant.to_string(), marks.connection.to_string()];
        let mut rows = database.prepare_cached(
            "SELECT participant, provider, own, other_end, larger, sequence, bytes_received, bytes_sent, packets_received,
                packets_sent, since_ms
             FROM connection_end WHERE participant = ?1 AND connection = ?2",
        )?;
        let end = |row: &Row<'_>| {
            Ok(EndMarks {
                participant: parsed(0, row)?,
                provider: row.get(1)?,
                own: loaded(row.get(2)?),
                other_end: loaded(row.get(3)?),
                larger: loaded(row.get(4)?),
                sequence: loaded(row.get(5)?),
                counters: counters(6, row)?,
                since: UnixMillis(loaded(row.get(10)?)),
                pairs: Vec::new(),
            })
        };
        for end in rows.query_map(whose, end)? {
            ends.push(EndMarks { pairs: pairs_of(database, participant.to_string(), marks)?, ..end? });
        }
    }
    Ok(ends)
}

fn pairs_of(database: &Connection, participant: String, marks: &Marks) -> Result<Vec<PairMarks>, rusqlite::Error> {
    let mut rows = database.prepare_cached(
        "SELECT pair, provider, sequence, bytes_received, bytes_sent, packets_received, packets_sent, packets_indicated, counted,
            since_ms
         FROM pair WHERE participant = ?1 AND connection = ?2",
    )?;
    let pairs = rows.query_map(params![participant, marks.connection.to_string()], |row| {
        Ok(PairMarks {
            pair: row.get(0)?,
            provider: row.get(1)?,
            sequence: loaded(row.get(2)?),
            counters: counters(3, row)?,
            counted: loaded(row.get(8)?),
            since: UnixMillis(loaded(row.get(9)?)),
        })
    })?;
    pairs.collect()
}

/// As many counters as there are, from this column on.
fn counters<const COUNT: usize>(column: usize, row: &Row<'_>) -> Result<[u64; COUNT], rusqlite::Error> {
    let mut counters = [0; COUNT];
    for (place, counter) in (column..).zip(&mut counters) {
        *counter = loaded(row.get(place)?);
    }
    Ok(counters)
}
