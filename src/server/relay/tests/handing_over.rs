//! Two allocations of the relay that talk to each other: both sides of a call hide their addresses.

use super::caller::{Caller, credential, holder, relay_with};
use super::dialogue::channel_data;
use crate::server::relay::{PeerFilter, Relay, RelayedAddress};
use std::{num::NonZero, time::Duration};

/// Callers of participants 1, 2, .. with an allocation each; the first half bound to the second half, one to one.
fn pairs(relay: &Relay, count: usize) -> Vec<(Caller, Caller)> {
    let mut callers: Vec<_> = (1..=2 * count as u64)
        .map(|participant| {
            let mut caller = Caller::udp(relay.udp()[0], &credential(1, participant));
            let relayed = caller.allocate();
            (caller, relayed)
        })
        .collect();
    let others = callers.split_off(count);
    callers
        .into_iter()
        .zip(others)
        .map(|((mut one, one_relayed), (mut other, other_relayed))| {
            assert_eq!(one.bind(0x4000, other_relayed), 0);
            assert_eq!(other.bind(0x4001, one_relayed), 0);
            (one, other)
        })
        .collect()
}

fn talk(relay: &Relay, pairs: &mut [(Caller, Caller)]) {
    let count = pairs.len() as u64;
    for (one, other) in &mut *pairs {
        for number in 0..20_u8 {
            one.say(&channel_data(0x4000, &[number; 1100]));
        }
        for number in 0..20_u8 {
            assert_eq!(other.hear(), channel_data(0x4001, &[number; 1100]));
        }
        other.say(&channel_data(0x4001, b"thanks"));
        assert_eq!(one.hear(), channel_data(0x4000, b"thanks"));
    }
    for participant in 1..=count {
        let [one, other] =
            [participant, participant + count].map(|participant| relay.meter().read(holder(1, participant)).unwrap());
        assert_eq!((one.sent.get(), one.received.get()), (22_000, 6));
        assert_eq!((other.sent, other.received), (one.received, one.sent));
    }
}

#[test]
fn data_between_two_allocations_is_counted_for_both() {
    let relay = relay_with(|settings| settings.peers = PeerFilter::new());
    talk(&relay, &mut pairs(&relay, 1));
}

#[test]
fn it_does_not_matter_which_threads_have_them() {
    let relay = relay_with(|settings| settings.threads = NonZero::new(3).unwrap());
    talk(&relay, &mut pairs(&relay, 12));
}

#[test]
fn behind_a_one_to_one_nat_it_works_as_well() {
    // No packet could reach that address from here: what arrives was handed over.
    let public = RelayedAddress { bound: "127.0.0.1".parse().unwrap(), public: "9.9.9.9".parse().unwrap() };
    let relay = relay_with(|settings| {
        settings.peers = PeerFilter::new();
        settings.relayed = vec![public];
    });
    talk(&relay, &mut pairs(&relay, 1));
}

#[test]
fn when_one_is_gone_the_other_talks_to_nobody() {
    let relay = relay_with(|settings| settings.peers = PeerFilter::new());
    let mut pairs = pairs(&relay, 1);
    let (one, other) = &mut pairs[0];
    let goodbye = other.speaker.request(crate::server::relay::message::Method::Refresh, &[super::dialogue::GOODBYE]);
    assert_eq!(other.ask(&goodbye).code, 0);
    one.say(&channel_data(0x4000, b"anyone?"));
    assert_eq!(other.hear_within(Duration::from_millis(150)), None);
    assert_eq!(relay.meter().read(holder(1, 1)).unwrap().sent.get(), 0);
}
