//! `kill -9` at any moment: what was acknowledged is on disk, and sending everything again gives the exact sum.
//!
//! The test starts itself as a child that reports through [`Usage`], tells what relays say beside it, and writes each
//! acknowledgement to its output, and kills it while it writes. What a relay says is acknowledged to nobody and said once: it is
//! on disk with the report that follows it, whole or not at all.

use super::ledger::tests::{report, sums};
use super::ledger::{Ledger, Reported};
use super::*;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use tempfile::TempDir;

const DIR: &str = "TESSRO_TEST_CRASH_DIR";
const FIRST: &str = "TESSRO_TEST_CRASH_FIRST";
/// Set to what a failed run printed, it is killed after as many reports and as long again.
const SEED: &str = "TESSRO_TEST_CRASH_SEED";
const PARTICIPANTS: u64 = 3;
const PER_ROUND: u64 = 100_000;
/// Reports that wait for their acknowledgement at once.
const IN_FLIGHT: usize = 40;

/// How often it is killed: with every commit, and in `script/test crash`.
fn rounds() -> u64 {
    if std::env::var_os("TESSRO_AT_LENGTH").is_some() { 200 } else { 8 }
}

fn nth(participant: u64, sequence: u64) -> (ParticipantId, UsageReport) {
    let connection = ConnectionId::from_random(participant);
    let pair = if sequence.is_multiple_of(2) { "even" } else { "odd" };
    (ParticipantId::from_random(participant), report(connection, pair, sequence, sequence * 1_000))
}

/// Whose relay the participant also runs on: it counts for itself.
fn relay_of(participant: u64) -> &'static str {
    if participant.is_multiple_of(2) { "relay" } else { "coturn" }
}

/// What that relay says before the report of this number. No two words of one participant are alike, and all of them together are
/// no more than a line carries in that time: beyond it what browsers say would not be believed.
fn word(participant: u64, sequence: u64) -> Said {
    Said::Relay {
        provider: relay_of(participant).parse().unwrap(),
        participant: Some(ParticipantId::from_random(participant)),
        bytes: ByteCount::new(sequence),
    }
}

/// Nothing by itself; the child process of the test below.
#[test]
fn a_child_that_reports_until_it_is_killed() {
    let (Ok(dir), Ok(first)) = (std::env::var(DIR), std::env::var(FIRST)) else {
        return;
    };
    let first: u64 = first.parse().unwrap();
    let usage = Usage::open(Path::new(&dir), ByteCount::new(1), Clock::system()).unwrap();
    let (room, rooms) = mpsc::sync_channel(IN_FLIGHT);
    for _ in 0..IN_FLIGHT {
        room.send(()).unwrap();
    }
    for sequence in first..first + PER_ROUND {
        for participant in 0..PARTICIPANTS {
            rooms.recv().unwrap();
            let room = room.clone();
            usage.hear(word(participant, sequence));
            let (by, report) = nth(participant, sequence);
            usage.report(by, report, move || {
                writeln!(std::io::stdout(), "acknowledged {participant} {sequence}").unwrap();
                room.send(()).unwrap();
            });
        }
    }
}

/// Runs the child until it has acknowledged `enough` reports, or has begun where that is none, and so much longer; the highest
/// acknowledged sequence number of each participant.
fn run_and_kill(dir: &Path, first: u64, enough: u64, longer: Duration) -> BTreeMap<u64, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::usage::crash_tests::a_child_that_reports_until_it_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut highest = BTreeMap::new();
    let mut seen = 0;
    let mut line = String::new();
    // Whatever the child wrote before its end is read to the end.
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some((_, words)) = line.split_once("acknowledged ") {
            let mut numbers = words.split_whitespace().map(str::parse::<u64>);
            if let (Some(Ok(participant)), Some(Ok(sequence)), true) =
                (numbers.next(), numbers.next(), line.ends_with('\n'))
            {
                highest.insert(participant, sequence);
                seen += 1;
            }
        }
        if seen == enough {
            std::thread::sleep(longer);
            child.kill().unwrap();
            seen += 1;
        }
        line.clear();
    }
    child.wait().unwrap();
    assert!(seen > enough, "the child ended by itself after {seen} reports");
    highest
}

#[test]
fn after_kill_9_the_total_is_what_was_acknowledged() {
    let seed: u64 = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    eprintln!("{SEED}={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let dir = TempDir::new().unwrap();
    let mut first = 1;
    // What relays are known to have said of each participant.
    let mut relayed = BTreeMap::<u64, u64>::new();
    for round in 0..rounds() {
        let (enough, longer) = (random.random_range(0..700), Duration::from_micros(random.random_range(0..10_000)));
        let run = format!("round {round} of {SEED}={seed}");
        let acknowledged = run_and_kill(dir.path(), first, enough, longer);
        let last = |by: u64| acknowledged.get(&by).copied().unwrap_or(first - 1);
        let mut ledger = Ledger::open(dir.path()).unwrap();
        for by in 0..PARTICIPANTS {
            let (before, now) = (relayed.get(&by).copied().unwrap_or_default(), said_by_a_relay(dir.path(), by));
            // Each word that was said before an acknowledgement, and of the others as many as came before the end, from the first on.
            let mut ends = (last(by)..=last(by) + IN_FLIGHT as u64).map(|end| before + words(first, end));
            assert!(ends.any(|end| end == now), "{run}: {by} had {before}, {first} to {} are due: {now}", last(by));
            relayed.insert(by, now);
        }
        let by_relays: u64 = relayed.values().sum();
        let written = used(&mut ledger) - by_relays;
        let promised: u64 = (0..PARTICIPANTS).map(|by| due(last(by))).sum();
        // Not acknowledged, but written: at most what was in flight, at the two pairs' largest steps.
        let sent: u64 = (0..PARTICIPANTS).map(|by| due(last(by) + IN_FLIGHT as u64)).sum();
        assert!((promised..=sent).contains(&written), "{run}: {promised} <= {written} <= {sent}");

        first = acknowledged.values().copied().max().unwrap_or(first - 1) + IN_FLIGHT as u64 + 1;
        let again: Vec<_> = (first.saturating_sub(1_000).max(1)..first)
            .flat_map(|sequence| (0..PARTICIPANTS).map(move |participant| nth(participant, sequence)))
            .map(|(participant, report)| Reported {
                participant,
                other: None,
                session: None,
                open_for: None,
                at_most: None,
                foreign: BTreeSet::new(),
                report,
            })
            .collect();
        for _ in 0..2 {
            ledger.record(Clock::system().wall(), &again, &[]).unwrap();
            assert_eq!(used(&mut ledger), PARTICIPANTS * due(first - 1) + by_relays, "{run}");
        }
    }
}

/// The sum of a relay's words from one number to another, both among them; nothing where the second is before the first.
fn words(first: u64, last: u64) -> u64 {
    (first..=last).sum()
}

/// What the books have of a participant by the words of their relay.
fn said_by_a_relay(dir: &Path, participant: u64) -> u64 {
    let database = rusqlite::Connection::open(dir.join("usage.db")).unwrap();
    let sum =
        "SELECT coalesce(sum(counted), 0) FROM evidence WHERE kind = 'relay' AND provider = ?1 AND participant = ?2";
    let whose = [relay_of(participant).to_owned(), ParticipantId::from_random(participant).to_string()];
    let said: i64 = database.query_row(sum, whose, |row| row.get(0)).unwrap();
    u64::try_from(said).unwrap()
}

/// What one participant's two pairs bill once report `sequence` is written.
fn due(sequence: u64) -> u64 {
    (sequence + sequence.saturating_sub(1)) * 1_000
}

fn used(ledger: &mut Ledger) -> u64 {
    sums(ledger).values().map(|total| total.used.get()).sum()
}
