//! Sums that are made anew while others write.

use super::super::tests::{DECEMBER, GUEST, HOST, LINK, NOVEMBER, by, every_sum, report};
use super::super::{Batch, Heard};
use super::*;
use crate::domain::{ByteCount, ConnectionId, ParticipantId};
use crate::server::usage::party::Party;
use crate::server::usage::voices::Said;
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;

/// Books, and somebody else who has them open and does not wait.
fn books(dir: &TempDir) -> (Ledger, Ledger) {
    let mut ledger = Ledger::open(dir.path()).unwrap();
    for sequence in 1..20 {
        write(&mut ledger, NOVEMBER, sequence);
    }
    write(&mut ledger, DECEMBER, 20);
    let other = Ledger::open(dir.path()).unwrap();
    other.database.busy_timeout(Duration::ZERO).unwrap();
    (ledger, other)
}

/// Everybody has used more, and the provider says so of November.
fn write(ledger: &mut Ledger, at: UnixMillis, sequence: u64) {
    let passing = ConnectionId::from_random(100 + sequence);
    let reports = [
        by(HOST, report(LINK, "a", sequence, sequence * 1_000)),
        by(GUEST, report(LINK, "a", sequence, sequence * 300)),
        by(ParticipantId::from_random(200 + sequence), report(passing, "b", 1, 77)),
    ];
    let (provider, month) = ("cloudflare".parse().unwrap(), Month::of(NOVEMBER));
    let said = Said::Provider { provider, month, bytes: ByteCount::new(sequence * 2_000) };
    let heard = [Heard { session: None, said, known: ByteCount::ZERO }];
    let batch = Batch { kept: &[], reports: &reports, heard: &heard, endings: &[], speaking: &BTreeSet::new() };
    ledger.record_all(at, batch, &|_| vec![Party::Address(9)]).unwrap();
}

fn count(ledger: &Ledger, what: &str) -> i64 {
    ledger.database.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn others_write_while_sums_are_made_and_what_they_wrote_is_in_them() {
    let (dir, twin_dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (mut ledger, mut other) = books(&dir);
    let (mut twin, _) = books(&twin_dir);
    // Sums that nobody would believe, and some that are missing.
    let wrong = "UPDATE provider_total SET counted = 1;
         INSERT INTO hour_total SELECT hour + 1, provider, 'relay', 5, 5 FROM hour_total LIMIT 1;
         DELETE FROM hour_total WHERE hour % 2 = 0;
         UPDATE session_total SET counted = 3, first_ms = 0;
         INSERT INTO session_total VALUES ('2026-11', 'nobody', '', 9, 9, 9);
         INSERT INTO party_total VALUES ('2026-12', 'session:nobody', 9);
         INSERT INTO provider_total VALUES ('2026-12', 'nobody', 9, 9, 9);
         DELETE FROM party_total WHERE party LIKE 'participant:%' AND month = '2026-11';";
    ledger.database.execute_batch(wrong).unwrap();
    let mut sequence = 20;
    ledger
        .rebuild_while(&mut || {
            sequence += 1;
            write(&mut other, DECEMBER, sequence);
            write(&mut twin, DECEMBER, sequence);
        })
        .unwrap();
    assert_eq!(sequence, 24, "twice in each of two months");
    assert_eq!(every_sum(&ledger), every_sum(&twin));
    assert_eq!(count(&ledger, "evidence"), count(&twin, "evidence"));
    // What came meanwhile is not counted again by whoever makes them once more.
    ledger.rebuild().unwrap();
    assert_eq!(every_sum(&ledger), every_sum(&twin));
    assert_eq!(count(&ledger, "party_total WHERE party LIKE 'address:%'"), 2, "which no evidence knows of");
}

#[test]
fn a_month_that_begins_to_go_while_it_is_read_keeps_its_sums() {
    let dir = TempDir::new().unwrap();
    let (mut ledger, mut other) = books(&dir);
    // The last row of all, which stays, is of December.
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 99, 99_000))], &[]).unwrap();
    let hours_and_providers = |ledger: &Ledger| {
        let sums = "SELECT (SELECT sum(bytes) FROM hour_total), (SELECT sum(counted) FROM hour_total),
            (SELECT sum(counted) FROM provider_total), (SELECT sum(said) FROM provider_total)";
        let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        ledger.database.query_row::<[i64; 4], _, _>(sums, [], row).unwrap()
    };
    let before = hours_and_providers(&ledger);
    let mut steps = 0;
    ledger
        .rebuild_while(&mut || {
            while other.forget_before(Month::of(DECEMBER)).unwrap() > 0 {
                steps += 1;
            }
        })
        .unwrap();
    assert!(steps > 0, "something has gone");
    assert_eq!(hours_and_providers(&ledger), before);
    assert_eq!(count(&ledger, "session_total WHERE month = '2026-11'"), 0, "what has gone does not come back");
    assert_eq!(count(&ledger, "party_total WHERE month = '2026-11'"), 0);
}
