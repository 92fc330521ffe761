//! Sums from the evidence, month by month.
//!
//! Each month is one transaction, so that a server beside it writes in between, and a crash leaves months that are whole. Months
//! whose evidence is gone, or going ([`super::retention`]), keep the sums that they have.

use super::super::month::Month;
use super::Ledger;
use super::rows::{loaded, stored};
use super::span::{days, spans};
use crate::domain::UnixMillis;
use rusqlite::{Connection, TransactionBehavior, params};

const MILLIS_OF_A_DAY: u64 = 86_400_000;

/// What `rebuild.sql` reads.
const REBUILT: &str = "
    CREATE TEMP TABLE IF NOT EXISTS rebuilt (
        node INTEGER PRIMARY KEY, first_seq INTEGER, last_seq INTEGER, month TEXT, first_day INTEGER, end_day INTEGER
    );
    DELETE FROM temp.rebuilt;";

impl Ledger {
    /// Makes every sum from the evidence anew.
    pub(in super::super) fn rebuild(&mut self) -> Result<(), rusqlite::Error> {
        let Some((mut month, last)) = self.months_of_evidence()? else { return Ok(()) };
        loop {
            self.rebuild_month(month)?;
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

    pub(super) fn rebuild_month(&mut self, month: Month) -> Result<(), rusqlite::Error> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (first_day, end_day) = days(month);
        let spans = spans(&transaction, month)?;
        if spans.is_empty() || first_day < evidence_since(&transaction)? {
            return Ok(());
        }
        transaction.execute_batch(REBUILT)?;
        for span in spans {
            transaction.execute(
                "INSERT INTO temp.rebuilt VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![span.node, span.first, span.last, month.to_string(), first_day, end_day],
            )?;
        }
        transaction.execute_batch(include_str!("../schema/rebuild.sql"))?;
        transaction.commit()
    }
}

/// The day from which on the evidence is whole.
pub(super) fn evidence_since(database: &Connection) -> Result<i64, rusqlite::Error> {
    database.query_row("SELECT coalesce(max(first_day), ?1) FROM evidence_since", [stored(0)], |row| row.get(0))
}
