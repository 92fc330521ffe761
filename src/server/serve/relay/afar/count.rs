//! What a relay in another process tells of what it relayed, and what of that is in the books.
//!
//! It says a report again until that is known to be heard, so a report counts as heard once it is on disk, and not when it has
//! arrived. While the relay is not heard, what browsers report counts; what it tells afterwards of that time counts as far as
//! it is more. Pure.

use crate::{
    domain::ByteCount,
    server::relay::{Holder, Report},
};

/// The reports that may be of a time in which browsers counted: one that was under way when it fell silent, and the one after it.
const ON_RETURN: u8 = 2;

/// All sums are those of [`Usage::relay_booked`](crate::server::usage::Usage::relay_booked).
#[derive(Debug, Default)]
pub(super) struct Count {
    speaks: bool,
    /// The last report that was taken.
    taken: u64,
    /// What will be in the books once everything that was taken is.
    expected: ByteCount,
    /// The last report that is on disk, and what was in the books with it.
    safe: (u64, ByteCount),
    /// What will be in the books of the time before it fell silent.
    silent_from: ByteCount,
    /// What browsers counted meanwhile, as far as it was not told yet.
    known: ByteCount,
    /// How many more of its reports may be of that time.
    returning: u8,
}

impl Count {
    /// Whether its own count is what counts.
    pub(super) fn speaks(&self) -> bool {
        self.speaks
    }

    /// It was heard, and counts for itself from now on.
    pub(super) fn begin(&mut self, booked: ByteCount) {
        self.speaks = true;
        self.expected = self.expected.max(booked);
        self.known = booked.minus(self.silent_from);
        self.returning = ON_RETURN;
    }

    /// It is not heard, and browsers count.
    pub(super) fn fall_silent(&mut self, booked: ByteCount) {
        // What was taken and waits for the disk is no browser's.
        (self.speaks, self.silent_from) = (false, self.expected.max(booked));
    }

    /// It was started anew, and begins with its first report.
    pub(super) fn another_process(&mut self) {
        (self.taken, self.safe.0) = (0, 0);
    }

    /// So much is in the books.
    pub(super) fn booked(&mut self, booked: ByteCount) {
        if booked >= self.expected {
            self.safe = (self.taken, booked);
        }
    }

    /// The last report that is on disk, and what was in the books with it.
    pub(super) fn safe(&self) -> (u64, ByteCount) {
        self.safe
    }

    /// Whether everything that was taken is on disk.
    pub(super) fn is_safe(&self) -> bool {
        self.safe.0 == self.taken
    }

    /// What of a report is to go into the books.
    pub(super) fn take(&mut self, report: &Report) -> Vec<(Holder, ByteCount)> {
        let mut more = Vec::new();
        if report.number > self.taken {
            self.taken = report.number;
            for (holder, bytes) in &report.relayed {
                let bytes = ByteCount::new(*bytes);
                let told = bytes.min(self.known);
                self.known = self.known.minus(told);
                let bytes = bytes.minus(told);
                self.expected = self.expected.plus(bytes);
                if bytes > ByteCount::ZERO {
                    more.push((*holder, bytes));
                }
            }
        }
        self.returning = self.returning.saturating_sub(1);
        if self.returning == 0 {
            self.known = ByteCount::ZERO;
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{ParticipantId, SessionCode},
        server::relay::{Mint, Telling},
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn holder() -> Holder {
        Mint::new(b"").holder(SessionCode::from_random(1), ParticipantId::from_random(1))
    }

    /// A relay, its app and the books.
    #[derive(Default)]
    struct World {
        count: Count,
        telling: Telling,
        relayed: u64,
        /// What the books hold, and what waits for the disk.
        booked: u64,
        waiting: u64,
    }

    impl World {
        /// One line each way.
        fn talk(&mut self) {
            self.count.booked(ByteCount::new(self.booked));
            let (heard, _) = self.count.safe();
            self.telling.heard(heard);
            let is_heard = heard >= self.telling.last();
            let relayed = BTreeMap::from([(holder(), ByteCount::new(self.relayed))]);
            let report = self.telling.report(&relayed, is_heard).clone();
            if !self.count.speaks() {
                self.count.begin(ByteCount::new(self.booked));
            }
            self.waiting += self.count.take(&report).iter().map(|(_, bytes)| bytes.get()).sum::<u64>();
        }

        fn write(&mut self) {
            self.booked += std::mem::take(&mut self.waiting);
        }
    }

    #[test]
    fn what_it_relayed_without_an_app_is_counted_however_late_it_is_heard() {
        let mut world = World { relayed: 300, ..World::default() };
        // Browsers counted some of it since this app was started.
        world.booked = 20;
        for _ in 0..3 {
            world.talk();
            world.write();
        }
        assert_eq!(world.booked, 300);
    }

    #[test]
    fn a_report_is_not_heard_before_it_is_on_disk_and_counts_once() {
        let mut world = World { relayed: 100, ..World::default() };
        for _ in 0..4 {
            world.talk();
            assert_eq!((world.count.safe().0, world.count.is_safe(), world.waiting), (0, false, 100));
        }
        world.write();
        world.talk();
        assert_eq!((world.count.safe(), world.booked), ((1, ByteCount::new(100)), 100));
    }

    #[test]
    fn one_that_was_started_anew_begins_at_its_first_report() {
        let mut world = World { relayed: 100, ..World::default() };
        world.talk();
        world.write();
        world.talk();
        (world.telling, world.relayed) = (Telling::default(), 7);
        world.count.another_process();
        world.talk();
        world.write();
        assert_eq!(world.booked, 107);
    }

    proptest! {
        /// Of a time in which both counted the larger counts, of any other the relay's, wherever the disk is late.
        #[test]
        fn nothing_is_lost_and_nothing_counts_twice(
            times in prop::collection::vec((any::<bool>(), 0_u64..1_000, 0_u64..1_000, any::<bool>()), 1..30),
        ) {
            let mut world = World::default();
            world.talk();
            let mut due = 0;
            for (silent, relayed, browsers, late) in times {
                if silent {
                    world.write();
                    world.talk();
                    world.talk();
                    if !late {
                        world.write();
                    }
                    world.count.fall_silent(ByteCount::new(world.booked));
                    world.write();
                    world.booked += browsers;
                    world.relayed += relayed;
                    due += relayed.max(browsers);
                    for _ in 0..3 {
                        world.talk();
                        world.write();
                    }
                } else {
                    world.relayed += relayed;
                    due += relayed;
                    world.talk();
                    if !late {
                        world.write();
                    }
                }
            }
            for _ in 0..3 {
                world.talk();
                world.write();
            }
            prop_assert_eq!(world.booked, due);
        }
    }
}
