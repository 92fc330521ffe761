//! The ledger's sums, for whoever looks at a month: by day, by hour, by provider, by session; where several machines count it, by day and
//! by provider of all of them.
//!
//! Reads only, on a connection of its own beside the writer's (WAL), and only the tables of sums, of which a month has a few
//! thousand rows however much evidence there is. Writes nothing, creates nothing; where the file is missing or has no such tables
//! there are no books, and whoever asks says so.

use super::Month;
use super::ledger::ends_of;
use super::marks::Marks;
use super::several::{Figure, Part};
use crate::domain::{ParticipantId, ProviderName};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The file within the data directory.
const FILE: &str = "usage.db";

/// Who looks at a page does not wait longer.
const BUSY: Duration = Duration::from_millis(500);

const HOUR_MS: u64 = 3_600_000;

/// What counted of one provider, slot by slot; `None`: nobody knows whose relay it was.
pub type Slots = BTreeMap<Option<ProviderName>, Vec<u64>>;

/// One provider's month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProviderMonth {
    /// What we counted.
    pub counted: u64,
    /// What nobody measured.
    pub estimated: u64,
    /// What the provider says it was; `None` where it has said nothing.
    pub said: Option<u64>,
}

/// One session's month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMonth {
    /// The random identifier of its host.
    pub session: ParticipantId,
    /// By provider.
    pub counted: Vec<(Option<ProviderName>, u64)>,
}

impl SessionMonth {
    /// All providers together.
    pub fn total(&self) -> u64 {
        self.counted.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

/// The books of one data directory. Opened when they are first read, and again after an error.
#[derive(Debug)]
pub struct Books {
    path: PathBuf,
    file: Mutex<Option<Connection>>,
}

impl Books {
    /// The books in `data_dir`, which need not be there yet.
    pub fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE), file: Mutex::default() }
    }

    /// What counted in a month, one slot for each of its days; at all machines that count it, as far as they told.
    pub fn by_day(&self, month: Month) -> rusqlite::Result<Slots> {
        let mut slots = self.by_day_here(month)?;
        let first = hours(month).0 / 24;
        for (figure, bytes) in self.of_others(month)? {
            let Figure::OfDay(day, provider) = figure else { continue };
            let line = slots.entry(provider).or_insert_with(|| vec![0; days_of(month)]);
            let place = day.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(slot) = place.and_then(|place| line.get_mut(place)) {
                *slot = slot.saturating_add(bytes);
            }
        }
        Ok(slots)
    }

    /// What counted in a month at this machine, day by day.
    pub(super) fn by_day_here(&self, month: Month) -> rusqlite::Result<Slots> {
        let (first, end) = hours(month);
        self.slots((end - first) / 24, first, end, 24)
    }

    /// What counted at this machine on one day of a month, one slot for each hour; `day` counts from 1.
    pub fn by_hour(&self, month: Month, day: u8) -> rusqlite::Result<Slots> {
        let first = hours(month).0 + (u64::from(day).max(1) - 1) * 24;
        self.slots(24, first, first + 24, 1)
    }

    fn slots(&self, count: u64, first: u64, end: u64, hours_each: u64) -> rusqlite::Result<Slots> {
        let count = usize::try_from(count).unwrap_or_default();
        self.read(|file| {
            let mut rows = file.prepare_cached(
                "SELECT (hour - ?1) / ?3, provider, sum(counted) FROM hour_total
                 WHERE hour >= ?1 AND hour < ?2 AND counted > 0 GROUP BY 1, 2",
            )?;
            let mut rows = rows.query(params![stored(first), stored(end), stored(hours_each)])?;
            let mut slots = Slots::new();
            while let Some(row) = rows.next()? {
                let (slot, provider, bytes) = (loaded(row, 0)?, provider(row, 1)?, loaded(row, 2)?);
                let line = slots.entry(provider).or_insert_with(|| vec![0; count]);
                if let Some(slot) = usize::try_from(slot).ok().and_then(|slot| line.get_mut(slot)) {
                    *slot = slot.saturating_add(bytes);
                }
            }
            Ok(slots)
        })
    }

    /// Each provider's month: ours, that of all machines that count it, and what it says itself, which it says to each of them.
    pub fn providers(&self, month: Month) -> rusqlite::Result<BTreeMap<Option<ProviderName>, ProviderMonth>> {
        let mut providers = self.providers_here(month)?;
        for (figure, bytes) in self.of_others(month)? {
            let Some((of, part)) = figure.in_sum() else { continue };
            let sum = providers.entry(of).or_default();
            match part {
                Part::Counted => sum.counted = sum.counted.saturating_add(bytes),
                Part::Estimated => sum.estimated = sum.estimated.saturating_add(bytes),
                Part::Said => sum.said = sum.said.max(Some(bytes)),
            }
        }
        Ok(providers)
    }

    /// How far the ends of these connections are counted.
    pub(super) fn ends_of(&self, connections: Vec<Marks>) -> rusqlite::Result<Vec<Marks>> {
        self.read(|file| {
            let with_ends = |marks: &Marks| Ok(Marks { ends: ends_of(file, marks)?, ..marks.clone() });
            connections.iter().map(with_ends).collect()
        })
    }

    /// What other machines told of a month.
    fn of_others(&self, month: Month) -> rusqlite::Result<Vec<(Figure, u64)>> {
        self.read(|file| {
            let mut rows = file.prepare_cached(
                "SELECT figure, value FROM other_node
                 WHERE month = ?1 AND node <> (SELECT name FROM node WHERE id = 0) AND value > 0",
            )?;
            let mut rows = rows.query(params![month.to_string()])?;
            let mut figures = Vec::new();
            while let Some(row) = rows.next()? {
                // What a later version tells is not known to this one.
                if let Ok(figure) = row.get::<_, String>(0)?.parse() {
                    figures.push((figure, loaded(row, 1)?));
                }
            }
            Ok(figures)
        })
    }

    fn providers_here(&self, month: Month) -> rusqlite::Result<BTreeMap<Option<ProviderName>, ProviderMonth>> {
        self.read(|file| {
            let mut rows =
                file.prepare_cached("SELECT provider, counted, estimated, said FROM provider_total WHERE month = ?1")?;
            let mut rows = rows.query(params![month.to_string()])?;
            let mut providers = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let said = Some(loaded(row, 3)?).filter(|said| *said > 0);
                let of = ProviderMonth { counted: loaded(row, 1)?, estimated: loaded(row, 2)?, said };
                providers.insert(provider(row, 0)?, of);
            }
            Ok(providers)
        })
    }

    /// The sessions of a month that used the most, the largest first, and how many there are in all.
    pub fn sessions(&self, month: Month, most: u32) -> rusqlite::Result<(Vec<SessionMonth>, u64)> {
        self.read(|file| {
            let month = month.to_string();
            let mut count =
                file.prepare_cached("SELECT count(DISTINCT session) FROM session_total WHERE month = ?1")?;
            let count = count.query_row(params![month], |row| loaded(row, 0))?;
            let mut rows = file.prepare_cached(
                "WITH largest AS (
                     SELECT session, sum(counted) AS total FROM session_total WHERE month = ?1
                     GROUP BY session ORDER BY total DESC, session LIMIT ?2
                 )
                 SELECT session, provider, counted FROM session_total JOIN largest USING (session)
                 WHERE month = ?1 ORDER BY total DESC, session, provider",
            )?;
            let mut rows = rows.query(params![month, most])?;
            let mut sessions: Vec<SessionMonth> = Vec::new();
            while let Some(row) = rows.next()? {
                let Ok(session) = row.get::<_, String>(0)?.parse() else { continue };
                let part = (provider(row, 1)?, loaded(row, 2)?);
                match sessions.last_mut().filter(|last| last.session == session) {
                    Some(last) => last.counted.push(part),
                    None => sessions.push(SessionMonth { session, counted: vec![part] }),
                }
            }
            Ok((sessions, count))
        })
    }

    /// What these sessions used in a month, those that are in the books.
    pub fn of_sessions(&self, month: Month, sessions: &[ParticipantId]) -> rusqlite::Result<Vec<SessionMonth>> {
        self.read(|file| {
            let mut rows = file.prepare_cached(
                "SELECT provider, counted FROM session_total WHERE month = ?1 AND session = ?2 ORDER BY provider",
            )?;
            let mut found = Vec::new();
            for session in sessions {
                let parts = rows.query_map(params![month.to_string(), session.to_string()], |row| {
                    Ok((provider(row, 0)?, loaded(row, 1)?))
                })?;
                let counted = parts.collect::<rusqlite::Result<Vec<_>>>()?;
                if !counted.is_empty() {
                    found.push(SessionMonth { session: *session, counted });
                }
            }
            Ok(found)
        })
    }

    fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut file = self.lock();
        let open = match file.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let answer = ask(&open);
        // What failed once is opened anew: the file may have been put in place of another.
        if answer.is_ok() {
            *file = Some(open);
        }
        answer
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags(&self.path, flags)?;
        file.busy_timeout(BUSY)?;
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first hour of a month, and the first one after it, since 1970.
fn hours(month: Month) -> (u64, u64) {
    (month.starts_at().0 / HOUR_MS, month.next().starts_at().0 / HOUR_MS)
}

fn days_of(month: Month) -> usize {
    let (first, end) = hours(month);
    usize::try_from((end - first) / 24).unwrap_or_default()
}

fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Sums are never negative, whatever single rows are.
fn loaded(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// A name that nobody knows any more is nobody's.
fn provider(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ProviderName>> {
    Ok(row.get::<_, String>(column)?.parse().ok())
}

#[cfg(test)]
mod tests;
