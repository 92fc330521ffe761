//! What goes through, and what does not.

use super::*;
use crate::server::relay::tests::dialogue::send_indication;

/// A world in which two participants have an allocation each, and each knows the other's address.
fn pair(world: &mut World) -> [(Client, Speaker, SocketAddr); 2] {
    let mut ends = [(1, 1), (2, 2)].map(|(port, participant)| {
        let (client, mut speaker) = (client(port), world.speaker(participant));
        let relayed = world.allocate(&client, &mut speaker).relayed();
        (client, speaker, relayed)
    });
    let [one, other] = [ends[0].2, ends[1].2];
    for ((client, speaker, _), peer) in ends.iter_mut().zip([other, one]) {
        let bind = speaker.bind(0x4000, peer);
        assert_eq!(world.ask(client, &bind).code, 0);
    }
    ends
}

#[test]
fn channels_carry_data_in_both_directions() {
    let mut world = World::new();
    let (client, _, _) = world.connected(7, 1);
    assert_eq!(world.sent(&client, &channel_data(0x4000, b"out")), Some((peer(), b"out".to_vec())));
    assert_eq!(world.received(&client, peer(), b"in"), Some(Wrapping::Channel(0x4000)));
    let traffic = world.core.shared.meter.read(holder(1, 1)).unwrap();
    assert_eq!((traffic.sent.get(), traffic.received.get()), (3, 2));
}

#[test]
fn indications_carry_data_where_there_is_a_permission() {
    let mut world = World::new();
    let (client, mut speaker) = (client(7), world.speaker(1));
    world.allocate(&client, &mut speaker);
    let indication = send_indication(peer(), b"out");
    assert_eq!(world.sent(&client, &indication), None);
    let permission = speaker.about(Method::CreatePermission, &[peer()]);
    assert_eq!(world.ask(&client, &permission).code, 0);
    assert_eq!(world.sent(&client, &indication), Some((peer(), b"out".to_vec())));
    let other_port: SocketAddr = "9.9.9.9:10".parse().unwrap();
    let wrapping = world.received(&client, other_port, b"in").unwrap();
    let mut bytes = Vec::new();
    wrapping.write(b"in", false, &mut bytes);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::Data));
    assert_eq!(message.addresses(attribute::XOR_PEER_ADDRESS).next(), Some(Some(other_port)));
    assert_eq!(message.attribute(attribute::DATA), Some(&b"in"[..]));
    assert_eq!(world.received(&client, "9.9.9.8:9".parse().unwrap(), b"in"), None);
}

#[test]
fn permissions_lapse_after_five_minutes_and_channels_after_ten() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    world.pass(Duration::from_secs(299));
    assert!(world.received(&client, peer(), b"in").is_some());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.received(&client, peer(), b"in"), None);
    assert!(world.sent(&client, &channel_data(0x4000, b"out")).is_some());
    let refresh = speaker.request(Method::Refresh, &[]);
    world.ask(&client, &refresh);
    let bind = speaker.bind(0x4000, peer());
    world.ask(&client, &bind);
    assert!(world.received(&client, peer(), b"in").is_some(), "a channel that is bound again permits again");
    world.pass(Duration::from_secs(599));
    let refresh = speaker.request(Method::Refresh, &[]);
    world.ask(&client, &refresh);
    assert!(world.sent(&client, &channel_data(0x4000, b"out")).is_some());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.sent(&client, &channel_data(0x4000, b"out")), None);
}

#[test]
fn channel_data_that_is_cut_short_or_nobodys_goes_nowhere() {
    let mut world = World::new();
    let (client, _, _) = world.connected(7, 1);
    let whole = channel_data(0x4000, b"payload");
    for length in 0..whole.len() {
        assert_eq!(world.sent(&client, &whole[..length]), None);
    }
    let padded = [&whole[..], &[0]].concat();
    assert_eq!(world.sent(&client, &padded), Some((peer(), b"payload".to_vec())));
    assert_eq!(world.sent(&client, &channel_data(0x4001, b"payload")), None);
    assert_eq!(world.sent(&super::client(8), &whole), None);
}

#[test]
fn two_allocations_here_hand_their_data_over() {
    let mut world = World::new();
    let [(one, _, one_relayed), (other, _, other_relayed)] = pair(&mut world);
    let data = channel_data(0x4000, b"payload");
    let onward = world.core.handle_client(&one, &data, world.at).unwrap();
    let Onward::Own { owner, from, to, payload } = onward else {
        panic!("{onward:?} leaves the relay");
    };
    assert_eq!((from, to), (one_relayed, other_relayed));
    assert_eq!((owner.shard, Slot(owner.slot)), (0, world.slot(&other)));
    let via = Via::HandOver { to: to.port() };
    let arrived = world.core.handle_peer(Slot(owner.slot), from, payload, via, world.at).unwrap();
    assert_eq!(arrived, ToClient { client: other, wrapping: Wrapping::Channel(0x4000) });
    let meter = &world.core.shared.meter;
    assert_eq!(meter.read(holder(1, 1)).unwrap().sent.get(), 7);
    assert_eq!(meter.read(holder(1, 2)).unwrap().received.get(), 7);
}

#[test]
fn own_addresses_lead_to_live_allocations_and_nowhere_else() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let listener: SocketAddr = format!("{PUBLIC}:3478").parse().unwrap();
    let free: SocketAddr = format!("{BOUND}:50500").parse().unwrap();
    for (number, peer) in [(0x4001, listener), (0x4002, free)] {
        let bind = speaker.bind(number, peer);
        assert_eq!(world.ask(&client, &bind).code, 0);
        assert_eq!(world.core.handle_client(&client, &channel_data(number, b"x"), world.at), None);
    }
}

#[test]
fn nobody_on_the_network_passes_for_an_allocation() {
    let mut world = World::new();
    let [(one, ..), (_, _, other_relayed)] = pair(&mut world);
    assert_eq!(world.received(&one, other_relayed, b"forged"), None);
    let stale = Via::HandOver { to: other_relayed.port() };
    let slot = world.slot(&one);
    assert_eq!(world.core.handle_peer(slot, other_relayed, b"late", stale, world.at), None, "meant for another port");
}

#[test]
fn in_development_own_addresses_lead_out_where_no_allocation_is() {
    let mut world = World::on(Terms { peers: PeerFilter::new().in_development(true), ..Terms::default() });
    let [(one, mut speaker, _), _] = [(7, 1), (8, 2)].map(|(port, participant)| world.connected(port, participant));
    let browser: SocketAddr = format!("{PUBLIC}:40000").parse().unwrap();
    let bind = speaker.bind(0x4001, browser);
    assert_eq!(world.ask(&one, &bind).code, 0);
    assert_eq!(world.sent(&one, &channel_data(0x4001, b"x")), Some((browser, b"x".to_vec())));
    assert!(world.received(&one, browser, b"x").is_some());
}

#[test]
fn what_a_connection_had_goes_with_it() {
    let mut world = World::new();
    let stream = Client { remote: client(5).remote, leg: Leg::Stream { number: 5 } };
    let mut speaker = world.speaker(1);
    assert_eq!(world.allocate(&stream, &mut speaker).code, 0);
    world.core.hung_up(&stream);
    world.drain();
    assert!(world.open.is_empty() && world.hung_up.is_empty());
    world.core.hung_up(&stream);
}

#[test]
fn wrapping_has_the_length_that_it_says() {
    let indication = Wrapping::Indication { peer: peer(), transaction: [1; 12] };
    for wrapping in [Wrapping::Channel(0x4000), indication] {
        for (length, stream) in [(0, false), (1, false), (1200, false), (1, true), (4, true), (1199, true)] {
            let mut bytes = vec![0; 3];
            wrapping.write(&vec![7; length], stream, &mut bytes);
            assert_eq!(bytes.len() - 3, wrapping.length(length, stream), "{wrapping:?} {length} {stream}");
        }
    }
}
