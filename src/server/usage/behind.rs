//! A relay that counts for itself and is not heard, while browsers report bytes over it: the statistics of a coturn that is cut off from
//! its Redis look like those of one that nobody uses.
//!
//! coturn says something of an allocation every 4096 packets. Where one end of a connection has reported more than that can be and nothing was
//! heard of the relay at all, what browsers report counts, as an estimate, until the relay is heard. What it says then of the same
//! people counts as far as it is more: of each the larger of both sums, and no byte twice on one machine. Whoever merely claims much while the relay
//! speaks, of whomever, changes nothing.
//!
//! Pure: time is passed in. In memory alone; after a restart totals of allocations that were there before tell nothing, so nothing of them can
//! count twice.

use super::ledger::Held;
use crate::domain::{ByteCount, ConnectionId, Now, ParticipantId};
use std::collections::BTreeMap;
use std::time::Duration;

/// More than one end can carry without a word of its relay, with twice the room: 4096 packets of 1500 bytes, and an allocation before it.
const MOST_UNSAID: ByteCount = ByteCount::new(16_000_000);

/// For so long a subscription may be lost and stand again, and reports may come before what the relay says of the same.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long after the first report even many ends that carry little have made their relay speak.
const LONG_PATIENCE: Duration = Duration::from_mins(15);

/// Of whom nothing is heard for so long no allocation is left that could tell more.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(2);

/// One relay.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// When browsers first reported something since the relay was heard.
    since: Option<Now>,
    is_silent: bool,
    people: BTreeMap<ParticipantId, Person>,
}

/// Somebody's bytes over it, since the relay was last heard before they were reported.
#[derive(Debug)]
struct Person {
    session: Option<ParticipantId>,
    /// What browsers reported since the relay was last heard, by connection.
    waiting: BTreeMap<ConnectionId, ByteCount>,
    /// What browsers reported.
    reported: ByteCount,
    /// What the relay told; never more than what counts.
    told: ByteCount,
    /// What counts.
    counted: ByteCount,
    /// Some of it counted without the relay.
    was_estimated: bool,
    heard_of: Now,
}

/// What counts without the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Whose credentials.
    pub participant: ParticipantId,
    /// The session's host, where it is known.
    pub session: Option<ParticipantId>,
    /// How many more.
    pub bytes: ByteCount,
}

impl Behind {
    /// Browsers reported this, and it did not count.
    pub(super) fn reported(&mut self, held: &Held, now: Now) {
        self.since.get_or_insert(now);
        let person = self.people.entry(held.participant).or_insert_with(|| Person::new(now));
        person.session = held.session.or(person.session);
        person.heard_of = now;
        person.reported = person.reported.plus(held.bytes);
        let waiting = person.waiting.entry(held.connection).or_default();
        *waiting = waiting.plus(held.bytes);
    }

    /// The relay says that it carried so much, for somebody where it is known for whom. How much of that counts already.
    pub(super) fn heard(&mut self, participant: Option<ParticipantId>, bytes: ByteCount) -> ByteCount {
        (self.since, self.is_silent) = (None, false);
        self.people.retain(|_, person| person.was_estimated);
        let mut known = ByteCount::ZERO;
        let mut left = bytes;
        for (whose, person) in &mut self.people {
            person.waiting.clear();
            let part = match participant {
                Some(participant) if participant != *whose => ByteCount::ZERO,
                Some(_) => left,
                // Nobody knows whose it is: whoever has some coming.
                None => left.min(person.expected()),
            };
            left = left.minus(part);
            known = known.plus(person.tell(part));
        }
        self.people.retain(|_, person| person.expected() > ByteCount::ZERO);
        known
    }

    /// Time passes. What counts now without the relay.
    pub(super) fn due(&mut self, now: Now) -> Vec<Due> {
        self.people.retain(|_, person| !person.was_estimated || now.since(person.heard_of) < FORGOTTEN_AFTER);
        self.is_silent |= self.is_overdue(now);
        if !self.is_silent {
            return Vec::new();
        }
        let due = |(participant, person): (&ParticipantId, &mut Person)| {
            let bytes = person.reported.minus(person.counted);
            person.counted = person.counted.plus(bytes);
            person.was_estimated = true;
            (bytes > ByteCount::ZERO).then_some(Due { participant: *participant, session: person.session, bytes })
        };
        self.people.iter_mut().filter_map(due).collect()
    }

    /// Since when what browsers report counts; `None` while the relay is heard.
    pub(super) fn silent_since(&self) -> Option<Now> {
        self.since.filter(|_| self.is_silent)
    }

    fn is_overdue(&self, now: Now) -> bool {
        let Some(lasts) = self.since.map(|since| now.since(since)) else { return false };
        let waiting = || self.people.values().flat_map(|person| person.waiting.values().copied());
        let all = || waiting().fold(ByteCount::ZERO, ByteCount::plus);
        (lasts >= PATIENCE && waiting().any(|bytes| bytes >= MOST_UNSAID))
            || (lasts >= LONG_PATIENCE && all() >= MOST_UNSAID)
    }
}

impl Person {
    fn new(now: Now) -> Self {
        let zero = ByteCount::ZERO;
        Self {
            session: None,
            waiting: BTreeMap::new(),
            reported: zero,
            told: zero,
            counted: zero,
            was_estimated: false,
            heard_of: now,
        }
    }

    /// What the relay has not told of what is known.
    fn expected(&self) -> ByteCount {
        self.reported.max(self.counted).minus(self.told)
    }

    /// The relay told more. How much of that counts already. What it could never tell does not use up what it tells of later: as far as
    /// browsers reported more than counts, what is told counts.
    fn tell(&mut self, bytes: ByteCount) -> ByteCount {
        self.told = self.told.plus(bytes);
        let beyond = self.told.minus(self.counted);
        let counts = beyond.max(bytes.min(self.reported.minus(self.counted)));
        self.counted = self.counted.plus(counts);
        bytes.minus(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GUEST: ParticipantId = ParticipantId::from_random(2);
    const OTHER: ParticipantId = ParticipantId::from_random(3);
    const MB: u64 = 1_000_000;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn held(participant: ParticipantId, connection: u64, bytes: u64) -> Held {
        Held {
            provider: "coturn".parse().unwrap(),
            participant,
            session: None,
            connection: ConnectionId::from_random(connection),
            bytes: ByteCount::new(bytes),
        }
    }

    fn due(behind: &mut Behind, seconds: u64) -> u64 {
        behind.due(at(seconds)).iter().map(|due| due.bytes.get()).sum()
    }

    #[test]
    fn what_browsers_report_counts_once_the_relay_must_have_spoken() {
        let mut behind = Behind::default();
        behind.reported(&held(GUEST, 1, 15 * MB), at(0));
        assert_eq!(due(&mut behind, 60), 0, "an allocation may carry that without a word");
        behind.reported(&held(GUEST, 1, MB), at(60));
        assert_eq!((due(&mut behind, 60), behind.silent_since()), (16 * MB, Some(at(0))));
        behind.reported(&held(OTHER, 2, 5), at(61));
        assert_eq!((due(&mut behind, 61), due(&mut behind, 62)), (5, 0), "everybody's, from then on");

        // A subscription may be lost for a moment.
        let mut behind = Behind::default();
        behind.reported(&held(GUEST, 1, 50 * MB), at(0));
        assert_eq!((due(&mut behind, 29), due(&mut behind, 30)), (0, 50 * MB));
    }

    #[test]
    fn many_that_carry_little_have_made_it_speak_in_a_quarter_of_an_hour() {
        let mut behind = Behind::default();
        for connection in 0..8 {
            behind.reported(&held(GUEST, connection, 2 * MB), at(connection));
        }
        assert_eq!((due(&mut behind, 899), due(&mut behind, 900)), (0, 16 * MB));
        // A direct connection keeps its relay by checks, of which it says nothing for hours.
        let mut behind = Behind::default();
        behind.reported(&held(GUEST, 1, 9_600), at(0));
        assert_eq!(due(&mut behind, 7_200), 0);
    }

    #[test]
    fn while_it_speaks_of_anybody_nothing_counts_without_it() {
        let mut behind = Behind::default();
        for second in 0..200 {
            behind.reported(&held(GUEST, 1, 100 * MB), at(second));
            assert_eq!(due(&mut behind, second), 0);
            if second % 20 == 19 {
                assert_eq!(behind.heard(Some(OTHER), ByteCount::new(MB)), ByteCount::ZERO);
            }
        }
    }

    #[test]
    fn what_the_relay_can_never_tell_does_not_swallow_what_it_tells_of_later() {
        let mut behind = Behind::default();
        behind.reported(&held(GUEST, 1, 200 * MB), at(0));
        assert_eq!(due(&mut behind, 30), 200 * MB);
        // That allocation is over, unheard. The next one is heard.
        for second in 31..60 {
            behind.reported(&held(GUEST, 2, MB), at(second));
            assert_eq!(behind.heard(Some(GUEST), ByteCount::new(MB)), ByteCount::ZERO);
            assert_eq!(due(&mut behind, second), 0);
        }
    }

    #[test]
    fn nobody_is_remembered_for_longer_than_an_allocation_lives() {
        let mut behind = Behind::default();
        behind.reported(&held(GUEST, 1, 200 * MB), at(0));
        due(&mut behind, 30);
        due(&mut behind, 7_200);
        assert_eq!(behind.heard(Some(GUEST), ByteCount::new(MB)), ByteCount::ZERO);
    }

    /// Seconds that pass, what is carried in them, whether the relay is heard of it, and whether it knows for whom.
    fn steps() -> impl Strategy<Value = Vec<(u64, u64, bool, bool)>> {
        let heard = prop::bool::weighted(0.3);
        prop::collection::vec((0..60_u64, 1..40 * MB, heard, any::<bool>()), 1..40)
    }

    proptest! {
        /// Browsers report all of it, and the relay is heard of some; of what was lost it is heard at the end, or never.
        #[test]
        fn what_counts_is_never_more_than_was_carried_and_all_of_it_once_the_relay_has_told(
            steps in steps(), heals: bool,
        ) {
            let (mut behind, mut second) = (Behind::default(), 0);
            let (mut carried, mut told, mut counted) = (0, 0, 0);
            let mut hear = |behind: &mut Behind, bytes: u64, named: bool| {
                told += bytes;
                bytes - behind.heard(named.then_some(GUEST), ByteCount::new(bytes)).get()
            };
            let mut lost = 0;
            for (seconds, bytes, is_heard, named) in steps {
                second += seconds;
                carried += bytes;
                behind.reported(&held(GUEST, 1, bytes), at(second));
                counted += due(&mut behind, second);
                if is_heard {
                    counted += hear(&mut behind, bytes, named);
                } else {
                    lost += bytes;
                }
                counted += due(&mut behind, second);
                prop_assert!(counted <= carried, "{} of {}", counted, carried);
            }
            if heals && lost > 0 {
                counted += hear(&mut behind, lost, true);
                prop_assert_eq!(counted, carried);
            }
            prop_assert!(counted >= told && counted <= carried);
        }
    }
}
