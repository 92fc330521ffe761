//! The face as the rest of the server uses it, with a clock moved by hand.

mod limits;

use super::ledger::tests::report;
use super::*;
use crate::domain::UnixMillis;
use crate::protocol::BandwidthState;
use crate::server::clock::ClockHand;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

const HOST: ParticipantId = ParticipantId::from_random(1);
const GUEST: ParticipantId = ParticipantId::from_random(2);
const LINK: ConnectionId = ConnectionId::from_random(7);
/// One minute before 2026-12-01T00:00:00Z.
const LAST_MINUTE: UnixMillis = UnixMillis(1_796_083_140_000);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn open(dir: &TempDir, limit: &str) -> (Usage, ClockHand) {
    let (clock, hand) = Clock::by_hand(LAST_MINUTE);
    (Usage::open(dir.path(), ByteCount::parse_gb(limit).unwrap(), clock).unwrap(), hand)
}

fn report_and_wait(usage: &Usage, participant: ParticipantId, sequence: u64, received: u64) {
    let (acknowledged, answer) = mpsc::channel();
    usage.report(participant, report(LINK, "a", sequence, received), move || {
        acknowledged.send(()).unwrap();
    });
    answer.recv_timeout(PATIENCE).expect("the report is acknowledged");
}

async fn until(usage: &Usage, what: impl Fn(&BandwidthStatus) -> bool) -> BandwidthStatus {
    let waiting = async {
        while !what(&usage.status()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "still {:?}", usage.status());
    usage.status()
}

#[tokio::test]
async fn an_acknowledged_report_is_counted_and_survives_a_restart() {
    let dir = TempDir::new().unwrap();
    let (usage, _hand) = open(&dir, "1000");
    usage.opened(LINK, HOST, GUEST);
    report_and_wait(&usage, HOST, 1, 10_000_000);
    report_and_wait(&usage, GUEST, 1, 5_000_000);
    let status = usage.status();
    assert_eq!((status.bandwidth_used_bytes, status.active_connections), (15_000_000, 1));
    assert_eq!(status.reset_date, "2026-12-01T00:00:00.000Z");
    usage.close().await;

    let (usage, _hand) = open(&dir, "1000");
    assert_eq!((usage.status().bandwidth_used_bytes, usage.status().active_connections), (15_000_000, 1));
    report_and_wait(&usage, HOST, 1, 10_000_000);
    report_and_wait(&usage, HOST, 2, 11_000_000);
    assert_eq!(usage.status().bandwidth_used_bytes, 16_000_000);
    usage.close().await;
}

fn check_and_wait(usage: &Usage, check: ConnectionId, reports: Vec<UsageReport>) {
    let (acknowledged, answer) = mpsc::channel();
    let taken = usage.report_check(CheckUsage { check, reports }, move || acknowledged.send(()).unwrap());
    taken.unwrap();
    answer.recv_timeout(PATIENCE).expect("the report is acknowledged");
}

#[tokio::test]
async fn a_check_counts_both_its_ends_once_and_no_more_than_its_bound() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let check = usage.begin_check();
    let ends =
        |sequence, bytes| [1, 2].map(|end| report(ConnectionId::from_random(end), "CP1", sequence, bytes)).to_vec();
    check_and_wait(&usage, check, ends(1, 400_000));
    check_and_wait(&usage, check, ends(1, 400_000));
    check_and_wait(&usage, check, ends(2, 500_000));
    assert_eq!((usage.status().bandwidth_used_bytes, usage.status().active_connections), (1_000_000, 0));
    hand.advance(Duration::from_secs(30));
    check_and_wait(&usage, check, ends(3, 1_000_000_000));
    assert_eq!(usage.status().bandwidth_used_bytes, 6_000_000);

    let foreign = CheckUsage { check: LINK, reports: ends(1, 1_000) };
    assert_eq!(usage.report_check(foreign, || ()), Err(UnknownCheck));
    usage.close().await;
}

#[tokio::test]
async fn the_limit_is_told_when_reached_and_lifted_when_the_month_turns() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "0.02");
    let mut changes = usage.stage_changes();
    assert_eq!((usage.limit_reached(), *changes.borrow_and_update()), (None, RelayStage::Plenty));
    report_and_wait(&usage, HOST, 1, 19_999_999);
    assert_eq!((usage.limit_reached(), *changes.borrow_and_update()), (None, RelayStage::DirectOnly));
    report_and_wait(&usage, HOST, 2, 20_000_001);
    let (used, limit) = (ByteCount::new(20_000_001), ByteCount::new(20_000_000));
    assert_eq!(usage.limit_reached(), Some(LimitReached { used, limit }));
    assert_eq!((changes.has_changed().unwrap(), *changes.borrow_and_update()), (true, RelayStage::Over));
    assert_eq!(usage.status().status, BandwidthState::LimitExceeded);

    hand.advance(Duration::from_mins(1));
    assert_eq!((usage.limit_reached(), usage.status().bandwidth_used_bytes), (None, 0));
    assert_eq!(usage.status().reset_date, "2027-01-01T00:00:00.000Z");
    tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    assert_eq!(*changes.borrow(), RelayStage::Plenty);

    // Back into November, as when a clock is put right: what was used then is still known.
    hand.set_wall(LAST_MINUTE);
    assert_eq!(usage.status().bandwidth_used_bytes, 20_000_001);
    usage.close().await;
    let (usage, _hand) = open(&dir, "0.02");
    assert_eq!(*usage.stage_changes().borrow(), RelayStage::Over);
    usage.close().await;
}

#[tokio::test]
async fn a_connection_that_nobody_reported_on_is_estimated() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    usage.opened(LINK, HOST, GUEST);
    hand.advance(Duration::from_secs(8));
    usage.alive(LINK);
    hand.advance(Duration::from_secs(30));
    usage.closed(LINK);
    assert_eq!((usage.status().active_connections, usage.status().bandwidth_used_bytes), (0, 0));
    hand.advance(connections::LINGER);
    let status = until(&usage, |status| status.bandwidth_used_bytes > 0).await;
    assert_eq!((status.bandwidth_used_bytes, status.bandwidth_estimated_bytes), (2_000_000, 2_000_000));
    usage.close().await;
}

#[tokio::test]
async fn closing_writes_what_lingers_and_refuses_what_comes_later() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    usage.opened(LINK, HOST, GUEST);
    hand.advance(Duration::from_secs(4));
    usage.alive(LINK);
    usage.closed(LINK);
    let clone = usage.clone();
    usage.close().await;
    assert_eq!(clone.status().bandwidth_estimated_bytes, 1_000_000);
    clone.report(HOST, report(LINK, "a", 1, 5), || panic!("nothing is acknowledged that is not written"));
    clone.close().await;
    let (usage, _hand) = open(&dir, "1000");
    assert_eq!(usage.status().bandwidth_used_bytes, 1_000_000);
    usage.close().await;
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_not_acknowledged_until_it_is_sent_again() {
    let dir = TempDir::new().unwrap();
    let (usage, _hand) = open(&dir, "1000");
    let database = rusqlite::Connection::open(dir.path().join("usage.db")).unwrap();
    database.execute_batch("ALTER TABLE pair RENAME TO gone").unwrap();
    let (acknowledged, answer) = mpsc::channel::<()>();
    usage.report(HOST, report(LINK, "a", 1, 5), move || acknowledged.send(()).unwrap());
    // The sender goes away unused.
    assert_eq!(answer.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
    assert_eq!(usage.status().bandwidth_used_bytes, 0);
    database.execute_batch("ALTER TABLE gone RENAME TO pair").unwrap();
    report_and_wait(&usage, HOST, 1, 5);
    assert_eq!(usage.status().bandwidth_used_bytes, 5);
    usage.close().await;
}

/// A ledger whose disk takes everything but reports.
fn refuse_reports(dir: &TempDir) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(dir.path().join("usage.db")).unwrap();
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON pair BEGIN SELECT RAISE(ABORT, 'full'); END";
    database.execute_batch(trigger).unwrap();
    database
}

fn report_in_vain(usage: &Usage) {
    let (acknowledged, answer) = mpsc::channel::<()>();
    usage.report(HOST, report(LINK, "a", 1, 5), move || acknowledged.send(()).unwrap());
    assert_eq!(answer.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[tokio::test]
async fn a_silent_connection_is_not_estimated_where_the_relays_of_both_ends_count_for_themselves() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let (built_in, coturn): (ProviderName, ProviderName) = ("relay".parse().unwrap(), "coturn".parse().unwrap());
    usage.relays_here(built_in.clone());
    for end in [HOST, GUEST] {
        usage.lease(&built_in, &Asker::participant(end, HOST, 1), &Arc::default()).unwrap();
    }
    let silence = async |usage: &Usage| {
        usage.opened(LINK, HOST, GUEST);
        hand.advance(Duration::from_secs(4));
        usage.alive(LINK);
        usage.closed(LINK);
        hand.advance(connections::LINGER);
        until(usage, |status| status.active_connections == 0 && usage.open_connections().is_empty()).await
    };
    assert_eq!(silence(&usage).await.bandwidth_used_bytes, 0);
    // Of what went over a relay that says nothing nobody knows.
    usage.lease(&coturn, &Asker::participant(GUEST, HOST, 1), &Arc::default()).unwrap();
    silence(&usage).await;
    until(&usage, |status| status.bandwidth_used_bytes == 1_000_000).await;
    usage.close().await;
}

#[tokio::test]
async fn a_relay_that_is_cut_off_is_counted_by_browsers_until_it_is_heard_and_no_byte_twice() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let relay: ProviderName = "cloudflare".parse().unwrap();
    let tell = |bytes: u64| {
        let bytes = ByteCount::new(bytes);
        usage.hear(Said::Relay { provider: relay.clone(), participant: Some(GUEST), bytes });
    };
    let used = async |bytes| until(&usage, |status| status.bandwidth_used_bytes == bytes).await;
    usage.hear(Said::Speaks { provider: relay.clone(), speaks: true });
    usage.opened(LINK, HOST, GUEST);
    tell(1_000);
    used(1_000).await;
    report_and_wait(&usage, GUEST, 1, 20_000_000);
    assert_eq!((usage.status().bandwidth_used_bytes, usage.silent_for(&relay)), (1_000, None));
    // Nothing is heard of what must have been said by now.
    hand.advance(Duration::from_secs(31));
    assert_eq!(used(20_001_000).await.bandwidth_estimated_bytes, 20_000_000);
    assert_eq!(usage.silent_for(&relay), Some((Duration::from_secs(31), false)));
    hand.advance(Duration::from_secs(20));
    assert_eq!(usage.has_room(&relay, &Asker::participant(GUEST, HOST, 1)), Ok(()), "or it would never be heard again");
    report_and_wait(&usage, GUEST, 2, 21_000_000);
    used(21_001_000).await;
    // It is heard: what it carried meanwhile, and a little that no browser sees.
    tell(21_050_000);
    used(21_051_000).await;
    assert_eq!(usage.silent_for(&relay), None);
    report_and_wait(&usage, GUEST, 3, 30_000_000);
    tell(7);
    used(21_051_007).await;
    usage.close().await;
    let (usage, _hand) = open(&dir, "1000");
    assert_eq!(usage.status().bandwidth_used_bytes, 21_051_007);
    usage.close().await;
}

#[tokio::test]
async fn what_is_promised_is_given_back_when_the_way_is_direct_or_over() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let coturn: ProviderName = "coturn".parse().unwrap();
    for end in [HOST, GUEST] {
        usage.lease(&coturn, &Asker::participant(end, HOST, 1), &Arc::default()).unwrap();
    }
    let reserved = |usage: &Usage| usage.0.shared.cap().reserved();
    let promised = reserved(&usage);
    usage.opened(LINK, HOST, GUEST);
    let direct = UsageReport { path: crate::protocol::Path::Direct, pairs: Vec::new(), ..report(LINK, "a", 1, 0) };
    usage.report(HOST, direct, || ());
    until(&usage, |_| reserved(&usage).get() * 2 == promised.get()).await;
    usage.closed(LINK);
    hand.advance(connections::LINGER);
    until(&usage, |_| reserved(&usage) == ByteCount::ZERO).await;
    usage.close().await;
}

#[tokio::test]
async fn what_checks_relay_is_taken_from_the_share_of_strangers() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "0.02");
    let check = usage.begin_check();
    hand.advance(Duration::from_secs(30));
    // One part in twenty of 20 MB.
    check_and_wait(&usage, check, vec![report(ConnectionId::from_random(1), "CP1", 1, 1_000_000)]);
    let cloudflare: ProviderName = "cloudflare".parse().unwrap();
    assert_eq!(usage.has_room(&cloudflare, &Asker::stranger(1)), Err(NoRoom::Party));
    assert_eq!(usage.has_room(&cloudflare, &Asker::participant(GUEST, HOST, 1)), Ok(()));
    usage.close().await;
}

#[tokio::test]
async fn what_could_never_be_written_is_estimated() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let _full = refuse_reports(&dir);
    usage.opened(LINK, HOST, GUEST);
    hand.advance(Duration::from_secs(4));
    usage.alive(LINK);
    report_in_vain(&usage);
    usage.closed(LINK);
    hand.advance(connections::LINGER);
    let status = until(&usage, |status| status.bandwidth_used_bytes > 0).await;
    assert_eq!(status.bandwidth_estimated_bytes, 1_000_000);
    usage.close().await;
}

#[tokio::test]
async fn what_could_not_be_written_until_the_server_stopped_is_taken_by_the_next_one() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    let full = refuse_reports(&dir);
    usage.opened(LINK, HOST, GUEST);
    hand.advance(Duration::from_secs(4));
    usage.alive(LINK);
    // Together with a report that cannot be written nothing is, so the connection is written first.
    until_written(&dir);
    usage.report(HOST, report(LINK, "a", 1, 5), || panic!("nothing is acknowledged that is not written"));
    usage.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();

    let (usage, hand) = open(&dir, "1000");
    assert_eq!((usage.status().active_connections, usage.open_connections()), (1, vec![(LINK, HOST, GUEST)]));
    report_and_wait(&usage, HOST, 1, 5);
    usage.closed(LINK);
    hand.advance(connections::LINGER);
    usage.close().await;
    let (usage, _hand) = open(&dir, "1000");
    assert_eq!((usage.status().bandwidth_used_bytes, usage.open_connections()), (5, vec![]));
    usage.close().await;
}

/// Waits until the connection is on disk.
fn until_written(dir: &TempDir) {
    for _ in 0..2_000 {
        if !Ledger::open(dir.path()).unwrap().connections().unwrap().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never written");
}

#[tokio::test]
async fn who_reports_while_the_server_stops_plays_on_without_an_estimate() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open(&dir, "1000");
    usage.opened(LINK, HOST, GUEST);
    hand.advance(Duration::from_secs(4));
    usage.alive(LINK);
    // An end that says it is not connected, and names no pair, says all that there is to know.
    let never = UsageReport { path: crate::protocol::Path::NotConnected, pairs: Vec::new(), ..report(LINK, "a", 1, 0) };
    usage.report(HOST, never, || ());
    let clone = usage.clone();
    usage.close().await;
    assert_eq!((clone.status().bandwidth_used_bytes, clone.status().active_connections), (0, 1));
}

#[tokio::test]
async fn a_full_queue_refuses_without_blocking_and_takes_reports_again() {
    let dir = TempDir::new().unwrap();
    let (usage, _hand) = open(&dir, "1000");
    let (let_go, held) = mpsc::channel::<()>();
    let (holding, started) = mpsc::channel();
    usage.report(HOST, report(LINK, "a", 1, 1), move || {
        holding.send(()).unwrap();
        held.recv().unwrap();
    });
    started.recv_timeout(PATIENCE).unwrap();
    for sequence in 2..2 + 2 * QUEUE as u64 {
        usage.report(HOST, report(LINK, "a", sequence, sequence), || ());
    }
    assert_eq!(usage.0.refused.load(Ordering::Relaxed), QUEUE as u64);
    let_go.send(()).unwrap();
    until(&usage, |status| status.bandwidth_used_bytes == 1 + QUEUE as u64).await;
    report_and_wait(&usage, HOST, 10_000, 10_000);
    assert_eq!(usage.status().bandwidth_used_bytes, 10_000);
    usage.close().await;
}

#[tokio::test]
async fn a_connection_that_moves_is_counted_on_from_where_it_was() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let ((usage, _hand), (other, hand)) = (open(&here, "1000"), open(&there, "1000"));
    usage.opened(LINK, HOST, GUEST);
    report_and_wait(&usage, HOST, 1, 10_000_000);
    let marks = usage.marks(&[LINK, ConnectionId::from_random(99)]);
    assert_eq!(marks.len(), 1, "of nothing else is anything known");
    let marks: Vec<Marks> = serde_json::from_str(&serde_json::to_string(&marks).unwrap()).unwrap();
    usage.moved(&[LINK]);
    assert_eq!((usage.status().active_connections, usage.open_connections()), (0, vec![]));

    other.adopt(marks.clone());
    other.adopt(marks);
    assert_eq!(other.open_connections(), [(LINK, HOST, GUEST)]);
    // The page did not hear that its last report had arrived.
    report_and_wait(&other, HOST, 1, 10_000_000);
    report_and_wait(&other, HOST, 2, 12_000_000);
    report_and_wait(&other, GUEST, 1, 1_000_000);
    assert_eq!(other.status().bandwidth_used_bytes, 3_000_000);
    other.closed(LINK);
    hand.advance(Duration::from_secs(4));
    until(&other, |status| status.active_connections == 0).await;
    other.close().await;
    usage.close().await;
    let (usage, _hand) = open(&here, "1000");
    assert_eq!((usage.status().bandwidth_used_bytes, usage.open_connections()), (10_000_000, vec![]));
    usage.close().await;
}

const OTHER: &str = "00000000000000bb";

fn open_among_others(dir: &TempDir, limit: &str) -> (Usage, ClockHand) {
    let (clock, hand) = Clock::by_hand(LAST_MINUTE);
    (Usage::open_among_others(dir.path(), ByteCount::parse_gb(limit).unwrap(), clock).unwrap(), hand)
}

/// An answer that lends so much of the month, and in which another machine tells what it used.
fn answer(usage: &Usage, bound: u64, of_other: &[(Figure, u64)]) {
    let told = usage.tell(false).unwrap();
    let lent = |wish: &Wish| {
        let (bound, left) = (ByteCount::new(bound), ByteCount::new(GB));
        Lent { account: wish.account.clone(), bound, left }
    };
    let others = BTreeMap::from([(OTHER.parse().unwrap(), of_other.iter().cloned().collect())]);
    let lent = told.wishes.iter().map(lent).collect();
    usage.hear_others(Answer { month: told.month, lent, others, listens: true });
}

const GB: u64 = 1_000_000_000;

#[tokio::test]
async fn what_others_used_counts_here_and_is_known_after_a_restart_without_them() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open_among_others(&dir, "1");
    let cloudflare: ProviderName = "cloudflare".parse().unwrap();
    let of = Some(cloudflare.clone());
    report_and_wait(&usage, HOST, 1, 10_000_000);
    let (day, said) = (LAST_MINUTE.0 / 86_400_000, Figure::Said(cloudflare.clone()));
    answer(
        &usage,
        GB / 2,
        &[
            (Figure::Told, 7),
            (Figure::Counted(of.clone()), 720_000_000),
            (said, 735_000_000),
            (Figure::OfDay(day - 1, of.clone()), 720_000_000),
            (Figure::Reserved, 5),
        ],
    );
    let of_all = |usage: &Usage| (usage.status().bandwidth_used_bytes, usage.relayed_by(&cloudflare).get());
    // What the provider says is of both, and more than both counted.
    assert_eq!(of_all(&usage), (735_000_000, 735_000_000));
    assert_eq!((usage.status().bandwidth_reserved_bytes, usage.counted_here().get()), (5, 10_000_000));
    assert_eq!(*usage.stage_changes().borrow(), RelayStage::Warned);
    hand.advance(Duration::from_secs(6));
    assert!(usage.unheard_for().is_some());
    usage.close().await;

    let (usage, _hand) = open_among_others(&dir, "1");
    assert_eq!(of_all(&usage), (735_000_000, 735_000_000));
    usage.close().await;
    let books = Books::new(dir.path());
    let month = Month::of(LAST_MINUTE);
    assert_eq!(
        books.providers(month).unwrap()[&of],
        ProviderMonth { counted: 730_000_000, estimated: 0, said: Some(735_000_000) }
    );
    assert_eq!(books.by_day(month).unwrap()[&of][28..], [720_000_000, 10_000_000]);
    // One machine alone knows of itself.
    let (usage, _hand) = open(&dir, "1");
    assert_eq!((of_all(&usage), usage.unheard_for(), usage.lent_here()), ((10_000_000, 10_000_000), None, None));
    assert!(usage.tell(true).is_none());
    usage.close().await;
}

#[tokio::test]
async fn nothing_is_promised_that_was_not_lent_and_promises_outlive_the_month_and_a_crash() {
    let dir = TempDir::new().unwrap();
    let (usage, hand) = open_among_others(&dir, "100");
    let coturn: ProviderName = "coturn".parse().unwrap();
    let asker = |number| Asker::participant(ParticipantId::from_random(number), HOST, 1);
    assert_eq!(usage.lease(&coturn, &asker(1), &Arc::default()), Err(NoRoom::Elsewhere), "nobody was asked yet");
    answer(&usage, 100_000_000, &[]);
    usage.lease(&coturn, &asker(1), &Arc::default()).unwrap();
    let promised = usage.status().bandwidth_reserved_bytes;
    assert!((1..=100_000_000).contains(&promised), "{promised}");
    assert_eq!(usage.lent_here().map(ByteCount::get), Some(100_000_000 - promised));
    // The month turns: what is promised is kept, and nothing beside it.
    hand.advance(Duration::from_secs(61));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while usage.lent_here() != Some(ByteCount::ZERO) {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", usage.lent_here());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(usage.lease(&coturn, &asker(2), &Arc::default()), Err(NoRoom::Promised));
    assert!(usage.tell(false).unwrap().wishes[0].held.get() == promised);
    // Given up altogether, since nobody was heard.
    usage.lapse();
    assert_eq!(
        (usage.status().bandwidth_reserved_bytes, usage.lease(&coturn, &asker(2), &Arc::default())),
        (0, Err(NoRoom::Elsewhere))
    );
    usage.close().await;
}
