//! Connections over restarts and crashes at any point: nothing is booked twice, and nothing that was on disk is lost.
//!
//! The core and the ledger together, driven as the writer drives them, but in one thread and in virtual time.

use super::super::connections::{Connections, Input, LINGER};
use super::tests::{NOVEMBER, by, report, used};
use super::*;
use crate::domain::{ConnectionId, Now};
use proptest::prelude::*;
use tempfile::TempDir;

const CONNECTIONS: u64 = 3;

#[derive(Debug, Clone)]
enum Step {
    Open(u64),
    Alive(u64),
    Report(u64, bool, u64),
    Close(u64),
    Wait(u64),
    Write,
    Crash,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..CONNECTIONS;
    prop_oneof![
        2 => id.clone().prop_map(Step::Open),
        3 => id.clone().prop_map(Step::Alive),
        4 => (id.clone(), any::<bool>(), 0..2_000_u64).prop_map(|(id, end, more)| Step::Report(id, end, more)),
        2 => id.prop_map(Step::Close),
        4 => (0..6_000_u64).prop_map(Step::Wait),
        6 => Just(Step::Write),
        2 => Just(Step::Crash),
        1 => Just(Step::Stop),
    ]
}

/// What the two browsers and the session know of one connection.
#[derive(Default)]
struct Known {
    opened: Option<Now>,
    last_sign: Now,
    /// The last sign of life that the process has heard of.
    heard: Option<Now>,
    /// The last sign of life that was on disk.
    written: Option<Now>,
    closed: bool,
    /// The counters and sequence numbers of both ends.
    ends: [(u64, u64); 2],
    reported: bool,
}

struct Evening {
    dir: TempDir,
    ledger: Ledger,
    core: Connections,
    /// Monotonic in the world, and restarted with each process.
    time: Duration,
    started: Duration,
    waiting: Vec<Reported>,
    known: Vec<Known>,
}

fn end(first: bool) -> ParticipantId {
    if first { super::tests::HOST } else { super::tests::GUEST }
}

fn connection(id: u64) -> ConnectionId {
    ConnectionId::from_random(id + 1)
}

impl Evening {
    fn begin() -> Self {
        let dir = TempDir::new().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let known = (0..CONNECTIONS).map(|_| Known::default()).collect();
        let (time, started, waiting) = (Duration::ZERO, Duration::ZERO, Vec::new());
        Self { dir, ledger, core: Connections::default(), time, started, waiting, known }
    }

    fn now(&self) -> Now {
        Now::since_start(self.time.saturating_sub(self.started))
    }

    fn world(&self) -> Now {
        Now::since_start(self.time)
    }

    fn wall(&self) -> UnixMillis {
        NOVEMBER.plus(self.time)
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        self.core.handle(input, now);
    }

    fn known(&mut self, id: u64) -> &mut Known {
        &mut self.known[usize::try_from(id).unwrap()]
    }

    fn play(&mut self, step: &Step) {
        let (world, wall) = (self.world(), self.wall());
        match *step {
            Step::Open(id) if self.known(id).opened.is_none() => {
                let known = self.known(id);
                (known.opened, known.last_sign, known.heard) = (Some(world), world, Some(world));
                let (host, guest) = (end(true), end(false));
                self.handle(Input::Opened { connection: connection(id), host, guest, at: wall });
                // The session is on disk at once, and brings back what the ledger may have missed.
                self.write();
            }
            Step::Alive(id) if self.is_open(id) => {
                self.sign(id);
                self.handle(Input::Alive { connection: connection(id) });
            }
            Step::Report(id, first, more) if self.is_open(id) => {
                let (counter, sequence) = &mut self.known(id).ends[usize::from(first)];
                (*counter, *sequence) = (*counter + more, *sequence + 1);
                let report = report(connection(id), "a", *sequence, *counter);
                self.handle(Input::Alive { connection: connection(id) });
                self.sign(id);
                self.waiting.push(by(end(first), report));
            }
            Step::Close(id) if self.is_open(id) => {
                // Both ends have had their say before.
                self.say_everything();
                self.write();
                self.known(id).closed = true;
                self.handle(Input::Closed { connection: connection(id) });
            }
            Step::Wait(millis) => self.time += Duration::from_millis(millis),
            Step::Write => self.write(),
            Step::Crash => self.restart(),
            Step::Stop => {
                self.core.finish();
                self.write();
                self.restart();
            }
            Step::Open(_) | Step::Alive(_) | Step::Report(..) | Step::Close(_) => {}
        }
    }

    fn sign(&mut self, id: u64) {
        let world = self.world();
        let known = self.known(id);
        (known.last_sign, known.heard) = (world, Some(world));
    }

    fn is_open(&mut self, id: u64) -> bool {
        let known = self.known(id);
        known.opened.is_some() && !known.closed
    }

    /// What the writer does with each turn of its loop.
    fn write(&mut self) {
        let kept = self.core.take_changes();
        let reports = std::mem::take(&mut self.waiting);
        self.ledger.record_kept(self.wall(), &kept, &reports, &[]).unwrap();
        for Reported { participant, report, .. } in reports {
            self.handle(Input::Reported { participant, connection: report.connection, path: report.path });
            for id in (0..CONNECTIONS).filter(|id| connection(*id) == report.connection) {
                self.known(id).reported = true;
            }
        }
        for known in &mut self.known {
            if known.opened.is_some() && !known.closed {
                known.written = known.heard;
            }
        }
        self.handle(Input::Timeout);
        let endings: Vec<_> = std::iter::from_fn(|| self.core.poll_output()).collect();
        self.ledger.record(self.wall(), &[], &endings).unwrap();
    }

    /// The process is gone with what it had in memory. The next one reads the ledger, and the session says what is over.
    fn restart(&mut self) {
        self.ledger = Ledger::open(self.dir.path()).unwrap();
        (self.core, self.started) = (Connections::default(), self.time);
        self.waiting.clear();
        for known in &mut self.known {
            known.heard = known.written;
        }
        for kept in self.ledger.connections().unwrap() {
            let at = self.wall();
            self.handle(Input::Restored(kept, at));
        }
        for id in 0..CONNECTIONS {
            if self.known(id).closed {
                self.handle(Input::Closed { connection: connection(id) });
            }
        }
    }

    /// Browsers say again what was not acknowledged.
    fn say_everything(&mut self) {
        for id in 0..CONNECTIONS {
            if !self.is_open(id) {
                continue;
            }
            for first in [false, true] {
                let (counter, sequence) = self.known(id).ends[usize::from(first)];
                if sequence > 0 {
                    self.waiting.push(by(end(first), report(connection(id), "a", sequence, counter)));
                }
            }
        }
    }

    fn estimated(&self, id: u64) -> (u64, u64) {
        let sums = "SELECT count(*), coalesce(sum(bytes), 0) FROM evidence WHERE kind = 'estimate' AND connection = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((loaded(row.get(0)?), loaded(row.get(1)?)));
        self.ledger.database.query_row(sums, [connection(id).to_string()], row).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whenever_it_crashes_everything_is_booked_once(steps in prop::collection::vec(step(), 1..60)) {
        let mut evening = Evening::begin();
        for step in &steps {
            evening.play(step);
        }
        evening.say_everything();
        evening.write();
        for id in 0..CONNECTIONS {
            evening.play(&Step::Close(id));
        }
        evening.time += LINGER;
        evening.write();
        prop_assert_eq!(evening.ledger.connections().unwrap(), []);
        let mut expected = 0;
        for id in 0..CONNECTIONS {
            let (bookings, estimated) = evening.estimated(id);
            let known = evening.known(id);
            expected += known.ends.iter().map(|(counter, _)| counter).sum::<u64>();
            let Some(opened) = known.opened else { continue };
            if known.reported {
                prop_assert_eq!(bookings, 0, "measured, so not estimated");
                continue;
            }
            let lived = |until: Now| u64::try_from(until.since(opened).as_millis()).unwrap() * 250;
            let least = known.written.map(lived).unwrap_or_default();
            prop_assert!(bookings <= 1 && (least..=lived(known.last_sign)).contains(&estimated));
            expected += estimated;
        }
        prop_assert_eq!(used(&mut evening.ledger), expected);
    }
}
