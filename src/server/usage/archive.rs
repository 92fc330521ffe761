//! The books for people at a terminal and for other programs: read beside the running server, which does not notice.
//!
//! Opens the file for reading only, on a connection of its own. Rows are read one by one, so an export takes no more memory for ten
//! million of them than for ten.

use super::{
    Month,
    ledger::{FILE, Ledger, days, spans},
};
use rusqlite::{Connection, OpenFlags, Row, params, types::ValueRef};
use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Bytes of an export that are written at once: a terminal's output would be written line by line.
const AT_ONCE: usize = 64 * 1024;

/// The first line of an export.
const HEADER: &str = "node,seq,at_ms,day,kind,bytes,counted,provider,session,participant,connection";

/// Why the books cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There are none.
    #[error("there is no usage ledger in {0}: nothing was ever counted there, or DATA_DIR is another directory")]
    Missing(PathBuf),
    /// SQLite says no.
    #[error("the usage ledger cannot be read: {0}")]
    Ledger(#[from] rusqlite::Error),
    /// Nothing can be written there.
    #[error("the export cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The copy has to be a new file.
    #[error("{0} is there already: name a file that is not")]
    Exists(PathBuf),
    /// The ledger is not to be opened.
    #[error(transparent)]
    Usage(#[from] super::UsageError),
}

/// The books of a data directory, for reading.
#[derive(Debug)]
pub struct Archive {
    database: Connection,
}

impl Archive {
    /// Opens the books of a directory. A server that runs there goes on.
    pub fn open(data_dir: &Path) -> Result<Self, ArchiveError> {
        let path = data_dir.join(FILE);
        if !path.is_file() {
            return Err(ArchiveError::Missing(data_dir.to_owned()));
        }
        // Brings an older layout up to date; of a newer one it says so.
        drop(Ledger::open(data_dir)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Self { database: Connection::open_with_flags(path, flags)? })
    }

    /// Writes the evidence of a month as CSV (RFC 4180), one row for each, in the order in which it was recorded. Names of people,
    /// codes and addresses are not in it.
    pub fn export(&self, month: Month, to: &mut impl Write) -> Result<u64, ArchiveError> {
        // In the order of the rows: by their days each of them would be looked up by itself.
        let mut rows = self.database.prepare(
            "SELECT name, seq, at_ms, day, kind, bytes, counted, provider, session, participant, connection
             FROM evidence JOIN node ON node.id = evidence.node
             WHERE node = ?1 AND seq >= ?2 AND seq <= ?3 AND +day >= ?4 AND +day < ?5 ORDER BY seq",
        )?;
        let (first_day, end_day) = days(month);
        let (mut written, mut to) = (0, BufWriter::with_capacity(AT_ONCE, to));
        writeln!(to, "{HEADER}")?;
        for span in spans(&self.database, month)? {
            let mut rows = rows.query(params![span.node, span.first, span.last, first_day, end_day])?;
            while let Some(row) = rows.next()? {
                line(row, &mut to)?;
                written += 1;
            }
        }
        to.flush()?;
        Ok(written)
    }

    /// Writes a copy of all books, as they are at one moment, while the server goes on.
    pub fn back_up(&self, to: &Path) -> Result<(), ArchiveError> {
        if to.exists() {
            return Err(ArchiveError::Exists(to.to_owned()));
        }
        self.database.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    }
}

/// One row.
fn line(row: &Row<'_>, to: &mut impl Write) -> Result<(), ArchiveError> {
    for column in 0..11 {
        if column > 0 {
            to.write_all(b",")?;
        }
        match row.get_ref(column)? {
            ValueRef::Integer(number) => write!(to, "{number}")?,
            // Hexadecimal identifiers and words of ours: nothing that would have to be quoted.
            ValueRef::Text(text) => to.write_all(text)?,
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => {}
        }
    }
    writeln!(to)?;
    Ok(())
}

/// Makes every sum of the books from their evidence anew. A server that runs there counts on.
pub fn rebuild(data_dir: &Path) -> Result<(), ArchiveError> {
    drop(Archive::open(data_dir)?);
    Ok(Ledger::open(data_dir)?.rebuild()?)
}

#[cfg(test)]
mod memory_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::usage::ledger::tests::{DECEMBER, GUEST, HOST, LINK, NOVEMBER, by, report, sums};
    use rusqlite::InterruptHandle;
    use tempfile::TempDir;

    fn books(dir: &TempDir) -> Ledger {
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger
            .record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100)), by(GUEST, report(LINK, "b", 1, 50))], &[])
            .unwrap();
        ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 2, 170))], &[]).unwrap();
        ledger
    }

    #[test]
    fn a_month_is_exported_row_by_row_beside_a_ledger_that_is_open() {
        let dir = TempDir::new().unwrap();
        let _open = books(&dir);
        let archive = Archive::open(dir.path()).unwrap();
        let mut csv = Vec::new();
        assert_eq!(archive.export("2026-11".parse().unwrap(), &mut csv).unwrap(), 2);
        let csv = String::from_utf8(csv).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!((lines.len(), lines[0]), (3, HEADER));
        let cells: Vec<_> = lines[1].split(',').collect();
        assert_eq!(cells[1..8], ["1", "1794700800000", "20772", "browser", "100", "100", "cloudflare"]);
        assert_eq!(cells[9], HOST.to_string());
        assert!(cells[0].len() == 16 && lines.iter().all(|line| line.split(',').count() == 11));
    }

    /// Takes what is written, and stops whoever is still reading when the first of it comes.
    struct Stopping {
        reading: InterruptHandle,
        taken: Vec<u8>,
    }

    impl Write for Stopping {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.reading.interrupt();
            self.taken.extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_rows_are_written_before_later_ones_are_read() {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        // Several times what is written at once.
        let reports: Vec<_> =
            (1..=5_000).map(|sequence| by(HOST, report(LINK, "a", sequence, sequence * 1_000))).collect();
        ledger.record(NOVEMBER, &reports, &[]).unwrap();
        let archive = Archive::open(dir.path()).unwrap();
        let month = "2026-11".parse().unwrap();
        let mut whole = Vec::new();
        assert_eq!(archive.export(month, &mut whole).unwrap(), 5_000);
        assert!(whole.len() > 4 * AT_ONCE);
        let mut stopping = Stopping { reading: archive.database.get_interrupt_handle(), taken: Vec::new() };
        let stopped = archive.export(month, &mut stopping).unwrap_err();
        assert!(matches!(stopped, ArchiveError::Ledger(_)), "it was still reading: {stopped}");
        // What was written at once, and what had been read beyond it.
        assert!(stopping.taken.len() >= AT_ONCE / 2 && stopping.taken.len() <= 2 * AT_ONCE, "{}", stopping.taken.len());
        assert!(whole.starts_with(&stopping.taken));
    }

    #[test]
    fn a_copy_is_whole_and_nothing_is_overwritten() {
        let dir = TempDir::new().unwrap();
        let mut open = books(&dir);
        let copy = dir.path().join("copy");
        std::fs::create_dir(&copy).unwrap();
        let archive = Archive::open(dir.path()).unwrap();
        archive.back_up(&copy.join(FILE)).unwrap();
        assert!(matches!(archive.back_up(&copy.join(FILE)), Err(ArchiveError::Exists(_))));
        let mut copied = Ledger::open(&copy).unwrap();
        assert_eq!(sums(&mut copied), sums(&mut open));
        open.record(DECEMBER, &[by(HOST, report(LINK, "a", 3, 171))], &[]).unwrap();
        rebuild(dir.path()).unwrap();
        assert_eq!(sums(&mut open).values().map(|total| total.used.get()).sum::<u64>(), 221);
    }

    #[test]
    fn where_there_are_no_books_that_is_said_and_none_are_made() {
        let dir = TempDir::new().unwrap();
        let error = Archive::open(dir.path()).unwrap_err();
        assert!(matches!(error, ArchiveError::Missing(_)) && error.to_string().contains("DATA_DIR"));
        assert!(!dir.path().join(FILE).exists());
    }
}
