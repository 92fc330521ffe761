//! What is left of old months, whenever the machine stops.

use super::super::FILE;
use super::super::tests::{DECEMBER, GUEST, HOST, LINK, NOVEMBER, by, report};
use super::*;
use crate::domain::{ByteCount, ConnectionId, ParticipantId};
use crate::server::usage::connections::{Ended, Kept};
use rusqlite::types::Value;
use tempfile::TempDir;

/// More than go in one step.
const REPORTS: u64 = 2_500;

fn december() -> Month {
    Month::of(DECEMBER)
}

/// A November in many rows, and a December.
fn books(dir: &TempDir) -> Ledger {
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let reports: Vec<_> =
        (1..=REPORTS).map(|sequence| by(HOST, report(LINK, "a", sequence, sequence * 1_000))).collect();
    ledger.record(NOVEMBER, &reports, &[]).unwrap();
    let estimated = |connection| Ended {
        connection: ConnectionId::from_random(connection),
        host: HOST,
        guest: GUEST,
        opened_at: UnixMillis(5),
        estimate: Some(ByteCount::new(70)),
    };
    ledger.record(NOVEMBER, &[], &[estimated(100)]).unwrap();
    let later = ConnectionId::from_random(101);
    ledger.record(DECEMBER, &[by(GUEST, report(later, "b", 1, 4_000))], &[estimated(102)]).unwrap();
    ledger
}

fn table(ledger: &Ledger, sql: &str) -> Vec<Vec<Value>> {
    let mut rows = ledger.database.prepare(sql).unwrap();
    let columns = rows.column_count();
    let rows = rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// What stays for good.
fn months(ledger: &Ledger) -> Vec<Vec<Value>> {
    let hours = table(ledger, "SELECT hour, provider, kind, bytes, counted FROM hour_total");
    hours.into_iter().chain(table(ledger, "SELECT * FROM provider_total")).collect()
}

fn count(ledger: &Ledger, what: &str) -> i64 {
    ledger.database.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

fn forget(ledger: &mut Ledger, month: Month) {
    while ledger.forget_before(month).unwrap() > 0 {}
}

#[test]
fn who_used_what_goes_and_what_a_month_came_to_stays() {
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    let before = months(&ledger);
    forget(&mut ledger, december());
    assert_eq!(months(&ledger), before);
    for (table, left) in [
        ("evidence", 2),
        ("evidence WHERE at_ms < 1796083200000", 0),
        ("pair", 1),
        ("connection_end", 1),
        ("estimated", 1),
        ("session_total WHERE month < '2026-12'", 0),
        ("party_total WHERE month < '2026-12'", 0),
    ] {
        assert_eq!(count(&ledger, table), left, "{table}");
    }
    assert!(count(&ledger, "party_total") > 0 && count(&ledger, "session_total") > 0);
    ledger.rebuild().unwrap();
    assert_eq!(months(&ledger), before);
    // It goes on where it was, and numbers are not used again.
    let later = ConnectionId::from_random(101);
    ledger.record(DECEMBER, &[by(GUEST, report(later, "b", 2, 9_000))], &[]).unwrap();
    assert_eq!(count(&ledger, "evidence"), 3);
    let all = ledger.sums().unwrap();
    assert_eq!(all.total(december()).used.get(), 9_000 + 70);
    assert_eq!(all.total(Month::of(NOVEMBER)).used.get(), REPORTS * 1_000 + 70);
}

#[test]
fn sums_are_made_from_evidence_that_is_whole_wherever_the_machine_stops() {
    let dir = TempDir::new().unwrap();
    let before = {
        let ledger = books(&dir);
        months(&ledger)
    };
    // The log begins empty.
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let mut lengths = vec![0];
    let log_path = dir.path().join("usage.db-wal");
    while ledger.forget_before(december()).unwrap() > 0 {
        lengths.push(std::fs::metadata(&log_path).unwrap().len());
    }
    assert!(lengths.len() > 3, "in several steps");
    let log = std::fs::read(&log_path).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in lengths.iter().flat_map(|length| [length.saturating_sub(100), *length, length + 2_000]) {
        let crashed = TempDir::new().unwrap();
        std::fs::copy(dir.path().join(FILE), crashed.path().join(FILE)).unwrap();
        let cut = usize::try_from(cut).unwrap().min(log.len());
        std::fs::write(crashed.path().join("usage.db-wal"), &log[..cut]).unwrap();
        let mut after = Ledger::open(crashed.path()).unwrap();
        seen.insert(count(&after, "evidence"));
        assert_eq!(months(&after), before, "cut at {cut}");
        after.rebuild().unwrap();
        assert_eq!(months(&after), before, "made anew after a cut at {cut}");
        forget(&mut after, december());
        after.rebuild().unwrap();
        assert_eq!((months(&after), count(&after, "evidence")), (before.clone(), 2), "and gone on after {cut}");
    }
    assert!(seen.len() > 3, "some of the evidence was gone: {seen:?}");
}

#[test]
fn a_connection_that_is_open_keeps_its_counters_however_old_it_is() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let open =
        Kept { connection: LINK, host: HOST, guest: GUEST, opened_at: NOVEMBER, alive_at: NOVEMBER, reported: true };
    ledger.record_kept(NOVEMBER, &[open], &[by(HOST, report(LINK, "a", 1, 5_000))], &[]).unwrap();
    forget(&mut ledger, december());
    assert_eq!((count(&ledger, "evidence"), count(&ledger, "pair")), (1, 1), "the last row stays for its number");
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 2, 5_001))], &[]).unwrap();
    assert_eq!(count(&ledger, "evidence WHERE seq = 2"), 1);
    assert_eq!(ledger.sums().unwrap().total(december()).used.get(), 1);
}

#[test]
fn what_a_provider_says_late_of_a_month_that_is_gone_is_in_its_sum() {
    use crate::server::usage::ledger::{Batch, Heard};
    use crate::server::usage::voices::Said;
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    forget(&mut ledger, december());
    let (provider, month) = ("cloudflare".parse().unwrap(), Month::of(NOVEMBER));
    let said = Said::Provider { provider, month, bytes: ByteCount::new(9_000_000) };
    let heard = [Heard { session: None::<ParticipantId>, said, known: ByteCount::ZERO }];
    let speaking = std::collections::BTreeSet::new();
    let batch = Batch { kept: &[], reports: &[], heard: &heard, endings: &[], speaking: &speaking };
    ledger.record_all(DECEMBER, batch, &|_| Vec::new()).unwrap();
    ledger.rebuild().unwrap();
    assert_eq!(ledger.sums().unwrap().total(month).used.get(), 9_000_000 + 70);
}

#[test]
fn a_step_is_done_now_and_then_and_the_next_month_again() {
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    let at = |seconds| Now::since_start(Duration::from_secs(seconds));
    let all = count(&ledger, "evidence");
    let mut everything = Retention::new(Keep::Everything);
    let mut retention = Retention::new(Keep::Months(1));
    everything.work(&mut ledger, UnixMillis(DECEMBER.0 * 2), at(0));
    // November is the month before.
    retention.work(&mut ledger, DECEMBER, at(1));
    assert_eq!((count(&ledger, "evidence"), retention.done), (all, Some(Month::of(NOVEMBER))));
    // 2027-01-15T00:00:00Z.
    let january = UnixMillis(1_799_971_200_000);
    retention.work(&mut ledger, january, at(2));
    assert_eq!(count(&ledger, "evidence"), all - STEP);
    retention.work(&mut ledger, january, at(2));
    assert_eq!(count(&ledger, "evidence"), all - STEP, "not at once");
    for seconds in 3..9 {
        retention.work(&mut ledger, january, at(seconds));
    }
    assert_eq!((count(&ledger, "evidence"), retention.done), (2, Some(december())));
}

#[tokio::test]
async fn a_server_that_keeps_a_month_lets_older_ones_go_by_itself() {
    use crate::server::{clock::Clock, usage::Usage};
    let dir = TempDir::new().unwrap();
    drop(books(&dir));
    let (clock, hand) = Clock::by_hand(UnixMillis(1_799_971_200_000));
    let usage = Usage::open(dir.path(), ByteCount::new(1), clock).unwrap();
    usage.keep(Keep::Months(1));
    let looking = Ledger::open(dir.path()).unwrap();
    let give_up = tokio::time::Instant::now() + Duration::from_secs(20);
    while count(&looking, "evidence") > 2 {
        assert!(tokio::time::Instant::now() < give_up, "{} rows are left", count(&looking, "evidence"));
        hand.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    usage.close().await;
}
