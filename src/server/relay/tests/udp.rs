//! Clients over UDP, on both families.

use super::caller::{Caller, SILENCE, credential, echo, holder, in_an_hour, relay, relay_with};
use super::dialogue::{GOODBYE, Speaker, UDP, V6, channel_data, mint, send_indication};
use crate::domain::UnixMillis;
use crate::server::clock::Clock;
use crate::server::relay::{
    Afterwards, Networks, PeerFilter, Quotas, Relay, Settings, StartError,
    message::{Message, Method, attribute},
};
use std::{net::UdpSocket, time::Duration};

#[test]
fn data_goes_out_and_comes_back() {
    let relay = relay();
    for (listener, loopback, attributes) in [(0, "127.0.0.1:0", &[UDP][..]), (1, "[::1]:0", &[UDP, V6])] {
        let peer = echo(loopback);
        let mut caller = Caller::udp(relay.udp()[listener], &credential(1, listener as u64));
        let reply = caller.allocate_with(attributes);
        assert_eq!(reply.relayed().ip(), peer.ip());
        assert_eq!(caller.bind(0x4000, peer), 0);
        for length in [1, 120, 1200, 1400] {
            caller.round_trip(0x4000, &vec![7; length]);
        }
        let traffic = relay.meter().read(holder(1, listener as u64)).unwrap();
        assert_eq!((traffic.sent.get(), traffic.received.get()), (2721, 2721));
        assert_eq!((traffic.packets_sent, traffic.packets_received), (4, 4));
    }
}

#[test]
fn a_client_of_ipv6_is_given_an_address_of_ipv4() {
    let relay = relay();
    let peer = echo("127.0.0.1:0");
    let mut caller = Caller::udp(relay.udp()[1], &credential(1, 1));
    assert!(caller.allocate().is_ipv4());
    assert_eq!(caller.bind(0x4000, peer), 0);
    caller.round_trip(0x4000, b"payload");
}

#[test]
fn bursts_arrive_whole_and_in_order() {
    let relay = relay();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    let relayed = caller.allocate();
    assert_eq!(caller.bind(0x4000, peer.local_addr().unwrap()), 0);
    let length = |number: usize| [1100, 1100, 1100, 1100, 300, 1240, 40][number % 7];
    let payload = |number: usize| vec![u8::try_from(number).unwrap(); length(number)];
    let mut buffer = [0; 2048];
    for number in 0..100 {
        caller.say(&channel_data(0x4000, &payload(number)));
    }
    for number in 0..100 {
        let (size, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((from, &buffer[..size]), (relayed, &payload(number)[..]), "{number}");
        peer.send_to(&buffer[..size], from).unwrap();
    }
    for number in 0..100 {
        assert_eq!(caller.hear(), channel_data(0x4000, &payload(number)), "{number}");
    }
    let traffic = relay.meter().read(holder(1, 1)).unwrap();
    assert_eq!((traffic.packets_sent, traffic.sent), (100, traffic.received));
}

/// What was taken from a client is counted, so it leaves though the allocation ends with the very next packet.
#[test]
fn the_last_packets_before_a_goodbye_arrive() {
    let relay = relay();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut heard = 0;
    for _ in 0..50 {
        let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
        caller.allocate();
        assert_eq!(caller.bind(0x4000, peer.local_addr().unwrap()), 0);
        let goodbye = caller.speaker.request(Method::Refresh, &[GOODBYE]);
        for _ in 0..5 {
            caller.say(&channel_data(0x4000, b"last words"));
        }
        assert_eq!(caller.ask(&goodbye).code, 0);
        for _ in 0..5 {
            heard += peer.recv(&mut [0; 64]).unwrap() as u64;
        }
    }
    assert_eq!(relay.meter().read(holder(1, 1)).unwrap().sent.get(), heard);
}

#[test]
fn before_there_is_a_channel_data_comes_in_indications() {
    let relay = relay();
    let peer = echo("127.0.0.1:0");
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    caller.allocate();
    caller.say(&send_indication(peer, b"too early"));
    assert_eq!(caller.hear_within(SILENCE), None);
    let permission = caller.speaker.about(Method::CreatePermission, &[peer]);
    assert_eq!(caller.ask(&permission).code, 0);
    caller.say(&send_indication(peer, b"payload"));
    let heard = caller.hear();
    let message = Message::parse(&heard).unwrap();
    assert_eq!(message.method(), Method::Data);
    assert_eq!(message.attribute(attribute::DATA), Some(&b"payload"[..]));
    assert_eq!(message.addresses(attribute::XOR_PEER_ADDRESS).next(), Some(Some(peer)));
}

#[test]
fn nothing_comes_in_from_those_who_have_no_permission() {
    let relay = relay();
    let peer = echo("127.0.0.1:0");
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    let relayed = caller.allocate();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"hello", relayed).unwrap();
    assert_eq!(caller.hear_within(SILENCE), None);
    assert_eq!(relay.meter().read(holder(1, 1)).unwrap().received.get(), 0);
    assert_eq!(caller.bind(0x4000, peer), 0);
    // The permission is for the address, as RFC 8656 has it; the channel is for the port as well.
    stranger.send_to(b"hello", relayed).unwrap();
    assert_eq!(Message::parse(&caller.hear()).unwrap().method(), Method::Data);
}

#[test]
fn who_has_no_good_credential_opens_nothing() {
    let relay = relay();
    let good = credential(1, 1);
    let lapsed = mint().issue(holder(1, 1), UnixMillis(1_000));
    let foreign = crate::server::relay::Mint::new(b"another").issue(holder(1, 1), in_an_hour());
    for speaker in [Speaker::forging(&good), Speaker::with(&lapsed), Speaker::with(&foreign)] {
        let mut caller = Caller::udp(relay.udp()[0], &good);
        caller.speaker = speaker;
        assert_eq!(caller.allocate_with(&[UDP]).code, 401);
    }
    assert_eq!((relay.allocations(), relay.meter().read_all().len()), (0, 0));
}

#[test]
fn peers_elsewhere_than_on_the_open_internet_are_refused() {
    let relay = relay_with(|settings| {
        settings.peers = PeerFilter::new();
        settings.own = vec!["127.0.0.3".parse().unwrap()];
    });
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    caller.allocate();
    for peer in ["127.0.0.2:9", "10.0.0.1:9", "169.254.169.254:80", "100.64.0.1:9", "224.0.0.1:9"] {
        let peer = peer.parse().unwrap();
        assert_eq!(caller.bind(0x4000, peer), 403, "{peer}");
        let permission = caller.speaker.about(Method::CreatePermission, &[peer]);
        assert_eq!(caller.ask(&permission).code, 403, "{peer}");
    }
    // What this machine's own addresses lead to are allocations: no service beside the relay is reached.
    for (number, address) in [(0x4000, "127.0.0.1:0"), (0x4001, "127.0.0.3:0")] {
        let service = UdpSocket::bind(address).unwrap();
        service.set_read_timeout(Some(SILENCE)).unwrap();
        assert_eq!(caller.bind(number, service.local_addr().unwrap()), 0);
        caller.say(&channel_data(number, b"hello"));
        assert!(service.recv_from(&mut [0; 16]).is_err());
    }
}

#[test]
fn a_request_that_was_sent_twice_is_answered_twice_alike() {
    let relay = relay();
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    let greeting = caller.speaker.bare(Method::Allocate, &[UDP]);
    caller.speaker.nonce = caller.ask(&greeting).nonce();
    let request = caller.speaker.request(Method::Allocate, &[UDP]);
    let (first, second) = (caller.ask(&request), caller.ask(&request));
    assert_eq!((first.code, &first), (0, &second));
    assert_eq!(relay.allocations(), 1);
}

#[test]
fn a_goodbye_closes_the_socket() {
    let relay = relay();
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    let relayed = caller.allocate();
    assert!(UdpSocket::bind(relayed).is_err());
    let goodbye = caller.speaker.request(Method::Refresh, &[GOODBYE]);
    assert_eq!(caller.ask(&goodbye).code, 0);
    assert_eq!(relay.allocations(), 0);
    assert!(UdpSocket::bind(relayed).is_ok());
}

#[test]
fn time_ends_what_nobody_refreshes() {
    let (clock, hand) = Clock::by_hand(UnixMillis(1_000_000_000));
    let listen = ["127.0.0.1:0".parse().unwrap()];
    let settings = Settings { realm: super::dialogue::REALM.to_owned(), ..Settings::on(&listen) };
    let relay = Relay::start(settings, mint(), clock.clone()).unwrap();
    let credential = mint().issue(holder(1, 1), clock.wall().plus(Duration::from_mins(15)));
    let mut caller = Caller::udp(relay.udp()[0], &credential);
    caller.allocate();
    hand.advance(Duration::from_mins(8));
    let refresh = caller.speaker.request(Method::Refresh, &[]);
    assert_eq!(caller.ask(&refresh).lifetime(), 7 * 60);
    hand.advance(Duration::from_mins(7));
    let refresh = caller.speaker.request(Method::Refresh, &[]);
    assert_eq!(caller.ask(&refresh).code, 401);
    assert_eq!(relay.allocations(), 0);
}

#[test]
fn quotas_are_kept() {
    let quotas = Quotas { per_participant: 2, per_address: 3, total: 9 };
    let relay = relay_with(|settings| settings.quotas = quotas);
    let codes = [1, 1, 1, 2, 2]
        .map(|participant| Caller::udp(relay.udp()[0], &credential(1, participant)).allocate_with(&[UDP]).code);
    assert_eq!((codes, relay.allocations()), ([0, 0, 486, 0, 486], 3));
}

#[test]
fn networks_that_are_not_listed_hear_nothing() {
    let clients = Networks::parse("192.0.2.0/24").unwrap();
    let relay = relay_with(|settings| settings.clients = clients);
    let mut caller = Caller::udp(relay.udp()[0], &credential(1, 1));
    let request = caller.speaker.bare(Method::Binding, &[]);
    caller.say(&request);
    assert_eq!(caller.hear_within(SILENCE), None);
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    let relay = relay_with(|settings| settings.udp = vec!["0.0.0.0:0".parse().unwrap()]);
    let asked = (std::net::Ipv4Addr::new(127, 7, 7, 7), relay.udp()[0].port()).into();
    // The caller's socket is connected, and takes nothing from anywhere else.
    let mut caller = Caller::udp(asked, &credential(1, 1));
    let request = caller.speaker.bare(Method::Binding, &[]);
    assert_eq!(caller.ask(&request).address(attribute::XOR_MAPPED_ADDRESS), caller.address());
    caller.allocate();
    let peer = echo("127.0.0.1:0");
    assert_eq!(caller.bind(0x4000, peer), 0);
    caller.round_trip(0x4000, b"payload");
}

#[tokio::test]
async fn one_call_ends_a_participant_and_another_a_session() {
    let relay = relay();
    let peer = echo("127.0.0.1:0");
    let mut callers: Vec<_> = [(1, 1), (1, 1), (1, 2), (2, 1)]
        .into_iter()
        .map(|(session, participant)| {
            let mut caller = Caller::udp(relay.udp()[0], &credential(session, participant));
            caller.allocate();
            assert_eq!(caller.bind(0x4000, peer), 0);
            caller.round_trip(0x4000, b"payload");
            caller
        })
        .collect();
    assert_eq!(relay.end_participant(holder(1, 1), Afterwards::MayReturn).await, 2);
    for (caller, lives) in callers.iter_mut().zip([false, false, true, true]) {
        caller.say(&channel_data(0x4000, b"payload"));
        assert_eq!(caller.hear_within(SILENCE).is_some(), lives);
    }
    assert_eq!(relay.meter().read(holder(1, 1)).unwrap().sent.get(), 14);
    assert_eq!(callers[0].allocate_with(&[UDP]).code, 0, "they may return");
    let session = holder(1, 1).session();
    assert_eq!(relay.end_session(session, Afterwards::BarredUntil(in_an_hour())).await, 2);
    assert_eq!(relay.allocations(), 1);
    assert_eq!(callers[2].allocate_with(&[UDP]).code, 401, "they may not");
}

#[test]
fn what_is_no_address_to_listen_on_is_said() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = [taken.local_addr().unwrap()];
    let start = |settings| Relay::start(settings, mint(), Clock::system()).map(drop).unwrap_err();
    assert!(matches!(start(Settings::on(&listen)), StartError::CannotListen { protocol: "UDP", .. }));
    let local = ["127.0.0.1:0".parse().unwrap()];
    assert!(matches!(start(Settings { relayed: vec![], ..Settings::on(&local) }), StartError::NoAddress));
    assert!(matches!(start(Settings { ports: 80..=90, ..Settings::on(&local) }), StartError::NoPorts));
    let several = ["127.0.0.1:0", "127.0.0.2:0"].map(|address| address.parse().unwrap());
    assert!(matches!(start(Settings::on(&several)), StartError::SeveralAddresses(_)));
}
