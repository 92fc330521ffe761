//! What is left of old months, whenever the machine stops.

use super::super::FILE;
use super::super::tests::{DECEMBER, GUEST, HOST, LINK, NOVEMBER, by, every_sum, report};
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

/// Everything that may go, and what says what went.
fn who_used_what(ledger: &Ledger) -> Vec<Vec<Value>> {
    let tables = ["evidence", "evidence_since", "pair", "connection_end", "estimated"];
    let rows = tables.iter().flat_map(|name| table(ledger, &format!("SELECT * FROM {name}")));
    rows.chain(every_sum(ledger)).collect()
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
    assert_eq!(count(&ledger, "evidence"), all, "not before it has been January for a day");
    let day = 24 * 60 * 60;
    retention.work(&mut ledger, january, at(day + 2));
    assert_eq!(count(&ledger, "evidence"), all - STEP);
    retention.work(&mut ledger, january, at(day + 2));
    assert_eq!(count(&ledger, "evidence"), all - STEP, "not at once");
    for seconds in 3..9 {
        retention.work(&mut ledger, january, at(day + seconds));
    }
    assert_eq!((count(&ledger, "evidence"), retention.done), (2, Some(december())));
}

#[test]
fn days_of_which_nothing_went_are_whole_however_far_the_clock_was() {
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    forget(&mut ledger, "2099-01".parse().unwrap());
    assert_eq!(count(&ledger, "evidence"), 1, "the last row stays for its number");
    assert_eq!(table(&ledger, "SELECT first_day FROM evidence_since"), [[Value::Integer(days(december()).0 + 1)]]);
    // December has a row, so what people used of it is there; November has none.
    assert_eq!((count(&ledger, "party_total"), count(&ledger, "party_total WHERE month = '2026-12'")), (2, 2));
    assert_eq!((count(&ledger, "session_total"), count(&ledger, "session_total WHERE month = '2026-12'")), (2, 2));
    // Of what comes then, sums are made anew.
    let january = UnixMillis(1_799_971_200_000);
    ledger.record(january, &[by(HOST, report(ConnectionId::from_random(103), "c", 1, 6_000))], &[]).unwrap();
    let before = every_sum(&ledger);
    ledger.database.execute_batch("UPDATE provider_total SET counted = 1 WHERE month = '2027-01'").unwrap();
    ledger.rebuild().unwrap();
    assert_eq!(every_sum(&ledger), before);
}

#[test]
fn a_clock_that_goes_a_year_ahead_and_back_takes_nothing_with_it() {
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    let mut retention = Retention::new(Keep::Months(1));
    let half_hours = |half_hours: u32| Duration::from_mins(30) * half_hours;
    let now = |passed| Now::since_start(half_hours(passed));
    retention.work(&mut ledger, DECEMBER, now(0));
    let year = Duration::from_hours(365 * 24);
    // Somebody watches meanwhile, and is booked where the clock stands.
    let later = ConnectionId::from_random(101);
    ledger.record(DECEMBER.plus(year), &[by(GUEST, report(later, "b", 2, 5_000))], &[]).unwrap();
    let before = who_used_what(&ledger);
    for passed in 1..48 {
        retention.work(&mut ledger, DECEMBER.plus(year + half_hours(passed)), now(passed));
    }
    for passed in 48..240 {
        retention.work(&mut ledger, DECEMBER.plus(half_hours(passed)), now(passed));
    }
    assert_eq!(who_used_what(&ledger), before);
    ledger.rebuild().unwrap();
    assert_eq!(who_used_what(&ledger), before, "and every sum is made of it");
}

#[test]
fn a_start_with_a_clock_that_is_a_year_ahead_takes_nothing_for_a_day() {
    let dir = TempDir::new().unwrap();
    let mut ledger = books(&dir);
    let ahead = DECEMBER.plus(Duration::from_hours(365 * 24));
    let hours = |hours| Now::since_start(Duration::from_hours(hours));
    let mut before = who_used_what(&ledger);
    // The second start finds rows that this very clock has written.
    for sequence in 2..4 {
        let mut retention = Retention::new(Keep::Months(1));
        for passed in 0..24 {
            retention.work(&mut ledger, ahead.plus(Duration::from_hours(passed)), hours(passed));
        }
        assert_eq!(who_used_what(&ledger), before);
        let later = ConnectionId::from_random(101);
        ledger.record(ahead, &[by(GUEST, report(later, "b", sequence, sequence * 5_000))], &[]).unwrap();
        before = who_used_what(&ledger);
    }
    // Whoever had a pause of a year has the day as well, and then what is old goes.
    let mut retention = Retention::new(Keep::Months(1));
    for passed in 0..48 {
        retention.work(&mut ledger, ahead.plus(Duration::from_hours(passed)), hours(passed));
    }
    assert_eq!(count(&ledger, "evidence WHERE at_ms < 1800000000000"), 0);
    assert_eq!(count(&ledger, "party_total WHERE month < '2027-12'"), 0);
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
