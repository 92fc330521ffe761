//! Wherever the operator is, a month is the same: everything is counted and shown in UTC.
//!
//! The test starts itself as children in other time zones.

use super::*;
use crate::server::usage::ledger::{
    Ledger,
    tests::{HOST, LINK, by, report},
};
use std::{
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

const DATA: &str = "TESSRO_TEST_ZONE_DATA";
const OUT: &str = "TESSRO_TEST_ZONE_OUT";

/// Auckland, Los Angeles and nowhere, as POSIX writes them: these need no file of zones. When it is midnight in UTC at the end of
/// November, this is the time there.
const ZONES: [(&str, &str); 3] = [
    ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-12-01 13:00:00"),
    ("PST8PDT,M3.2.0,M11.1.0", "2026-11-30 16:00:00"),
    ("UTC0", "2026-12-01 00:00:00"),
];

/// When the month turns in Auckland, in UTC and in Los Angeles, each before and after.
const MOMENTS: [UnixMillis; 6] = [
    UnixMillis(MIDNIGHT.0 - 13 * HOUR - 1),
    UnixMillis(MIDNIGHT.0 - 13 * HOUR),
    UnixMillis(MIDNIGHT.0 - 1),
    MIDNIGHT,
    UnixMillis(MIDNIGHT.0 + 8 * HOUR - 1),
    UnixMillis(MIDNIGHT.0 + 8 * HOUR),
];

/// 2026-12-01T00:00:00Z.
const MIDNIGHT: UnixMillis = UnixMillis(1_796_083_200_000);
const HOUR: u64 = 3_600_000;
/// Little enough to be believed at once.
const RELAYED: u64 = 10_000_000;

/// The same amount at each moment.
fn count(data_dir: &Path) {
    let mut ledger = Ledger::open(data_dir).unwrap();
    for (sequence, at) in (1..).zip(MOMENTS) {
        ledger.record(at, &[by(HOST, report(LINK, "a", sequence, sequence * RELAYED))], &[]).unwrap();
    }
}

/// What `tessro usage` says at each moment, and of both months.
fn shown(data_dir: &Path, csv: bool) -> Vec<u8> {
    let set = |name: &str| (name == "DATA_DIR").then(|| data_dir.into());
    let (_, config) = Config::read(["tessro".into()], set).unwrap();
    let months = [None, "2026-11".parse().ok(), "2026-12".parse().ok()];
    let mut out = Vec::new();
    for at in MOMENTS {
        for month in months {
            let (clock, _) = Clock::by_hand(at);
            answer(&config, &clock, Ask { month, csv, ..Ask::default() }, &mut out).unwrap();
        }
    }
    out
}

/// Nothing by itself; the child process of the test below.
#[test]
fn a_child_that_counts_and_shows_in_its_own_zone() {
    let (Some(data), Some(out)) = (std::env::var_os(DATA), std::env::var_os(OUT)) else { return };
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let local = "SELECT datetime(1796083200, 'unixepoch', 'localtime')";
    let mut said = database.query_row(local, [], |row| row.get::<_, String>(0)).unwrap().into_bytes();
    said.push(b'\n');
    // What others counted in their zone, and what is counted in this one.
    let own = TempDir::new().unwrap();
    count(own.path());
    for (data_dir, csv) in [(Path::new(&data), true), (Path::new(&data), false), (own.path(), false)] {
        said.extend(shown(data_dir, csv));
    }
    std::fs::write(out, said).unwrap();
}

fn shown_in(zone: &str, data_dir: &Path) -> (String, String) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("shown");
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::usage::glance::zone_tests::a_child_that_counts_and_shows_in_its_own_zone"])
        .env("TZ", zone)
        .env(DATA, data_dir)
        .env(OUT, &out)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success(), "{zone}: {ended}");
    let said = std::fs::read_to_string(out).unwrap();
    let (midnight, shown) = said.split_once('\n').unwrap();
    (midnight.to_owned(), shown.to_owned())
}

#[test]
fn a_month_is_the_same_in_every_zone() {
    let dir = TempDir::new().unwrap();
    count(dir.path());
    let here = [shown(dir.path(), true), shown(dir.path(), false), shown(dir.path(), false)].concat();
    let here = String::from_utf8(here).unwrap();
    for (zone, midnight) in ZONES {
        let (local, there) = shown_in(zone, dir.path());
        assert_eq!(local, midnight, "the child is in {zone}");
        assert_eq!(there, here, "{zone}");
    }

    // Three moments of November and three of December, shown of two books; the month in question is this one for half of them, and
    // asked for by name at all of them.
    for day in ["2026-11-30", "2026-12-01"] {
        let lines = here.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let of_day: Vec<_> = lines.filter(|words| words.first() == Some(&day)).map(|words| words[1]).collect();
        assert_eq!(of_day, ["0.0300"; 2 * (3 + 6)], "{day}");
    }
}
