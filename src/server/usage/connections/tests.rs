//! The life of connections, in virtual time.

use super::*;
use proptest::prelude::*;

const HOST: ParticipantId = ParticipantId::from_random(1);
const GUEST: ParticipantId = ParticipantId::from_random(2);
const STRANGER: ParticipantId = ParticipantId::from_random(3);

fn id(number: u64) -> ConnectionId {
    ConnectionId::from_random(number)
}

fn at(millis: u64) -> Now {
    Now::since_start(Duration::from_millis(millis))
}

fn opened(number: u64) -> Input {
    Input::Opened { connection: id(number), host: HOST, guest: GUEST, at: UnixMillis(number) }
}

fn reported(participant: ParticipantId, connection: ConnectionId, path: Path) -> Input {
    Input::Reported { participant, connection, path }
}

fn ended(number: u64, estimate: Option<u64>) -> Ended {
    Ended {
        connection: id(number),
        host: HOST,
        guest: GUEST,
        opened_at: UnixMillis(number),
        estimate: estimate.map(ByteCount::new),
    }
}

fn outputs(core: &mut Connections) -> Vec<Ended> {
    std::iter::from_fn(|| core.poll_output()).collect()
}

#[test]
fn a_connection_is_active_from_opening_to_closing() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(opened(2), at(0));
    core.handle(opened(2), at(0));
    assert_eq!(core.active(), 2);
    core.handle(Input::Closed { connection: id(1) }, at(10));
    core.handle(Input::Closed { connection: id(1) }, at(2_000));
    core.handle(Input::Closed { connection: id(9) }, at(10));
    assert_eq!((core.active(), core.next_timeout()), (1, Some(at(3_010))));
}

#[test]
fn a_beacon_that_comes_late_is_waited_for() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(Input::Closed { connection: id(1) }, at(1_000));
    core.handle(Input::Timeout, at(3_999));
    assert_eq!(outputs(&mut core), []);
    core.handle(reported(GUEST, id(1), Path::Relayed), at(3_999));
    core.handle(Input::Timeout, at(4_000));
    assert_eq!(outputs(&mut core), [ended(1, None)]);
    assert_eq!((core.active(), core.next_timeout()), (0, None));
}

#[test]
fn what_nobody_reported_on_is_estimated_to_its_last_sign_of_life() {
    let mut core = Connections::default();
    core.handle(opened(1), at(1_000));
    core.handle(Input::Alive { connection: id(1) }, at(5_000));
    core.handle(Input::Closed { connection: id(1) }, at(60_000));
    core.handle(Input::Alive { connection: id(1) }, at(61_000));
    core.handle(Input::Timeout, at(63_000));
    // 4 s at 2 Mbit/s.
    assert_eq!(outputs(&mut core), [ended(1, Some(1_000_000))]);
}

#[test]
fn a_report_is_no_sign_of_life_and_ends_the_guessing() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(opened(2), at(0));
    core.handle(reported(HOST, id(1), Path::Relayed), at(5_000));
    core.handle(Input::Closed { connection: id(1) }, at(5_000));
    core.handle(Input::Closed { connection: id(2) }, at(5_000));
    core.handle(Input::Timeout, at(8_000));
    assert_eq!(outputs(&mut core), [ended(1, None), ended(2, Some(0))]);
}

#[test]
fn a_stranger_with_the_same_identifier_changes_nothing() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(Input::Opened { connection: id(1), host: STRANGER, guest: STRANGER, at: UnixMillis(9) }, at(5_000));
    core.handle(reported(STRANGER, id(1), Path::Relayed), at(5_000));
    assert_eq!(core.session_of(id(1), STRANGER), None);
    assert_eq!(core.session_of(id(1), GUEST), Some(HOST));
    core.handle(Input::Closed { connection: id(1) }, at(6_000));
    core.handle(Input::Timeout, at(9_000));
    assert_eq!(outputs(&mut core), [ended(1, Some(0))]);
}

#[test]
fn asking_again_brings_a_lingering_connection_back() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(Input::Closed { connection: id(1) }, at(1_000));
    core.handle(opened(1), at(2_000));
    core.handle(Input::Timeout, at(10_000));
    assert_eq!((core.active(), core.next_timeout(), outputs(&mut core)), (1, None, vec![]));
}

#[test]
fn a_connection_that_is_brought_back_is_as_old_as_it_is_and_lived_as_long_as_is_known() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(opened(2), at(0));
    core.handle(Input::Alive { connection: id(1) }, at(4_000));
    core.handle(Input::Alive { connection: id(2) }, at(4_000));
    core.handle(reported(GUEST, id(2), Path::Relayed), at(4_000));
    let kept = core.take_changes();
    assert_eq!(
        kept.iter().map(|kept| (kept.alive_at.0, kept.reported)).collect::<Vec<_>>(),
        [(4_001, false), (4_002, true)]
    );
    assert_eq!(core.take_changes(), []);
    core.still_changed(&kept);
    assert_eq!(core.take_changes(), kept);
    core.handle(Input::Alive { connection: id(2) }, at(5_000));
    assert_eq!(core.take_changes(), [], "reported: nothing will be estimated");

    let mut core = Connections::default();
    for kept in kept {
        core.handle(Input::Restored(kept, UnixMillis(60_001)), at(10));
    }
    assert_eq!((core.active(), core.take_changes()), (2, vec![]));
    assert_eq!(core.open_for(id(1), HOST, at(1_010)), Some(Duration::from_secs(61)));
    core.handle(Input::Closed { connection: id(2) }, at(2_000));
    core.handle(Input::Closed { connection: id(1) }, at(2_000));
    core.handle(Input::Timeout, at(5_000));
    assert_eq!(outputs(&mut core), [ended(1, Some(1_000_000)), ended(2, None)]);
}

#[test]
fn at_the_end_what_is_open_plays_on() {
    let mut core = Connections::default();
    for number in 1..=3 {
        core.handle(opened(number), at(0));
        core.handle(Input::Alive { connection: id(number) }, at(1_000));
    }
    core.handle(reported(HOST, id(1), Path::Relayed), at(1_000));
    core.handle(Input::Closed { connection: id(3) }, at(1_500));
    core.finish();
    assert_eq!(outputs(&mut core), [ended(3, Some(250_000))]);
    assert_eq!(core.active(), 2);
}

#[test]
fn who_is_direct_everywhere_needs_no_relay_and_who_is_not_connected_yet_may() {
    let mut core = Connections::default();
    core.handle(opened(1), at(0));
    core.handle(opened(2), at(0));
    core.handle(reported(HOST, id(1), Path::Direct), at(1_000));
    core.handle(reported(GUEST, id(1), Path::Direct), at(1_000));
    core.handle(reported(HOST, id(2), Path::Relayed), at(1_000));
    assert_eq!(core.take_freed(), BTreeSet::new());
    core.handle(reported(HOST, id(2), Path::Direct), at(6_000));
    assert_eq!((core.take_freed(), core.take_freed()), (BTreeSet::from([HOST]), BTreeSet::new()));
    core.handle(Input::Closed { connection: id(2) }, at(7_000));
    core.handle(Input::Timeout, at(10_000));
    assert_eq!(core.take_freed(), BTreeSet::from([GUEST]), "the only end that could still become relayed is gone");
    core.handle(reported(GUEST, id(1), Path::NotConnected), at(11_000));
    core.handle(reported(GUEST, id(1), Path::Direct), at(16_000));
    assert_eq!(core.take_freed(), BTreeSet::from([GUEST]));
}

fn any_input() -> impl Strategy<Value = Input> {
    let path = prop_oneof![Just(Path::NotConnected), Just(Path::Direct), Just(Path::Relayed)];
    let end = prop_oneof![Just(HOST), Just(GUEST), Just(STRANGER)];
    (0..4_u64, 0..6_u8, end, path).prop_map(|(number, kind, end, path)| match kind {
        0 => opened(number),
        1 => Input::Alive { connection: id(number) },
        2 | 3 => reported(end, id(number), path),
        4 => Input::Closed { connection: id(number) },
        _ => Input::Timeout,
    })
}

proptest! {
    #[test]
    fn whatever_happens_every_opening_ends_once_and_never_too_early(
        steps in prop::collection::vec((any_input(), 0..5_000_u64), 0..80),
    ) {
        let mut core = Connections::default();
        let mut now = 0;
        let mut open = BTreeMap::<ConnectionId, (u64, Option<u64>)>::new();
        let mut direct = BTreeSet::new();
        let mut freed = BTreeSet::from([HOST, GUEST]);
        for (input, wait) in steps {
            now += wait;
            core.handle(input, at(now));
            match input {
                Input::Opened { connection, .. } => open.entry(connection).or_insert((now, None)).1 = None,
                Input::Closed { connection } => {
                    if let Some((_, closed)) = open.get_mut(&connection) {
                        closed.get_or_insert(now);
                    }
                }
                Input::Reported { participant, connection, path: Path::Direct } => {
                    direct.insert((participant, connection));
                }
                Input::Reported { participant, connection, .. } => {
                    direct.remove(&(participant, connection));
                }
                Input::Alive { .. } | Input::Restored(..) | Input::Timeout => {}
            }
            while let Some(ended) = core.poll_output() {
                let (opened, closed) = open.remove(&ended.connection).expect("ended once, after it was opened");
                let closed = closed.expect("only closed connections end");
                prop_assert!(now >= closed + 3_000);
                prop_assert!(ended.estimate.is_none_or(|bytes| bytes.get() <= (closed - opened) * 250));
            }
            direct.retain(|(_, connection)| open.contains_key(connection));
            for end in [HOST, GUEST] {
                let needs_none = open.keys().all(|connection| direct.contains(&(end, *connection)));
                if !needs_none {
                    freed.remove(&end);
                }
            }
            freed.extend(core.take_freed());
            for end in [HOST, GUEST] {
                let needs_none = open.keys().all(|connection| direct.contains(&(end, *connection)));
                prop_assert_eq!(freed.contains(&end), needs_none);
            }
            prop_assert_eq!(core.active(), open.values().filter(|(_, closed)| closed.is_none()).count());
            prop_assert_eq!(core.next_timeout(), open.values().filter_map(|(_, closed)| closed.map(|c| at(c + 3_000))).min());
        }
    }
}
