//! Sums from the evidence, month by month.
//!
//! A month's evidence is read as it is at one moment, while others write, and what came meanwhile is added in a transaction of some
//! milliseconds, with which the new sums take the place of the old ones: at each moment, and after a crash, months are whole. Months
//! whose evidence is gone, or going ([`super::retention`]), keep the sums that they have.

use super::super::month::Month;
use super::Ledger;
use super::rows::{loaded, stored};
use super::span::{days, spans};
use crate::domain::UnixMillis;
use rusqlite::{Connection, TransactionBehavior, params};

const MILLIS_OF_A_DAY: u64 = 86_400_000;

/// Empties what [`ADD`] adds to.
const TABLES: &str = include_str!("../schema/rebuild_tables.sql");

/// Adds some rows of the evidence.
const ADD: &str = include_str!("../schema/rebuild.sql");

/// Puts what was added up into the books.
const SWAP: &str = include_str!("../schema/rebuild_swap.sql");

impl Ledger {
    /// Makes every sum from the evidence anew. Whoever writes the books meanwhile does not wait.
    pub(in super::super) fn rebuild(&mut self) -> Result<(), rusqlite::Error> {
        self.rebuild_while(&mut || {})
    }

    /// The same. `meanwhile` happens twice for each month: before its evidence is read, as it is at a moment before that, and after.
    fn rebuild_while(&mut self, meanwhile: &mut dyn FnMut()) -> Result<(), rusqlite::Error> {
        let Some((mut month, last)) = self.months_of_evidence()? else { return Ok(()) };
        loop {
            self.rebuild_month(month, meanwhile)?;
            if month >= last {
                return Ok(());
            }
            month = month.next();
        }
    }

    fn months_of_evidence(&self) -> Result<Option<(Month, Month)>, rusqlite::Error> {
        let days: (Option<i64>, Option<i64>) = self.database.query_row(
            "SELECT (SELECT min(day) FROM evidence), (SELECT max(day) FROM evidence)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let month = |day| Month::of(UnixMillis(loaded(day).saturating_mul(MILLIS_OF_A_DAY)));
        Ok(days.0.zip(days.1).map(|(first, last)| (month(first), month(last))))
    }

    fn rebuild_month(&mut self, month: Month, meanwhile: &mut dyn FnMut()) -> Result<(), rusqlite::Error> {
        self.database.execute_batch(TABLES)?;
        let ((first_day, end_day), month_text) = (days(month), month.to_string());
        // Holds nobody up: of the books it only reads.
        let reading = self.database.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let spans = spans(&reading, month)?;
        if spans.is_empty() || first_day < evidence_since(&reading)? {
            return Ok(());
        }
        reading.execute_batch(
            "INSERT INTO rebuilt_up_to
                 SELECT id, coalesce((SELECT max(seq) FROM evidence WHERE evidence.node = node.id), 0) FROM node",
        )?;
        for span in spans {
            reading.execute(
                "INSERT INTO rebuilt VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![span.node, span.first, span.last, month_text, first_day, end_day],
            )?;
        }
        meanwhile();
        reading.execute_batch(ADD)?;
        meanwhile();
        reading.commit()?;
        let writing = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Some of what was read has gone since.
        if first_day < evidence_since(&writing)? {
            return Ok(());
        }
        writing.execute_batch("DELETE FROM rebuilt")?;
        writing.execute(
            "INSERT INTO rebuilt
                 SELECT id, coalesce((SELECT seq FROM rebuilt_up_to WHERE rebuilt_up_to.node = node.id), 0) + 1, ?1, ?2, ?3, ?4
                 FROM node",
            params![i64::MAX, month_text, first_day, end_day],
        )?;
        writing.execute_batch(ADD)?;
        writing.execute_batch(SWAP)?;
        writing.commit()
    }
}

/// The day from which on the evidence is whole.
pub(super) fn evidence_since(database: &Connection) -> Result<i64, rusqlite::Error> {
    database.query_row("SELECT coalesce(max(first_day), ?1) FROM evidence_since", [stored(0)], |row| row.get(0))
}

#[cfg(test)]
mod tests;
