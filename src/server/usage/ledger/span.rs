//! Where in the evidence a month is: each node's first and last row of it.
//!
//! Rows are read in the order in which they were recorded, so between the two may be rows of other months, as when a provider
//! corrects an old one.

use super::super::month::Month;
use super::rows::stored;
use rusqlite::{Connection, params};

const MILLIS_OF_A_DAY: u64 = 86_400_000;

/// One node's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Span {
    /// Whose rows.
    pub node: i64,
    /// The number of the first one.
    pub first: i64,
    /// The number of the last one.
    pub last: i64,
}

/// The days of a month, counted from 1970: its first, and the one after its last.
pub(in super::super) fn days(month: Month) -> (i64, i64) {
    let day = |month: Month| stored(month.starts_at().0 / MILLIS_OF_A_DAY);
    (day(month), day(month.next()))
}

/// The rows of a month. None where there is no evidence of it.
pub(in super::super) fn spans(database: &Connection, month: Month) -> Result<Vec<Span>, rusqlite::Error> {
    let (first_day, end_day) = days(month);
    let mut nodes = database.prepare("SELECT id FROM node ORDER BY id")?;
    let nodes = nodes.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut of = database.prepare(
        "SELECT min(seq), max(seq) FROM evidence INDEXED BY evidence_day WHERE day >= ?1 AND day < ?2 AND node = ?3",
    )?;
    let mut spans = Vec::new();
    for node in nodes {
        let (first, last): (Option<i64>, Option<i64>) =
            of.query_row(params![first_day, end_day, node], |row| Ok((row.get(0)?, row.get(1)?)))?;
        spans.extend(first.zip(last).map(|(first, last)| Span { node, first, last }));
    }
    Ok(spans)
}
