//! An export of many rows takes no more memory than one of few.
//!
//! The test starts itself as a child that exports and does nothing else, and that looks at its memory with each part it writes.

use super::*;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const DIR: &str = "TESSRO_TEST_EXPORT_DIR";

/// What an export may take beyond that of a few rows, in kB: SQLite keeps 2 MB of pages.
const MORE: u64 = 6_000;

/// `?1` rows of 2026-11.
const ROWS: &str = "
    WITH RECURSIVE number (row) AS (SELECT 1 UNION ALL SELECT row + 1 FROM number WHERE row < ?1)
    INSERT INTO evidence (node, seq, at_ms, day, kind, bytes, counted, provider, session, participant, connection)
    SELECT 0, row, 1794700800000 + row, 20772, 'browser', 1500000, 1500000, 'coturn:one', printf('%016x', row / 100),
        printf('%016x', row / 30), printf('%016x', row / 20)
    FROM number";

/// Where an export goes that is only looked at.
#[derive(Default)]
struct Scales {
    bytes: usize,
    /// The most that the process had at a time, in kB.
    memory: u64,
}

impl Write for Scales {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.bytes += part.len();
        self.memory = self.memory.max(resident());
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this process has in memory, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// Nothing by itself; the child process of the test below.
#[test]
fn a_child_that_exports() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let archive = Archive::open(Path::new(&dir)).unwrap();
    let mut scales = Scales::default();
    let rows = archive.export("2026-11".parse().unwrap(), &mut scales).unwrap();
    writeln!(io::stdout(), "exported {rows} {} {}", scales.bytes, scales.memory).unwrap();
}

/// Bytes that an export of so many rows comes to, and the memory that it takes, in kB.
fn export(rows: u32) -> (u64, u64) {
    let dir = TempDir::new().unwrap();
    drop(Ledger::open(dir.path()).unwrap());
    Connection::open(dir.path().join(FILE)).unwrap().execute(ROWS, [rows]).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::usage::archive::memory_tests::a_child_that_exports", "--nocapture"])
        .env(DIR, dir.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let (_, figures) = output.split_once("exported ").unwrap_or_else(|| panic!("nothing was exported: {output}"));
    let figures: Vec<u64> = figures.split_whitespace().map_while(|figure| figure.parse().ok()).collect();
    assert_eq!((figures.len(), figures[0]), (3, u64::from(rows)));
    (figures[1], figures[2])
}

#[test]
fn a_hundred_times_the_rows_take_no_more_memory() {
    let (few, many) = (export(1_500), export(150_000));
    assert!(many.0 / 1_000 > 2 * MORE, "{} bytes are enough to be seen", many.0);
    assert!(many.1 < few.1 + MORE, "{} kB for a few rows, {} kB for many", few.1, many.1);
}
