//! What goes once it is old: who used what. What a month came to by hour and by provider stays for good.
//!
//! Rows go in small steps on the ledger's thread, between its other work. Before the first row of a month goes, and in the same
//! transaction, it is written down that its evidence is not whole any more, so that whatever happens in between, sums are never
//! made from the half that is left. The last row of all stays, so that no number is given twice. A connection that is still open keeps its counters however old it is: with them gone its next
//! report would count everything again.

use super::super::month::Month;
use super::Ledger;
use super::rows::stored;
use super::span::days;
use crate::domain::{Now, UnixMillis};
use rusqlite::{TransactionBehavior, params};
use std::time::Duration;

/// Rows of each table that go at once: some milliseconds, in which nothing else is written.
const STEP: i64 = 1_000;

/// How long others have the ledger between two steps.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the evidence of a month is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For so many whole months, beside the one that runs.
    Months(u16),
    /// For good.
    Everything,
}

impl Keep {
    /// The oldest month that is kept.
    fn since(self, at: UnixMillis) -> Option<Month> {
        match self {
            Self::Months(months) => Some(Month::of(at).minus(months)),
            Self::Everything => None,
        }
    }
}

/// Lets what is old go, step by step. Decides when, and asks the ledger.
#[derive(Debug)]
pub(in super::super) struct Retention {
    keep: Keep,
    /// Nothing older than this is left.
    done: Option<Month>,
    due: Now,
}

impl Retention {
    pub(in super::super) fn new(keep: Keep) -> Self {
        Self { keep, done: None, due: Now::default() }
    }

    /// Does a step where one is due. Once nothing is left it waits for the month to turn.
    pub(in super::super) fn work(&mut self, ledger: &mut Ledger, at: UnixMillis, now: Now) {
        let Some(since) = self.keep.since(at).filter(|since| self.done != Some(*since) && now >= self.due) else {
            return;
        };
        self.due = now + PAUSE;
        match ledger.forget_before(since) {
            Ok(0) => self.done = Some(since),
            Ok(_) => {}
            // Tried again: nothing depends on when it goes.
            Err(error) => tracing::debug!(%error, "usage that is too old could not be deleted"),
        }
    }
}

impl Ledger {
    /// Deletes some of what is older than a month; how many rows. Nothing is left once there are none.
    pub(in super::super) fn forget_before(&mut self, month: Month) -> Result<usize, rusqlite::Error> {
        let (first_day, month_text) = (days(month).0, month.to_string());
        let starts_at = stored(month.starts_at().0);
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("UPDATE evidence_since SET first_day = ?1 WHERE first_day < ?1", [first_day])?;
        let mut gone = transaction
            .prepare_cached(
                "DELETE FROM evidence WHERE (node, seq) IN (
                     SELECT node, seq FROM evidence AS old
                     WHERE day < ?1 AND seq < (SELECT max(seq) FROM evidence WHERE node = old.node) LIMIT ?2)",
            )?
            .execute(params![first_day, STEP])?;
        for of_connections in [
            "DELETE FROM pair WHERE (participant, connection, pair) IN (
                 SELECT participant, connection, pair FROM pair
                 WHERE since_ms < ?1 AND connection NOT IN (SELECT connection FROM connection) LIMIT ?2)",
            "DELETE FROM connection_end WHERE (participant, connection) IN (
                 SELECT participant, connection FROM connection_end
                 WHERE since_ms < ?1 AND connection NOT IN (SELECT connection FROM connection) LIMIT ?2)",
            "DELETE FROM estimated WHERE (connection, session, opened_ms) IN (
                 SELECT connection, session, opened_ms FROM estimated
                 WHERE at_ms < ?1 AND connection NOT IN (SELECT connection FROM connection) LIMIT ?2)",
        ] {
            gone += transaction.prepare_cached(of_connections)?.execute(params![starts_at, STEP])?;
        }
        for of_people in [
            "DELETE FROM session_total WHERE (month, session, provider) IN (
                 SELECT month, session, provider FROM session_total WHERE month < ?1 LIMIT ?2)",
            "DELETE FROM party_total WHERE (month, party) IN (
                 SELECT month, party FROM party_total WHERE month < ?1 LIMIT ?2)",
        ] {
            gone += transaction.prepare_cached(of_people)?.execute(params![month_text, STEP])?;
        }
        transaction.commit()?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests;
