//! What is read of the sums, and how long that takes.

use super::super::ledger::tests::report;
use super::super::{Asker, Usage};
use super::*;
use crate::domain::{ByteCount, ConnectionId, UnixMillis};
use crate::server::clock::Clock;
use std::sync::Arc;
use tokio::time::Instant;

/// The tables of sums, as the ledger has them.
const SUMS: &str = "
    CREATE TABLE hour_total (hour INTEGER NOT NULL, provider TEXT NOT NULL, kind TEXT NOT NULL, bytes INTEGER NOT NULL,
        counted INTEGER NOT NULL, PRIMARY KEY (hour, provider, kind)) STRICT, WITHOUT ROWID;
    CREATE TABLE provider_total (month TEXT NOT NULL, provider TEXT NOT NULL, counted INTEGER NOT NULL,
        estimated INTEGER NOT NULL, said INTEGER NOT NULL, PRIMARY KEY (month, provider)) STRICT, WITHOUT ROWID;
    CREATE TABLE session_total (month TEXT NOT NULL, session TEXT NOT NULL, provider TEXT NOT NULL,
        counted INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        PRIMARY KEY (month, session, provider)) STRICT, WITHOUT ROWID;
    CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE other_node (month TEXT NOT NULL, node TEXT NOT NULL, figure TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (month, node, figure)) STRICT, WITHOUT ROWID;
    INSERT INTO node VALUES (0, 'here');";

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn name(text: &str) -> Option<ProviderName> {
    text.parse().ok()
}

fn session(bits: u64) -> ParticipantId {
    ParticipantId::from_random(bits)
}

fn books(fill: impl FnOnce(&Connection)) -> (tempfile::TempDir, Books) {
    let data = tempfile::tempdir().unwrap();
    let file = Connection::open(data.path().join(FILE)).unwrap();
    file.pragma_update(None, "journal_mode", "WAL").unwrap();
    file.execute_batch(SUMS).unwrap();
    fill(&file);
    let books = Books::new(data.path());
    (data, books)
}

fn hour(file: &Connection, hour: u64, provider: &str, kind: &str, counted: u64) {
    let sql = "INSERT INTO hour_total VALUES (?1, ?2, ?3, ?4, ?4)";
    file.execute(sql, params![stored(hour), provider, kind, stored(counted)]).unwrap();
}

#[test]
fn a_month_is_read_by_day_and_a_day_by_hour() {
    let november = hours(month("2026-11")).0;
    let (_data, books) = books(|file| {
        hour(file, november - 1, "coturn", "relay", 1_000_000);
        hour(file, november, "coturn", "relay", 5);
        hour(file, november + 1, "coturn", "browser", 7);
        hour(file, november + 23, "", "estimate", 11);
        hour(file, november + 24, "cloudflare:eu", "browser", 13);
        hour(file, november + 30 * 24 - 1, "coturn", "relay", 17);
        hour(file, november + 30 * 24, "coturn", "relay", 1_000_000);
    });
    let days = books.by_day(month("2026-11")).unwrap();
    assert_eq!(days.len(), 3);
    let coturn = &days[&name("coturn")];
    assert_eq!((coturn.len(), coturn[0], coturn[29]), (30, 12, 17));
    assert_eq!((days[&None][0], days[&name("cloudflare:eu")][1]), (11, 13));
    let hours = books.by_hour(month("2026-11"), 1).unwrap();
    assert_eq!((hours[&name("coturn")][0], hours[&name("coturn")][1], hours[&None][23]), (5, 7, 11));
    assert_eq!(books.by_hour(month("2026-11"), 0).unwrap(), hours);
}

#[test]
fn a_leap_february_has_its_last_day_and_december_ends_with_the_year() {
    let (_data, books) = books(|file| {
        hour(file, hours(month("2028-03")).0 - 1, "coturn", "relay", 1);
        hour(file, hours(month("2027-01")).0 - 1, "coturn", "relay", 2);
    });
    assert_eq!(books.by_day(month("2028-02")).unwrap()[&name("coturn")][28], 1);
    assert_eq!(books.by_day(month("2026-12")).unwrap()[&name("coturn")][30], 2);
    assert_eq!(books.by_hour(month("2028-02"), 29).unwrap()[&name("coturn")][23], 1);
}

#[test]
fn drift_is_ours_beside_what_the_provider_says() {
    let (_data, books) = books(|file| {
        file.execute_batch(
            "INSERT INTO provider_total VALUES ('2026-11', 'cloudflare', 90, 10, 120), ('2026-11', '', 0, 5, 0),
                 ('2026-11', 'coturn', 7, 0, 0), ('2026-10', 'coturn', 99, 0, 0);",
        )
        .unwrap();
    });
    let providers = books.providers(month("2026-11")).unwrap();
    assert_eq!(providers[&name("cloudflare")], ProviderMonth { counted: 90, estimated: 10, said: Some(120) });
    assert_eq!(providers[&name("coturn")], ProviderMonth { counted: 7, estimated: 0, said: None });
    assert_eq!(providers[&None].estimated, 5);
    assert_eq!(providers.len(), 3);
}

#[test]
fn the_sessions_that_used_the_most_come_first() {
    let (_data, books) = books(|file| {
        for (bits, provider, counted) in [(1, "coturn", 5), (2, "coturn", 4), (2, "twilio", 4), (3, "coturn", 1)] {
            let sql = "INSERT INTO session_total VALUES ('2026-11', ?1, ?2, ?3, 0, 0)";
            file.execute(sql, params![session(bits).to_string(), provider, counted]).unwrap();
        }
    });
    let (largest, count) = books.sessions(month("2026-11"), 2).unwrap();
    assert_eq!(count, 3);
    assert_eq!(
        largest.iter().map(|one| (one.session, one.total())).collect::<Vec<_>>(),
        [(session(2), 8), (session(1), 5)]
    );
    assert_eq!(largest[0].counted, [(name("coturn"), 4), (name("twilio"), 4)]);
    let of = books.of_sessions(month("2026-11"), &[session(3), session(9)]).unwrap();
    assert_eq!(of.iter().map(SessionMonth::total).collect::<Vec<_>>(), [1]);
    assert_eq!(books.sessions(month("2026-10"), 2).unwrap(), (vec![], 0));
}

#[tokio::test]
async fn the_sums_are_those_that_the_ledger_writes() {
    let data = tempfile::tempdir().unwrap();
    let (clock, _hand) = Clock::by_hand(UnixMillis(hours(month("2026-11")).0 * HOUR_MS + 30 * 3_600_000));
    let usage = Usage::open(data.path(), ByteCount::new(1_000_000_000), clock).unwrap();
    let report = report(ConnectionId::from_random(1), "a", 1, 1_000_000);
    let provider = report.pairs[0].provider.clone();
    usage.lease(&provider, &Asker::participant(session(1), session(1), 1), &Arc::default()).unwrap();
    let (tell, hear) = tokio::sync::oneshot::channel();
    usage.report(session(1), report, move || tell.send(()).unwrap());
    hear.await.unwrap();
    let used = usage.status().bandwidth_used_bytes;
    assert!(used >= 1_000_000);
    let books = Books::new(data.path());
    assert_eq!(books.by_day(month("2026-11")).unwrap()[&Some(provider.clone())][1], used);
    assert_eq!(books.by_hour(month("2026-11"), 2).unwrap()[&Some(provider.clone())][6], used);
    assert_eq!(books.providers(month("2026-11")).unwrap()[&Some(provider)].counted, used);
    assert!(books.sessions(month("2026-11"), 5).is_ok());
    usage.close().await;
}

#[test]
fn without_books_it_says_so_and_reads_them_once_they_are_there() {
    let data = tempfile::tempdir().unwrap();
    let books = Books::new(data.path());
    assert!(books.by_day(month("2026-11")).is_err());
    assert!(!data.path().join(FILE).exists(), "and creates nothing");
    let file = Connection::open(data.path().join(FILE)).unwrap();
    assert!(books.by_day(month("2026-11")).is_err(), "no tables");
    file.execute_batch(SUMS).unwrap();
    assert_eq!(books.by_day(month("2026-11")).unwrap(), Slots::new());
}

#[test]
fn a_busy_month_is_read_in_a_moment_however_much_evidence_there_is() {
    const SESSIONS: u64 = 20_000;
    let november = hours(month("2026-11")).0;
    let (_data, books) = books(|file| {
        file.execute_batch("BEGIN").unwrap();
        for at in 0..30 * 24 {
            for provider in ["cloudflare", "twilio", "xirsys", "metered", "coturn", "static", "relay"] {
                for kind in ["browser", "other_end", "relay", "provider", "estimate"] {
                    hour(file, november + at, provider, kind, at + 1);
                }
            }
        }
        let mut add = file.prepare("INSERT INTO session_total VALUES ('2026-11', ?1, 'coturn', ?2, 0, 0)").unwrap();
        for bits in 0..SESSIONS {
            add.execute(params![session(bits).to_string(), stored(bits)]).unwrap();
        }
        file.execute_batch("COMMIT").unwrap();
    });
    let began = Instant::now();
    assert_eq!(books.by_day(month("2026-11")).unwrap().len(), 7);
    assert_eq!(books.by_hour(month("2026-11"), 21).unwrap().len(), 7);
    let (largest, count) = books.sessions(month("2026-11"), 50).unwrap();
    assert_eq!((largest.len(), largest[0].total(), count), (50, SESSIONS - 1, SESSIONS));
    // Far more than it takes, so that a machine with much else to do passes.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
