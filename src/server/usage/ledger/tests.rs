//! The books on disk: what restarts, repetition and a failing disk leave of them.

use super::*;
use crate::domain::Now;
use crate::protocol::Path as RelayPath;
use crate::server::usage::connections::Connections;
use crate::server::usage::connections::Input;
use tempfile::TempDir;

pub(super) const HOST: ParticipantId = ParticipantId::from_random(1);
pub(super) const GUEST: ParticipantId = ParticipantId::from_random(2);
pub(super) const LINK: ConnectionId = ConnectionId::from_random(7);
/// 2026-11-15T00:00:00Z.
pub(super) const NOVEMBER: UnixMillis = UnixMillis(1_794_700_800_000);
pub(super) const DECEMBER: UnixMillis = UnixMillis(1_796_083_200_000);

/// A report of one Cloudflare pair, which bills `received`.
pub(in crate::server::usage) fn report(
    connection: ConnectionId,
    pair: &str,
    sequence: u64,
    received: u64,
) -> UsageReport {
    let pair = PairCounters {
        pair: pair.to_owned(),
        provider: "cloudflare".parse().unwrap(),
        bytes_received: received,
        bytes_sent: 5,
        packets_received: 0,
        packets_sent: 0,
        packets_indicated: 0,
    };
    UsageReport { connection, sequence, path: RelayPath::Relayed, pairs: vec![pair], seen: None }
}

pub(super) fn by(participant: ParticipantId, report: UsageReport) -> Reported {
    Reported { participant, session: Some(HOST), open_for: None, at_most: None, report }
}

fn ended(estimate: Option<u64>) -> Ended {
    let estimate = estimate.map(ByteCount::new);
    Ended { connection: LINK, host: HOST, guest: GUEST, opened_at: UnixMillis(5), estimate }
}

fn total(measured: u64, estimated: u64) -> MonthTotal {
    MonthTotal { measured: ByteCount::new(measured), estimated: ByteCount::new(estimated) }
}

/// The sums of the events themselves; checks on the way that the kept sums say the same.
pub(in crate::server::usage) fn sums(ledger: &Ledger) -> BTreeMap<Month, MonthTotal> {
    let mut sums = BTreeMap::<Month, MonthTotal>::new();
    let mut rows = ledger.database.prepare("SELECT month, kind, bytes FROM usage_event").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))).unwrap();
    for row in rows {
        let (month, kind, bytes) = row.unwrap();
        let sum = sums.entry(month.parse().unwrap()).or_default();
        let part = if kind == "measured" { &mut sum.measured } else { &mut sum.estimated };
        *part = part.plus(loaded_bytes(bytes));
    }
    let by_provider: u64 = ledger.provider_totals().unwrap().values().map(|total| total.get()).sum();
    assert_eq!(by_provider, sums.values().map(|sum| sum.measured.get()).sum::<u64>());
    let kept = ledger.totals().unwrap().into_iter().filter(|(_, total)| *total != MonthTotal::default());
    assert_eq!(sums, kept.collect());
    sums
}

pub(super) fn used(ledger: &Ledger) -> u64 {
    sums(ledger).values().map(|total| total.used().get()).sum()
}

#[test]
fn a_restart_and_reports_sent_again_count_nothing_twice() {
    let dir = TempDir::new().unwrap();
    let reports = [by(HOST, report(LINK, "a", 1, 100)), by(HOST, report(LINK, "a", 2, 300))];
    for _ in 0..3 {
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger.record(NOVEMBER, &reports, &[]).unwrap();
        ledger.record(NOVEMBER, &reports, &[]).unwrap();
        assert_eq!(used(&ledger), 300);
    }
}

#[test]
fn nobody_disturbs_the_counts_of_anybody_else() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let stranger = Reported { session: None, ..by(GUEST, report(LINK, "a", 900, 10)) };
    ledger.record(NOVEMBER, &[stranger, by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "b", 2, 1_000))], &[]).unwrap();
    assert_eq!(used(&ledger), 1_110);
}

#[test]
fn a_pair_keeps_the_provider_it_began_with() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    let mut renamed = report(LINK, "a", 2, 200);
    renamed.pairs[0].provider = "twilio".parse().unwrap();
    ledger.record(NOVEMBER, &[by(HOST, renamed)], &[]).unwrap();
    assert_eq!(used(&ledger), 200);
}

#[test]
fn bytes_belong_to_the_month_in_which_they_are_recorded() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    let recorded = ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 2, 150))], &[]).unwrap();
    assert_eq!((recorded.month.to_string().as_str(), recorded.total), ("2026-12", total(50, 0)));
    assert_eq!(sums(&ledger)[&Month::of(NOVEMBER)], total(100, 0));
}

#[test]
fn an_ending_tells_what_both_ends_measured_and_is_not_estimated_then() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let reports = [by(HOST, report(LINK, "a", 1, 100)), by(GUEST, report(LINK, "a", 1, 20))];
    let recorded = ledger.record(NOVEMBER, &reports, &[ended(None), ended(Some(999))]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::new(120)); 2]);
    assert_eq!(recorded.total, total(120, 0));
}

#[test]
fn a_direct_connection_counts_nothing() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let recorded = ledger.record(NOVEMBER, &[], &[ended(None)]).unwrap();
    assert_eq!((recorded.outcomes, recorded.total), (vec![Outcome::Measured(ByteCount::ZERO)], total(0, 0)));
}

#[test]
fn an_opening_is_estimated_once_and_the_next_one_again() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    for _ in 0..3 {
        ledger.record(NOVEMBER, &[], &[ended(Some(70))]).unwrap();
    }
    assert_eq!(used(&ledger), 70);
    let again = Ended { opened_at: UnixMillis(6), ..ended(Some(30)) };
    assert_eq!(ledger.record(NOVEMBER, &[], &[again]).unwrap().total, total(0, 100));
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.database.execute_batch("ALTER TABLE month_total RENAME COLUMN estimated TO gone").unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap_err();
    ledger.database.execute_batch("ALTER TABLE month_total RENAME COLUMN gone TO estimated").unwrap();
    assert_eq!(used(&ledger), 0);
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    assert_eq!(used(&ledger), 100);
}

#[test]
fn absurd_counters_saturate_and_the_ledger_still_opens() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let of_old = |reported| Reported { open_for: Some(Duration::MAX), ..reported };
    let absurd = |end, sequence| of_old(by(end, report(LINK, "a", sequence, u64::MAX)));
    let reports = [absurd(HOST, u64::MAX), absurd(GUEST, 1)];
    ledger.record(NOVEMBER, &reports, &[]).unwrap();
    drop(ledger);
    let mut ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.totals().unwrap()[&Month::of(NOVEMBER)].measured.get(), i64::MAX.unsigned_abs());
    ledger.record(NOVEMBER, &reports, &[ended(None)]).unwrap();
}

#[test]
fn nobody_is_believed_beyond_what_time_allows_and_a_replay_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let lie = |sequence| by(HOST, report(LINK, "a", sequence, (1 << 53) - 1));
    let recorded = ledger.record(NOVEMBER, &[lie(1), by(HOST, report(LINK, "b", 1, 7))], &[]).unwrap();
    assert_eq!(recorded.total, total(250_000_000, 0));
    assert_eq!(recorded.ignored, [Ignored::Bytes(LINK); 2]);
    let recorded = ledger.record(NOVEMBER, &[lie(1), lie(2)], &[ended(None)]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::new(250_000_000))]);
    // Another end, and the same one after a minute, are believed as far as their time goes.
    let later = UnixMillis(NOVEMBER.0 + 60_000);
    ledger
        .record(later, &[by(GUEST, report(LINK, "a", 1, 40)), by(HOST, report(LINK, "c", 3, u64::MAX))], &[])
        .unwrap();
    assert_eq!(used(&ledger), 250_000_040 + 60 * 25_000_000);
    let old = Reported { open_for: Some(Duration::from_hours(1)), ..by(GUEST, report(LINK, "a", 2, 80_000_000_000)) };
    ledger.record(later, &[old], &[]).unwrap();
    assert_eq!(used(&ledger), 1_750_000_000 + 80_000_000_000);
}

#[test]
fn a_check_is_believed_up_to_its_own_bound_over_all_its_pairs() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let of_a_check = |pair, sequence, received| Reported {
        at_most: Some(ByteCount::new(1_000)),
        ..by(GUEST, report(LINK, pair, sequence, received))
    };
    ledger.record(NOVEMBER, &[of_a_check("a", 1, 600)], &[]).unwrap();
    let later = UnixMillis(NOVEMBER.0 + 600_000);
    let recorded = ledger.record(later, &[of_a_check("b", 1, 600), of_a_check("c", 1, 600)], &[]).unwrap();
    assert_eq!((used(&ledger), recorded.ignored), (1_000, vec![Ignored::Bytes(LINK); 2]));
}

#[test]
fn one_end_has_so_many_pairs_and_no_more() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let reports: Vec<_> = (0..=PAIRS_KEPT).map(|pair| by(HOST, report(LINK, &pair.to_string(), 1, 10))).collect();
    let recorded = ledger.record(NOVEMBER, &reports, &[]).unwrap();
    assert_eq!(recorded.ignored, [Ignored::Pairs(LINK)]);
    assert_eq!(used(&ledger), 10 * PAIRS_KEPT as u64);
    // Those that are kept count on, and the other end has its own.
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "0", 2, 11)), by(GUEST, report(LINK, "x", 1, 5))], &[]).unwrap();
    assert_eq!(used(&ledger), 10 * PAIRS_KEPT as u64 + 6);
}

#[test]
fn books_of_the_first_layout_go_on_where_they_were() {
    let dir = TempDir::new().unwrap();
    let database = Connection::open(dir.path().join(FILE)).unwrap();
    database.execute_batch(SCHEMA[0]).unwrap();
    let rows = format!(
        "INSERT INTO pair VALUES ('{HOST}', '{LINK}', 'a', 'cloudflare', 4, 100, 5, 2, 9);
         INSERT INTO pair VALUES ('{GUEST}', '{LINK}', 'a', 'acme', 4, 100, 5, 2, 9);
         INSERT INTO usage_event (month, at_ms, kind, bytes, connection, provider)
            VALUES ('2026-11', 1, 'measured', 108, 'x', 'cloudflare'), ('2026-11', 1, 'measured', 149, 'x', 'acme');
         PRAGMA user_version = 1"
    );
    database.execute_batch(&rows).unwrap();
    drop(database);
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let outcomes = ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 4, 900))], &[ended(None)]).unwrap().outcomes;
    assert_eq!(outcomes, [Outcome::Measured(ByteCount::new(108 + 149))]);
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 5, 900))], &[]).unwrap();
    let totals: Vec<_> = ledger.provider_totals().unwrap().into_values().map(ByteCount::get).collect();
    assert_eq!(totals, [108 + 800], "of whom nobody knows any more nothing is said");
}

#[test]
fn a_directory_that_cannot_be_used_is_named_with_the_way_out() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Ledger::open(&file.join("data")).unwrap_err();
    assert!(matches!(error, UsageError::DataDir { .. }) && error.to_string().contains("set DATA_DIR to"), "{error}");

    std::fs::create_dir_all(dir.path().join("taken").join(FILE)).unwrap();
    let error = Ledger::open(&dir.path().join("taken")).unwrap_err();
    assert!(matches!(error, UsageError::Ledger { .. }) && error.to_string().contains("set DATA_DIR to"), "{error}");

    let missing = dir.path().join("made").join("on the way");
    drop(Ledger::open(&missing).unwrap());
    Connection::open(missing.join(FILE)).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Ledger::open(&missing).unwrap_err(), UsageError::TooNew { version: 99, .. }));
}

#[test]
fn writes_reach_the_disk_before_they_are_believed() {
    let dir = TempDir::new().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let pragma = |name| ledger.database.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    assert_eq!(pragma("journal_mode").unwrap(), rusqlite::types::Value::Text("wal".to_owned()));
    assert_eq!(pragma("synchronous").unwrap(), rusqlite::types::Value::Integer(2));
}

#[test]
fn what_the_connections_end_is_what_is_booked() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let mut core = Connections::default();
    let at = |seconds| Now::since_start(Duration::from_secs(seconds));
    core.handle(Input::Opened { connection: LINK, host: HOST, guest: GUEST, at: NOVEMBER }, at(0));
    core.handle(Input::Alive { connection: LINK }, at(8));
    core.handle(Input::Closed { connection: LINK }, at(9));
    core.handle(Input::Timeout, at(12));
    let endings: Vec<_> = core.poll_output().into_iter().collect();
    assert_eq!(ledger.record(NOVEMBER, &[], &endings).unwrap().total, total(0, 2_000_000));
}
