//! The books after any history: reports in any order and number, restarts, and a log cut at any byte.

use super::super::bounds::{believable, believable_of_all};
use super::tests::{DECEMBER, GUEST, HOST, LINK, NOVEMBER, by, report, used};
use super::*;
use crate::domain::ConnectionId;
use crate::protocol::OtherEndCounters;
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

#[derive(Debug, Clone)]
struct Step {
    end: u8,
    pair: u8,
    sequence: u64,
}

impl Step {
    fn reported(&self) -> Reported {
        let end = if self.end == 0 { HOST } else { GUEST };
        by(end, report(LINK, &self.pair.to_string(), self.sequence, self.sequence * 1_000))
    }
}

fn batches() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (0..2_u8, 0..3_u8, 1..50_u64).prop_map(|(end, pair, sequence)| Step { end, pair, sequence });
    prop::collection::vec(prop::collection::vec(step, 0..6), 1..8)
}

fn expected(batches: &[Vec<Step>]) -> u64 {
    let mut highest = BTreeMap::<(u8, u8), u64>::new();
    for step in batches.iter().flatten() {
        let known = highest.entry((step.end, step.pair)).or_default();
        *known = step.sequence.max(*known);
    }
    highest.values().map(|sequence| sequence * 1_000).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The machine stops at any moment: whatever part of the log reached the disk is a state between two batches, and
    /// sending everything again gives exactly what was used.
    #[test]
    fn a_log_cut_at_any_byte_is_a_whole_number_of_batches(batches in batches(), cut: Index, restart: bool) {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        if restart {
            // The schema is then in the file itself and the log begins empty.
            drop(ledger);
            ledger = Ledger::open(dir.path()).unwrap();
        }
        let mut committed = vec![0];
        let mut lengths = Vec::new();
        let log_path = dir.path().join("usage.db-wal");
        for (index, batch) in batches.iter().enumerate() {
            let reports: Vec<_> = batch.iter().map(Step::reported).collect();
            ledger.record(NOVEMBER, &reports, &[]).unwrap();
            committed.push(expected(&batches[..=index]));
            lengths.push(std::fs::metadata(&log_path).unwrap().len());
        }
        let log = std::fs::read(&log_path).unwrap();
        let cut = cut.index(log.len() + 1);

        let crashed = TempDir::new().unwrap();
        std::fs::copy(dir.path().join(FILE), crashed.path().join(FILE)).unwrap();
        std::fs::write(crashed.path().join("usage.db-wal"), &log[..cut]).unwrap();
        let mut after = Ledger::open(crashed.path()).unwrap();
        let survived = lengths.iter().filter(|length| **length <= cut as u64).count();
        prop_assert_eq!(used(&mut after), committed[survived]);

        for batch in &batches {
            let again: Vec<_> = batch.iter().map(Step::reported).collect();
            after.record(DECEMBER, &again, &[]).unwrap();
        }
        prop_assert_eq!(used(&mut after), expected(&batches));
    }

    /// The pure model of the same: batches that fail or are repeated, restarts in between.
    #[test]
    fn what_was_written_is_the_sum_of_the_largest_counters(
        batches in batches(),
        order in prop::collection::vec((any::<Index>(), any::<bool>()), 0..12),
    ) {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        let mut written = Vec::new();
        for (index, restart) in order {
            let batch = &batches[index.index(batches.len())];
            let reports: Vec<_> = batch.iter().map(Step::reported).collect();
            let before = used(&mut ledger);
            ledger.record(NOVEMBER, &reports, &[]).unwrap();
            written.push(batch.clone());
            prop_assert!(used(&mut ledger) >= before);
            prop_assert_eq!(used(&mut ledger), expected(&written));
            if restart {
                drop(ledger);
                ledger = Ledger::open(dir.path()).unwrap();
            }
        }
    }

    /// Whoever holds both ends and makes up connections: new ones buy nothing, whichever end lies about which.
    #[test]
    fn made_up_connections_are_believed_as_far_as_the_time_of_whoever_made_them_up(
        waits in prop::collection::vec(0..3_000_u64, 8..40),
        claimed in 1_000_000..1_u64 << 53,
    ) {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        let mut at = NOVEMBER;
        for (number, wait) in (100..).zip(waits) {
            at = at.plus(Duration::from_millis(wait));
            let lie = |end| {
                let mut report = report(ConnectionId::from_random(number), "a", 1, claimed);
                let seen = OtherEndCounters { bytes_received: claimed, bytes_sent: claimed, packets_received: 1, packets_sent: 1 };
                report.other_end = Some(seen);
                by(end, report)
            };
            ledger.record(at, &[lie(HOST), lie(GUEST)], &[]).unwrap();
            prop_assert!(used(&mut ledger) <= 2 * believable_of_all(NOVEMBER.until(at)).get());
        }
    }

    /// A host whose relay carries seven guests' pictures at the ceiling, in a network in which every connection is made anew again and
    /// again and its last report comes when nobody knows it any more: every byte counts.
    #[test]
    fn of_honest_people_nothing_is_cut_however_often_they_connect(
        rates in prop::collection::vec(1..=1_000_u64, 1..=7),
        seconds_each in prop::collection::vec(1..60_u64, 1..20),
        every in 1..=5_u64,
    ) {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        let (mut at, mut relayed) = (NOVEMBER, 0);
        for (generation, lives) in (0..).zip(seconds_each) {
            let mut last = 0;
            for (sequence, second) in (1..).zip((every..lives).step_by(usize::try_from(every).unwrap()).chain([lives])) {
                at = at.plus(Duration::from_secs(second - last));
                last = second;
                let reports: Vec<_> = (0..).zip(&rates).map(|(guest, rate)| {
                    let connection = ConnectionId::from_random(1_000 + generation * 10 + guest);
                    by(HOST, report(connection, "a", sequence, rate * 1_000 * second))
                }).collect();
                let recorded = ledger.record(at, &reports, &[]).unwrap();
                prop_assert!(recorded.ignored.is_empty());
            }
            relayed += rates.iter().map(|rate| rate * 1_000 * lives).sum::<u64>();
            prop_assert_eq!(used(&mut ledger), relayed);
        }
    }

    /// Whatever one end claims, and however often: never more than its time allows, and saying it again adds nothing.
    #[test]
    fn claims_are_bounded_by_time_and_replays_add_nothing(
        claims in prop::collection::vec((0..4_u8, 1..20_u64, 0..1_u64 << 53, 0..20_000_u64), 1..12),
        restart: bool,
    ) {
        let dir = TempDir::new().unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        let mut at = NOVEMBER;
        for (pair, sequence, received, wait) in &claims {
            at = at.plus(Duration::from_millis(*wait));
            let claim = by(HOST, report(LINK, &pair.to_string(), *sequence, *received));
            ledger.record(at, &[claim.clone(), claim], &[]).unwrap();
            prop_assert!(used(&mut ledger) <= believable(NOVEMBER.until(at)).get());
        }
        if restart {
            drop(ledger);
            ledger = Ledger::open(dir.path()).unwrap();
        }
        let before = used(&mut ledger);
        let newest = |wanted: u8| claims.iter().filter(|claim| claim.0 == wanted).max_by_key(|claim| claim.1);
        for (pair, sequence, received, _) in (0..4).filter_map(newest) {
            ledger.record(at, &[by(HOST, report(LINK, &pair.to_string(), *sequence, *received))], &[]).unwrap();
        }
        prop_assert_eq!(used(&mut ledger), before);
    }
}
