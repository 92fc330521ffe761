//! Several threads behind one address.

use super::caller::{Caller, credential, echo, holder, relay_with};
use crate::server::relay::Afterwards;
use std::num::NonZero;

#[tokio::test]
async fn clients_are_shared_out_and_ended_wherever_they_are() {
    let relay = relay_with(|settings| settings.threads = NonZero::new(4).unwrap());
    let peer = echo("127.0.0.1:0");
    let mut callers: Vec<_> = (0..40)
        .map(|number| {
            let credential = credential(1, number % 4);
            let caller = if number % 2 == 0 { Caller::udp } else { Caller::tcp };
            let listener = if number % 2 == 0 { relay.udp() } else { relay.tcp() }[0];
            let mut caller = caller(listener, &credential);
            caller.allocate();
            assert_eq!(caller.bind(0x4000, peer), 0);
            caller
        })
        .collect();
    for caller in &mut callers {
        caller.round_trip(0x4000, b"payload");
    }
    for participant in 0..4 {
        let traffic = relay.meter().read(holder(1, participant)).unwrap();
        assert_eq!((traffic.sent.get(), traffic.allocations), (70, 10));
    }
    assert_eq!(relay.end_participant(holder(1, 3), Afterwards::MayReturn).await, 10);
    assert_eq!(relay.end_session(holder(1, 0).session(), Afterwards::MayReturn).await, 30);
    assert_eq!(relay.allocations(), 0);
}

#[test]
fn when_the_relay_stops_its_ports_are_free() {
    let relay = relay_with(|settings| settings.threads = NonZero::new(2).unwrap());
    let (udp, tcp) = (relay.udp()[0], relay.tcp()[0]);
    let mut caller = Caller::udp(udp, &credential(1, 1));
    let relayed = caller.allocate();
    drop(relay);
    for address in [udp, relayed] {
        drop(std::net::UdpSocket::bind(address).unwrap());
    }
    drop(std::net::TcpListener::bind(tcp).unwrap());
}
