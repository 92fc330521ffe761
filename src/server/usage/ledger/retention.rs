//! What goes once it is old: who used what. What a month came to by hour and by provider stays for good.
//!
//! Rows go in small steps on the ledger's thread, between its other work, the oldest days first. With the rows, in the same
//! transaction, it is written down up to which day there were any, so that whatever happens in between, sums are never
//! made from the half that is left, and days of which nothing went are whole. What people of a month used goes after its last row. The
//! last row of all stays, so that no number is given twice. A connection that is still open keeps its counters however old it is: with
//! them gone its next report would count everything again.
//!
//! What goes is gone, so the machine's clock is believed slowly ([`trust`]).

mod trust;

use self::trust::{Doubt, Trust};
use super::super::month::Month;
use super::Ledger;
use super::rows::{loaded, stored};
use super::span::days;
use crate::domain::{Now, UnixMillis};
use rusqlite::{TransactionBehavior, params};
use std::time::Duration;

/// Rows of each table that go at once: some milliseconds, in which nothing else is written.
const STEP: i64 = 1_000;

const MILLIS_OF_A_DAY: u64 = 86_400_000;

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

/// Lets what is old go, step by step. Decides when, and asks the ledger.
#[derive(Debug)]
pub(in super::super) struct Retention {
    keep: Keep,
    /// How far the clock is believed; `None` before the first look.
    trust: Option<Trust>,
    /// Nothing older than this is left.
    done: Option<Month>,
    due: Now,
}

impl Retention {
    pub(in super::super) fn new(keep: Keep) -> Self {
        Self { keep, trust: None, done: None, due: Now::default() }
    }

    /// Does a step where one is due. Once nothing is left it waits for the month to turn.
    pub(in super::super) fn work(&mut self, ledger: &mut Ledger, at: UnixMillis, now: Now) {
        let Keep::Months(months) = self.keep else { return };
        if self.trust.is_none() {
            match ledger.newest_before_yesterday(at) {
                Ok(newest) => self.trust = Some(Trust::at_start(at, newest)),
                Err(error) => tracing::debug!(%error, "the newest usage could not be read"),
            }
        }
        let Some(trust) = &mut self.trust else { return };
        if let Some(Doubt { shown, believed }) = trust.look(at, now) {
            tracing::warn!(
                "The machine's clock shows {shown}, and usage was last counted in {believed}. No old usage is deleted by that for a \
                 day. If the clock is wrong, set it right before then; if it is right, there is nothing to do"
            );
        }
        let since = trust.month().minus(months);
        if self.done == Some(since) || now < self.due {
            return;
        }
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
    /// The day of the newest row of those from before yesterday, as this moment has it.
    fn newest_before_yesterday(&self, at: UnixMillis) -> Result<Option<UnixMillis>, rusqlite::Error> {
        let yesterday = (at.0 / MILLIS_OF_A_DAY).saturating_sub(1);
        let day: Option<i64> =
            self.database
                .query_row("SELECT max(day) FROM evidence WHERE day < ?1", [stored(yesterday)], |row| row.get(0))?;
        Ok(day.map(|day| UnixMillis(loaded(day).saturating_mul(MILLIS_OF_A_DAY))))
    }

    /// Deletes some of what is older than a month; how many rows. Nothing is left once there are none.
    pub(in super::super) fn forget_before(&mut self, month: Month) -> Result<usize, rusqlite::Error> {
        let (first_day, month_text) = (days(month).0, month.to_string());
        let starts_at = stored(month.starts_at().0);
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let days_gone = transaction
            .prepare_cached(
                "DELETE FROM evidence WHERE (node, seq) IN (
                     SELECT node, seq FROM evidence AS old
                     WHERE day < ?1 AND seq < (SELECT max(seq) FROM evidence WHERE node = old.node) ORDER BY day LIMIT ?2)
                 RETURNING day",
            )?
            .query_map(params![first_day, STEP], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        if let Some(last) = days_gone.iter().max() {
            transaction.execute("UPDATE evidence_since SET first_day = ?1 WHERE first_day < ?1", [last + 1])?;
        }
        let mut gone = days_gone.len();
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
        // What is left of old rows by then are the last ones of their nodes, so the months that have any are soon found.
        let of_people = [
            "DELETE FROM session_total WHERE (month, session, provider) IN (
                 SELECT month, session, provider FROM session_total WHERE month < ?1 AND month NOT IN (
                     SELECT strftime('%Y-%m', day * 86400, 'unixepoch') FROM evidence WHERE day < ?3) LIMIT ?2)",
            "DELETE FROM party_total WHERE (month, party) IN (
                 SELECT month, party FROM party_total WHERE month < ?1 AND month NOT IN (
                     SELECT strftime('%Y-%m', day * 86400, 'unixepoch') FROM evidence WHERE day < ?3) LIMIT ?2)",
        ];
        for of_people in of_people.iter().filter(|_| days_gone.is_empty()) {
            gone += transaction.prepare_cached(of_people)?.execute(params![month_text, STEP, first_day])?;
        }
        transaction.commit()?;
        Ok(gone)
    }
}

#[cfg(test)]
mod tests;
