//! The books on disk: what restarts, repetition and a failing disk leave of them.

use super::super::bounds::PAIRS_KEPT;
use super::super::sums::MonthTotal;
use super::*;
use crate::domain::{ConnectionId, Now};
use crate::protocol::{OtherEndCounters, PairCounters, Path as RelayPath};
use crate::server::usage::connections::Connections;
use crate::server::usage::connections::Input;
use tempfile::TempDir;

pub(in crate::server::usage) const HOST: ParticipantId = ParticipantId::from_random(1);
pub(in crate::server::usage) const GUEST: ParticipantId = ParticipantId::from_random(2);
pub(in crate::server::usage) const LINK: ConnectionId = ConnectionId::from_random(7);
/// 2026-11-15T00:00:00Z.
pub(in crate::server::usage) const NOVEMBER: UnixMillis = UnixMillis(1_794_700_800_000);
pub(in crate::server::usage) const DECEMBER: UnixMillis = UnixMillis(1_796_083_200_000);

/// A report of one Cloudflare pair, which bills `received`.
pub(in crate::server::usage) fn report(
    connection: ConnectionId,
    pair: &str,
    sequence: u64,
    received: u64,
) -> UsageReport {
    let pair = PairCounters {
        bytes_received: received,
        bytes_sent: 5,
        ..PairCounters::of(pair, "cloudflare".parse().unwrap())
    };
    UsageReport { connection, sequence, path: RelayPath::Relayed, pairs: vec![pair], other_end: None, seen: None }
}

pub(in crate::server::usage) fn by(participant: ParticipantId, report: UsageReport) -> Reported {
    let other = if participant == HOST { GUEST } else { HOST };
    let (open_for, at_most, foreign) = (None, None, BTreeSet::new());
    Reported { participant, other: Some(other), session: Some(HOST), open_for, at_most, foreign, report }
}

impl Ledger {
    /// [`Ledger::record_all`] of reports and endings.
    pub(in crate::server::usage) fn record(
        &mut self,
        at: UnixMillis,
        reports: &[Reported],
        endings: &[Ended],
    ) -> Result<Recorded, rusqlite::Error> {
        self.record_kept(at, &[], reports, endings)
    }

    /// The same with connections that are open.
    pub(super) fn record_kept(
        &mut self,
        at: UnixMillis,
        kept: &[Kept],
        reports: &[Reported],
        endings: &[Ended],
    ) -> Result<Recorded, rusqlite::Error> {
        let batch = Batch { kept, reports, heard: &[], endings, speaking: &BTreeSet::new() };
        self.record_all(at, batch, &|_| Vec::new())
    }

    /// What others than browsers say.
    fn hear(&mut self, at: UnixMillis, said: Said, speaking: &[&str]) -> Recorded {
        let speaking = speaking.iter().map(|name| name.parse().unwrap()).collect();
        let heard = [Heard { session: Some(HOST), said, known: ByteCount::ZERO }];
        let batch = Batch { kept: &[], reports: &[], heard: &heard, endings: &[], speaking: &speaking };
        self.record_all(at, batch, &|_| Vec::new()).unwrap()
    }

    fn record_while_speaking(&mut self, at: UnixMillis, reports: &[Reported], speaking: &str) -> Recorded {
        let speaking = [speaking.parse().unwrap()].into();
        let batch = Batch { kept: &[], reports, heard: &[], endings: &[], speaking: &speaking };
        self.record_all(at, batch, &|_| Vec::new()).unwrap()
    }

    fn month(&self, at: UnixMillis) -> MonthTotal {
        self.sums().unwrap().total(Month::of(at))
    }
}

fn ended(estimate: Option<u64>) -> Ended {
    let estimate = estimate.map(ByteCount::new);
    Ended { connection: LINK, host: HOST, guest: GUEST, opened_at: UnixMillis(5), estimate }
}

fn total(measured: u64, estimated: u64) -> MonthTotal {
    MonthTotal { used: ByteCount::new(measured + estimated), estimated: ByteCount::new(estimated) }
}

/// Every table of sums, in the order of its key.
pub(super) fn every_sum(ledger: &Ledger) -> Vec<Vec<rusqlite::types::Value>> {
    let mut sums = Vec::new();
    for table in ["hour_total", "provider_total", "session_total", "party_total"] {
        let mut rows = ledger.database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        sums.extend(rows.collect::<Result<Vec<Vec<_>>, _>>().unwrap());
    }
    sums
}

/// The sums of every month; checks on the way that the evidence says the same.
pub(in crate::server::usage) fn sums(ledger: &mut Ledger) -> BTreeMap<Month, MonthTotal> {
    let kept = every_sum(ledger);
    ledger.rebuild().unwrap();
    assert_eq!(every_sum(ledger), kept, "what the sums say is what the evidence says");
    let sums = ledger.sums().unwrap();
    let mut months = ledger.database.prepare("SELECT DISTINCT month FROM provider_total").unwrap();
    let months = months.query_map([], |row| parsed::<Month>(0, row)).unwrap();
    months.map(|month| month.map(|month| (month, sums.total(month))).unwrap()).collect()
}

pub(super) fn used(ledger: &mut Ledger) -> u64 {
    sums(ledger).values().map(|total| total.used.get()).sum()
}

#[test]
fn a_restart_and_reports_sent_again_count_nothing_twice() {
    let dir = TempDir::new().unwrap();
    let reports = [by(HOST, report(LINK, "a", 1, 100)), by(HOST, report(LINK, "a", 2, 300))];
    for _ in 0..3 {
        let mut ledger = Ledger::open(dir.path()).unwrap();
        ledger.record(NOVEMBER, &reports, &[]).unwrap();
        ledger.record(NOVEMBER, &reports, &[]).unwrap();
        assert_eq!(used(&mut ledger), 300);
    }
}

#[test]
fn nobody_disturbs_the_counts_of_anybody_else() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let stranger = Reported { session: None, ..by(GUEST, report(LINK, "a", 900, 10)) };
    ledger.record(NOVEMBER, &[stranger, by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "b", 2, 1_000))], &[]).unwrap();
    assert_eq!(used(&mut ledger), 1_110);
}

#[test]
fn a_pair_keeps_the_provider_it_began_with() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    let mut renamed = report(LINK, "a", 2, 200);
    renamed.pairs[0].provider = "twilio".parse().unwrap();
    ledger.record(NOVEMBER, &[by(HOST, renamed)], &[]).unwrap();
    assert_eq!(used(&mut ledger), 200);
}

#[test]
fn bytes_belong_to_the_month_in_which_they_are_recorded() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 2, 150))], &[]).unwrap();
    assert_eq!(ledger.month(DECEMBER), total(50, 0));
    assert_eq!(sums(&mut ledger)[&Month::of(NOVEMBER)], total(100, 0));
}

#[test]
fn an_ending_tells_what_both_ends_measured_and_is_not_estimated_then() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let reports = [by(HOST, report(LINK, "a", 1, 100)), by(GUEST, report(LINK, "a", 1, 20))];
    let recorded = ledger.record(NOVEMBER, &reports, &[ended(None), ended(Some(999))]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::new(120)); 2]);
    assert_eq!(ledger.month(NOVEMBER), total(120, 0));
}

#[test]
fn a_direct_connection_counts_nothing() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let recorded = ledger.record(NOVEMBER, &[], &[ended(None)]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::ZERO)]);
    assert_eq!(ledger.month(NOVEMBER), total(0, 0));
}

#[test]
fn an_opening_is_estimated_once_and_the_next_one_again() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    for _ in 0..3 {
        ledger.record(NOVEMBER, &[], &[ended(Some(70))]).unwrap();
    }
    assert_eq!(used(&mut ledger), 70);
    let again = Ended { opened_at: UnixMillis(6), ..ended(Some(30)) };
    ledger.record(NOVEMBER, &[], &[again]).unwrap();
    assert_eq!(ledger.month(NOVEMBER), total(0, 100));
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.database.execute_batch("ALTER TABLE provider_total RENAME COLUMN estimated TO gone").unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap_err();
    ledger.database.execute_batch("ALTER TABLE provider_total RENAME COLUMN gone TO estimated").unwrap();
    assert_eq!(used(&mut ledger), 0);
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    assert_eq!(used(&mut ledger), 100);
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
    assert_eq!(ledger.month(NOVEMBER).used.get(), i64::MAX.unsigned_abs());
    ledger.record(NOVEMBER, &reports, &[ended(None)]).unwrap();
}

#[test]
fn nobody_is_believed_beyond_what_time_allows_and_a_replay_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let lie = |sequence| by(HOST, report(LINK, "a", sequence, (1 << 53) - 1));
    let recorded = ledger.record(NOVEMBER, &[lie(1), by(HOST, report(LINK, "b", 1, 7))], &[]).unwrap();
    assert_eq!(ledger.month(NOVEMBER), total(250_000_000, 0));
    assert_eq!(recorded.ignored, [Ignored::Bytes(LINK); 2]);
    let recorded = ledger.record(NOVEMBER, &[lie(1), lie(2)], &[ended(None)]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::new(250_000_000))]);
    // Another end, and the same one after a minute, are believed as far as their time goes.
    let later = UnixMillis(NOVEMBER.0 + 60_000);
    ledger
        .record(later, &[by(GUEST, report(LINK, "a", 1, 40)), by(HOST, report(LINK, "c", 3, u64::MAX))], &[])
        .unwrap();
    assert_eq!(used(&mut ledger), 250_000_040 + 60 * 25_000_000);
    let old = Reported { open_for: Some(Duration::from_hours(1)), ..by(GUEST, report(LINK, "a", 2, 80_000_000_000)) };
    ledger.record(later, &[old], &[]).unwrap();
    assert_eq!(used(&mut ledger), 1_750_000_000 + 80_000_000_000);
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
    assert_eq!((used(&mut ledger), recorded.ignored), (1_000, vec![Ignored::Bytes(LINK); 2]));
}

#[test]
fn one_end_has_so_many_pairs_and_no_more() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let reports: Vec<_> = (0..=PAIRS_KEPT).map(|pair| by(HOST, report(LINK, &pair.to_string(), 1, 10))).collect();
    let recorded = ledger.record(NOVEMBER, &reports, &[]).unwrap();
    assert_eq!(recorded.ignored, [Ignored::Pairs(LINK)]);
    assert_eq!(used(&mut ledger), 10 * PAIRS_KEPT as u64);
    // Those that are kept count on, and the other end has its own.
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "0", 2, 11)), by(GUEST, report(LINK, "x", 1, 5))], &[]).unwrap();
    assert_eq!(used(&mut ledger), 10 * PAIRS_KEPT as u64 + 6);
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
    let of_cloudflare = ledger.sums().unwrap().of(Month::of(NOVEMBER), &"cloudflare".parse().unwrap());
    assert_eq!(of_cloudflare.counted.get(), 108 + 800);
    // Whoever is not known any more is in the sum all the same.
    assert_eq!(ledger.month(NOVEMBER), total(908 + 149, 0));
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
    ledger.record(NOVEMBER, &[], &endings).unwrap();
    assert_eq!(ledger.month(NOVEMBER), total(0, 2_000_000));
}

fn cloudflare() -> ProviderName {
    "cloudflare".parse().unwrap()
}

/// What this end saw pass over the relay of the other one.
fn seen(end: ParticipantId, sequence: u64, received: u64, sent: u64) -> Reported {
    let counters =
        OtherEndCounters { bytes_received: received, bytes_sent: sent, packets_received: 0, packets_sent: 0 };
    let report = UsageReport { pairs: Vec::new(), other_end: Some(counters), ..report(LINK, "a", sequence, 0) };
    by(end, report)
}

#[test]
fn of_what_both_ends_say_of_a_relay_the_larger_counts() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    // The guest says too little of its own relay, and the host has seen more: Cloudflare bills what it sends to its client.
    ledger.record(NOVEMBER, &[by(GUEST, report(LINK, "a", 1, 100)), seen(HOST, 1, 7, 1_000)], &[]).unwrap();
    assert_eq!(ledger.month(NOVEMBER), total(1_000, 0));
    // What the guest says beyond that counts, and nothing counts twice, however often it is said.
    for _ in 0..2 {
        ledger.record(NOVEMBER, &[by(GUEST, report(LINK, "a", 2, 1_200)), seen(HOST, 2, 9, 1_100)], &[]).unwrap();
    }
    assert_eq!(used(&mut ledger), 1_200);
    // Of a relay that its own end is silent about, both directions count.
    ledger.record(NOVEMBER, &[seen(GUEST, 3, 30, 4)], &[]).unwrap();
    assert_eq!(used(&mut ledger), 1_234);
    let recorded = ledger.record(NOVEMBER, &[], &[ended(Some(999))]).unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Measured(ByteCount::new(1_234))]);
}

#[test]
fn what_the_other_end_claims_is_bounded_by_time_as_well() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    for sequence in 1..4 {
        ledger.record(NOVEMBER, &[seen(HOST, sequence, 0, (1 << 53) - 1)], &[]).unwrap();
    }
    assert_eq!(used(&mut ledger), 250_000_000);
}

#[test]
fn a_relay_that_counts_for_itself_is_what_counts() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let counted =
        |bytes| Said::Relay { provider: cloudflare(), participant: Some(GUEST), bytes: ByteCount::new(bytes) };
    ledger.hear(NOVEMBER, counted(500), &["cloudflare"]);
    ledger.record_while_speaking(NOVEMBER, &[by(GUEST, report(LINK, "a", 1, 9_000))], "cloudflare");
    assert_eq!(ledger.month(NOVEMBER), total(500, 0), "whatever browsers say");
    // It falls silent: from then on browsers count, for what is new.
    ledger.record(NOVEMBER, &[by(GUEST, report(LINK, "a", 2, 9_100))], &[]).unwrap();
    assert_eq!(used(&mut ledger), 600);
    ledger.hear(NOVEMBER, counted(1_000), &["cloudflare"]);
    assert_eq!(used(&mut ledger), 1_600);
}

#[test]
fn a_relay_that_is_not_heard_is_estimated_and_what_it_says_of_that_counts_once() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let recorded = ledger.record_while_speaking(NOVEMBER, &[by(GUEST, report(LINK, "a", 1, 9_000))], "cloudflare");
    let bytes = ByteCount::new(9_000);
    let held = Held { provider: cloudflare(), participant: GUEST, session: Some(HOST), connection: LINK, bytes };
    assert_eq!((recorded.held, recorded.counted), (vec![held], vec![]));
    let recorded = ledger.hear(NOVEMBER, Said::Unheard { provider: cloudflare(), participant: GUEST, bytes }, &[]);
    let counted = Counted { provider: Some(cloudflare()), participant: Some(GUEST), session: Some(HOST), bytes };
    assert_eq!(recorded.counted, [counted]);
    assert_eq!(ledger.month(NOVEMBER), total(0, 9_000));
    let said = Said::Relay { provider: cloudflare(), participant: Some(GUEST), bytes: ByteCount::new(9_100) };
    let heard = [Heard { session: Some(HOST), said, known: bytes }];
    let batch = Batch { kept: &[], reports: &[], heard: &heard, endings: &[], speaking: &BTreeSet::new() };
    ledger.record_all(NOVEMBER, batch, &|_| Vec::new()).unwrap();
    assert_eq!(used(&mut ledger), 9_100);
}

#[test]
fn a_month_is_never_less_than_the_provider_says_whenever_it_says_so() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let says = |month, bytes| Said::Provider { provider: cloudflare(), month, bytes: ByteCount::new(bytes) };
    let (november, december) = (Month::of(NOVEMBER), Month::of(DECEMBER));
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 1, 1_000))], &[]).unwrap();
    for (said, used_then) in [(900, 1_000), (1_500, 1_500), (1_400, 1_400), (1_400, 1_400), (0, 1_000)] {
        ledger.hear(NOVEMBER, says(november, said), &[]);
        assert_eq!(used(&mut ledger), used_then, "the provider says {said}");
    }
    // What comes late, after the month has turned, belongs to the month that it is about.
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 2, 1_050))], &[]).unwrap();
    ledger.hear(DECEMBER, says(november, 7_000), &[]);
    ledger.hear(DECEMBER, says(december, 20), &[]);
    assert_eq!((ledger.month(NOVEMBER), ledger.month(DECEMBER)), (total(7_000, 0), total(50, 0)));
    assert_eq!(used(&mut ledger), 7_050);
    // What browsers report of it afterwards is what the provider had said already.
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 3, 1_060))], &[]).unwrap();
    assert_eq!(ledger.month(DECEMBER), total(60, 0));
}

#[test]
fn a_clock_that_is_set_back_books_where_it_stands() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(DECEMBER, &[by(HOST, report(LINK, "a", 1, 100))], &[]).unwrap();
    ledger.record(NOVEMBER, &[by(HOST, report(LINK, "a", 2, 150))], &[]).unwrap();
    assert_eq!((ledger.month(NOVEMBER), ledger.month(DECEMBER)), (total(50, 0), total(100, 0)));
    assert_eq!(used(&mut ledger), 150);
    // An hour back: the session began then, as its evidence says.
    ledger.record(UnixMillis(NOVEMBER.0 - 3_600_000), &[by(GUEST, report(LINK, "a", 1, 20))], &[]).unwrap();
    assert_eq!(used(&mut ledger), 170);
    // 2028-02-29T12:00:00Z.
    let leap_day = UnixMillis(1_835_438_400_000);
    ledger.record(leap_day, &[by(HOST, report(LINK, "a", 3, 157))], &[]).unwrap();
    assert_eq!(ledger.day(leap_day.0 / 86_400_000).unwrap().get(), 7);
    assert_eq!(ledger.month(leap_day), total(7, 0));
    assert_eq!(used(&mut ledger), 177);
}

#[test]
fn promises_are_kept_over_a_restart_for_as_long_as_they_last() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let promised = [(cloudflare(), ByteCount::new(5)), ("twilio".parse().unwrap(), ByteCount::ZERO)].into();
    ledger.promise(NOVEMBER, &promised).unwrap();
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    let after = |seconds| ledger.promises(NOVEMBER.plus(Duration::from_secs(seconds))).unwrap();
    assert_eq!(after(119), [(cloudflare(), ByteCount::new(5))]);
    assert_eq!(after(120), []);
}

#[test]
fn a_row_of_the_same_node_and_number_is_refused_and_no_sum_moves() {
    let dir = TempDir::new().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    ledger.record(NOVEMBER, &[by(GUEST, report(LINK, "a", 1, 1_000))], &[]).unwrap();
    let before = ledger.sums().unwrap();
    let again = "INSERT INTO evidence SELECT * FROM evidence WHERE node = 0 AND seq = 1";
    let refused = ledger.database.execute(again, []).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation));
    // Another of that number, which says more, is none of it either.
    let more = "INSERT INTO evidence (node, seq, at_ms, day, kind, bytes, counted) SELECT node, seq, at_ms, day, kind, 9000, 9000 FROM evidence";
    assert!(ledger.database.execute(more, []).is_err());
    assert_eq!(ledger.sums().unwrap(), before);
    ledger.rebuild().unwrap();
    assert_eq!(ledger.sums().unwrap(), before);

    // A report that comes where its number is taken, as by somebody else who writes, leaves nothing of itself.
    let trigger = "CREATE TRIGGER taken BEFORE INSERT ON evidence WHEN new.seq = 3 AND new.bytes = 500
        BEGIN INSERT INTO evidence SELECT 0, 3, at_ms, day, kind, 1, 0, provider, session, participant, connection FROM evidence WHERE seq = 1; END";
    ledger.database.execute_batch(trigger).unwrap();
    let two = [by(GUEST, report(LINK, "a", 2, 2_000)), by(GUEST, report(LINK, "a", 3, 2_500))];
    assert!(ledger.record(NOVEMBER, &two, &[]).is_err());
    assert_eq!(ledger.sums().unwrap(), before, "of what was written together with it neither");
    ledger.database.execute_batch("DROP TRIGGER taken").unwrap();
    ledger.record(NOVEMBER, &two, &[]).unwrap();
    assert_eq!(ledger.month(NOVEMBER).used, ByteCount::new(2_500));
}
