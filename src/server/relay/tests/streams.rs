//! Clients over TCP.

use super::caller::{Caller, credential, echo, holder, relay, relay_by, relay_with};
use super::dialogue::{UDP, V6, channel_data};
use crate::server::clock::Clock;
use crate::server::relay::{Afterwards, Quotas, message::Method};
use std::{
    net::UdpSocket,
    time::{Duration, SystemTime},
};

/// Waits for what another thread does.
pub(super) fn eventually(mut holds: impl FnMut() -> bool) {
    let patience = SystemTime::now() + Duration::from_secs(5);
    while !holds() {
        assert!(SystemTime::now() < patience, "it never happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn data_goes_out_and_comes_back() {
    let relay = relay();
    for (listener, loopback, attributes) in [(0, "127.0.0.1:0", &[UDP][..]), (1, "[::1]:0", &[UDP, V6])] {
        let peer = echo(loopback);
        let mut caller = Caller::tcp(relay.tcp()[listener], &credential(1, listener as u64));
        assert_eq!(caller.allocate_with(attributes).code, 0);
        assert_eq!(caller.bind(0x4000, peer), 0);
        for length in [1, 2, 3, 4, 120, 1199, 1200] {
            caller.round_trip(0x4000, &vec![7; length]);
        }
        let traffic = relay.meter().read(holder(1, listener as u64)).unwrap();
        assert_eq!((traffic.sent.get(), traffic.received.get()), (2529, 2529));
    }
}

#[test]
fn messages_may_come_in_pieces_and_several_in_one() {
    let relay = relay();
    let peer = echo("127.0.0.1:0");
    let mut caller = Caller::tcp(relay.tcp()[0], &credential(1, 1));
    caller.allocate();
    assert_eq!(caller.bind(0x4000, peer), 0);
    let message = channel_data(0x4000, &[7; 100]);
    let stream = message.repeat(20);
    for part in stream.chunks(64) {
        caller.say(part);
        std::thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..20 {
        assert_eq!(caller.hear(), message);
    }
}

#[test]
fn with_the_connection_the_allocation_ends() {
    let relay = relay();
    let mut caller = Caller::tcp(relay.tcp()[0], &credential(1, 1));
    caller.allocate();
    assert_eq!(relay.allocations(), 1);
    drop(caller);
    eventually(|| relay.allocations() == 0);
}

#[test]
fn who_talks_nonsense_is_cut_off() {
    let relay = relay();
    let mut caller = Caller::tcp(relay.tcp()[0], &credential(1, 1));
    caller.allocate();
    caller.say(b"GET / HTTP/1.1\r\n\r\n");
    assert!(caller.is_cut());
    eventually(|| relay.allocations() == 0);
}

#[tokio::test]
async fn who_is_ended_is_cut_off() {
    let relay = relay();
    let mut caller = Caller::tcp(relay.tcp()[0], &credential(1, 1));
    caller.allocate();
    assert_eq!(relay.end_participant(holder(1, 1), Afterwards::MayReturn).await, 1);
    assert!(caller.is_cut());
}

#[test]
fn connections_from_one_address_are_counted() {
    let quotas = Quotas { per_address: 3, ..Quotas::default() };
    let relay = relay_with(|settings| settings.quotas = quotas);
    let mut callers: Vec<_> = (0..3).map(|number| Caller::tcp(relay.tcp()[0], &credential(1, number))).collect();
    for caller in &mut callers {
        caller.allocate();
    }
    assert!(Caller::tcp(relay.tcp()[0], &credential(1, 9)).is_cut());
    callers.pop();
    eventually(|| relay.allocations() == 2);
    Caller::tcp(relay.tcp()[0], &credential(1, 9)).allocate();
}

#[test]
fn who_says_nothing_of_use_is_sent_away_soon_and_keeps_nobody_out() {
    let (clock, hand) = Clock::by_hand(Clock::system().wall());
    let quotas = Quotas { per_address: 1_000, ..Quotas::default() };
    let relay = relay_by(clock, |settings| settings.quotas = quotas);
    let connect = |number| Caller::tcp(relay.tcp()[0], &credential(1, number));
    let mut served = connect(1);
    served.allocate();
    let mut idle: Vec<_> = (0..250).map(connect).collect();
    assert!(connect(2).is_cut(), "an address has so many places for those who are not served");
    // An answer that was asked for without a credential is nothing of use.
    let greeting = idle[0].speaker.bare(Method::Allocate, &[UDP]);
    assert_eq!(idle[0].ask(&greeting).code, 401);
    hand.advance(Duration::from_secs(9));
    assert!(idle.iter_mut().all(Caller::is_cut));
    assert!(served.keeps_its_allocation());
    connect(2).allocate();
}

/// More than any buffer on the way holds.
const PACKETS: u32 = 20_000;

#[test]
fn who_does_not_read_loses_data_and_no_answers_and_keeps_nobody_waiting() {
    let relay = relay();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut caller = Caller::tcp(relay.tcp()[0], &credential(1, 1));
    let relayed = caller.allocate();
    assert_eq!(caller.bind(0x4000, peer.local_addr().unwrap()), 0);
    let echo_address = echo("127.0.0.1:0");
    let mut other = Caller::udp(relay.udp()[0], &credential(1, 2));
    other.allocate();
    assert_eq!(other.bind(0x4000, echo_address), 0);
    for number in 0..PACKETS {
        let mut payload = [0; 1200];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        peer.send_to(&payload, relayed).unwrap();
        if number % 100 == 0 {
            other.round_trip(0x4000, b"still here");
        }
    }
    let refresh = caller.speaker.request(Method::Refresh, &[]);
    caller.say(&refresh);
    let mut heard = 0;
    let mut last = None;
    loop {
        let message = caller.hear();
        if message[0] >> 6 == 0 {
            break;
        }
        let number = u32::from_be_bytes(message[4..8].try_into().unwrap());
        assert!(last < Some(number), "{number} after {last:?}");
        last = Some(number);
        heard += 1;
    }
    assert!(heard > 100 && heard < PACKETS / 2, "{heard} of {PACKETS} waited");
}
