//! What is asked for, and answered.

use super::*;
use crate::server::relay::tests::dialogue::{GOODBYE, V6};

#[test]
fn an_allocation_is_made_with_a_credential() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    let reply = world.allocate(&client(7), &mut speaker);
    assert_eq!((reply.code, reply.lifetime()), (0, 600));
    assert_eq!(reply.relayed().ip().to_string(), PUBLIC);
    assert!((50_000..=50_999).contains(&reply.relayed().port()));
    assert_eq!(reply.address(attribute::XOR_MAPPED_ADDRESS), client(7).remote);
    assert!(reply.message().holds(&speaker.key()));
    assert_eq!(world.open.len(), 1);
}

#[test]
fn an_allocation_of_ipv6_is_made_on_request() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    let reply = world.allocate_with(&client(7), &mut speaker, &[UDP, V6]);
    assert_eq!(reply.relayed().ip().to_string(), "2606::1");
    let wrong = speaker.bind(0x4000, peer());
    assert_eq!(world.ask(&client(7), &wrong).code, 443);
    let right = speaker.bind(0x4000, "[2607::1]:9".parse().unwrap());
    assert_eq!(world.ask(&client(7), &right).code, 0);
}

#[test]
fn a_request_that_is_sent_again_gets_its_answer_again() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    let greeting = speaker.bare(Method::Allocate, &[UDP]);
    speaker.nonce = world.ask(&client(7), &greeting).nonce();
    let request = speaker.request(Method::Allocate, &[UDP]);
    let (first, second) = (world.ask(&client(7), &request), world.ask(&client(7), &request));
    assert_eq!((first.code, &first), (0, &second));
    assert_eq!(world.open.len(), 1);
    let another = speaker.request(Method::Allocate, &[UDP]);
    assert_eq!(world.ask(&client(7), &another).code, 437);
}

#[test]
fn what_is_not_offered_is_refused_by_name() {
    let mut world = World::new();
    for (attributes, code) in [
        (&[][..], 400),
        (&[(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0][..])], 442),
        (&[UDP, (attribute::REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0])], 440),
        (&[UDP, (attribute::EVEN_PORT, &[0x80])], 508),
        // DONT-FRAGMENT, RESERVATION-TOKEN, and one that nobody knows.
        (&[UDP, (0x001A, &[])], 420),
        (&[UDP, (0x0022, &[0; 8])], 420),
        (&[UDP, (0x7FFF, &[])], 420),
    ] {
        let mut speaker = world.speaker(1);
        let reply = world.allocate_with(&client(7), &mut speaker, attributes);
        assert_eq!(reply.code, code, "{attributes:?}");
        assert!(reply.message().holds(&speaker.key()));
    }
    assert!(world.open.is_empty());
    let mut speaker = world.speaker(1);
    let reply = world.allocate_with(&client(7), &mut speaker, &[UDP, (0x7FFF, &[])]);
    assert_eq!(reply.message().attribute(attribute::UNKNOWN_ATTRIBUTES), Some(&[0x7F, 0xFF][..]));
    // What may be ignored is.
    assert_eq!(world.allocate_with(&client(8), &mut speaker, &[UDP, (0x8000, &[2, 0, 0, 0])]).code, 0);
}

#[test]
fn an_even_port_is_even() {
    let mut world = World::new();
    for port in 1..=20 {
        let mut speaker = world.speaker(1);
        let reply = world.allocate_with(&client(port), &mut speaker, &[UDP, (attribute::EVEN_PORT, &[0])]);
        assert_eq!(reply.relayed().port() % 2, 0);
    }
}

#[test]
fn a_port_that_the_system_does_not_give_is_replaced_a_few_times() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    world.failing = 3;
    let reply = world.allocate(&client(7), &mut speaker);
    assert_eq!((reply.code, world.open.len()), (0, 1));
    world.failing = 100;
    let reply = world.allocate(&client(8), &mut speaker);
    assert_eq!((reply.code, reply.message().holds(&speaker.key())), (508, true));
    assert_eq!((world.open.len(), world.core.shared.quota.total()), (1, 1));
    world.failing = 0;
    assert_eq!(world.allocate(&client(8), &mut speaker).code, 0);
}

#[test]
fn without_ports_there_is_no_allocation() {
    let mut world = World::on(Terms { ports: 50_000..=50_001, ..Terms::default() });
    let codes = [1, 2, 3].map(|port| {
        let mut speaker = world.speaker(1);
        world.allocate(&client(port), &mut speaker).code
    });
    assert_eq!((codes, world.core.shared.quota.total()), ([0, 0, 508], 2));
}

#[test]
fn an_allocation_ends_with_its_lifetime_unless_it_is_refreshed() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    world.pass(Duration::from_secs(599));
    let refresh = speaker.request(Method::Refresh, &[]);
    assert_eq!(world.ask(&client, &refresh).lifetime(), 600);
    world.pass(Duration::from_secs(599));
    assert!(world.core.serves(&client));
    assert_eq!(world.core.next_timeout(), Some(world.at.now + Duration::from_secs(1)));
    world.pass(Duration::from_secs(1));
    assert!(!world.core.serves(&client) && world.open.is_empty());
    let refresh = speaker.request(Method::Refresh, &[]);
    assert_eq!(world.ask(&client, &refresh).code, 437);
}

#[test]
fn a_lifetime_is_kept_within_bounds() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    for (asked, granted) in [(1_u32, 600), (700, 700), (u32::MAX, 3600)] {
        let refresh = speaker.request(Method::Refresh, &[(attribute::LIFETIME, &asked.to_be_bytes())]);
        assert_eq!(world.ask(&client, &refresh).lifetime(), granted);
    }
}

#[test]
fn a_goodbye_ends_the_allocation_at_once() {
    let mut world = World::new();
    let (client, mut speaker, relayed) = world.connected(7, 1);
    let goodbye = speaker.request(Method::Refresh, &[GOODBYE]);
    let reply = world.ask(&client, &goodbye);
    assert_eq!((reply.code, reply.lifetime()), (0, 0));
    assert!(world.open.is_empty() && world.core.shared.ports.owner(relayed.port()).is_none());
    assert_eq!(world.core.shared.quota.total(), 0);
    // The next one is made where it was.
    let mut other = world.speaker(2);
    assert_eq!(world.allocate(&client, &mut other).code, 0);
    assert_eq!(world.core.allocations.len(), 1);
}

#[test]
fn peers_that_nobody_may_reach_get_no_permission_and_no_channel() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    for peer in [
        "127.0.0.1:9",
        "10.0.0.1:9",
        "172.16.0.1:9",
        "192.168.0.1:9",
        "169.254.1.1:9",
        "169.254.169.254:80",
        "100.64.0.1:9",
        "224.0.0.1:9",
        "0.0.0.0:9",
        "255.255.255.255:9",
        "168.63.129.16:80",
    ] {
        let peer = peer.parse().unwrap();
        let permission = speaker.about(Method::CreatePermission, &[peer]);
        assert_eq!(world.ask(&client, &permission).code, 403, "{peer}");
        let bind = speaker.bind(0x4001, peer);
        assert_eq!(world.ask(&client, &bind).code, 403, "{peer}");
        assert_eq!(world.received(&client, peer, b"in"), None, "{peer}");
    }
    let mut six = world.speaker(1);
    world.allocate_with(&super::client(8), &mut six, &[UDP, V6]);
    for peer in [
        "[::1]:9",
        "[fd00::1]:9",
        "[fe80::1]:9",
        "[ff02::1]:9",
        "[::ffff:9.9.9.9]:9",
        "[64:ff9b::909:909]:9",
        "[fd00:ec2::254]:80",
    ] {
        let permission = six.about(Method::CreatePermission, &[peer.parse().unwrap()]);
        assert_eq!(world.ask(&super::client(8), &permission).code, 403, "{peer}");
    }
}

#[test]
fn one_peer_that_may_not_be_reached_spoils_the_whole_request() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let [good, bad] = ["8.8.4.4:1", "10.0.0.1:1"].map(|peer| peer.parse().unwrap());
    let permission = speaker.about(Method::CreatePermission, &[good, bad]);
    assert_eq!(world.ask(&client, &permission).code, 403);
    assert_eq!(world.received(&client, good, b"in"), None);
    let nothing = speaker.about(Method::CreatePermission, &[]);
    assert_eq!(world.ask(&client, &nothing).code, 400);
}

#[test]
fn a_channel_has_one_peer_and_a_peer_one_channel() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let other: SocketAddr = "9.9.9.9:10".parse().unwrap();
    for (number, peer, code) in [
        (0x4000, peer(), 0),
        (0x4000, other, 400),
        (0x4001, peer(), 400),
        (0x4001, other, 0),
        (0x3FFF, other, 400),
        (0x8000, other, 400),
        (0x4002, "9.9.9.9:0".parse().unwrap(), 400),
    ] {
        let bind = speaker.bind(number, peer);
        assert_eq!(world.ask(&client, &bind).code, code, "{number:x} {peer}");
    }
    world.pass(Duration::from_secs(500));
    let refresh = speaker.request(Method::Refresh, &[]);
    world.ask(&client, &refresh);
    world.pass(Duration::from_secs(100));
    let bind = speaker.bind(0x4000, other);
    assert_eq!(world.ask(&client, &bind).code, 0, "both have lapsed");
}

#[test]
fn lists_of_peers_do_not_grow_without_end() {
    let mut world = World::new();
    let (client, mut speaker, _) = world.connected(7, 1);
    let nth = |number: u32| SocketAddr::new(std::net::Ipv4Addr::from_bits(0x0909_0000 + number).into(), 9);
    let mut codes = BTreeSet::new();
    for number in 0..200 {
        let permission = speaker.about(Method::CreatePermission, &[nth(number)]);
        codes.insert(world.ask(&client, &permission).code);
    }
    assert_eq!(codes, BTreeSet::from([0, 508]));
    world.pass(Duration::from_mins(5));
    let again = speaker.about(Method::CreatePermission, &[nth(300)]);
    assert_eq!(world.ask(&client, &again).code, 0, "there is room again");
    let channels: BTreeSet<_> = (1..100)
        .map(|number| {
            let bind = speaker.bind(0x4000 + number, SocketAddr::new(peer().ip(), 1000 + number));
            world.ask(&client, &bind).code
        })
        .collect();
    assert_eq!(channels, BTreeSet::from([0, 508]));
}

#[test]
fn nobody_changes_what_belongs_to_somebody_else() {
    let mut world = World::new();
    let (client, speaker, _) = world.connected(7, 1);
    let mut other = Speaker { nonce: speaker.nonce.clone(), ..world.speaker(2) };
    for request in [
        other.request(Method::Refresh, &[GOODBYE]),
        other.bind(0x4001, "9.9.9.9:10".parse().unwrap()),
        other.about(Method::CreatePermission, &[peer()]),
    ] {
        assert_eq!(world.ask(&client, &request).code, 441);
    }
    assert!(world.core.serves(&client));
    let mut stranger = world.speaker(1);
    let elsewhere = super::client(8);
    let bare = stranger.bare(Method::Refresh, &[]);
    stranger.nonce = world.ask(&elsewhere, &bare).nonce();
    let goodbye = stranger.request(Method::Refresh, &[GOODBYE]);
    assert_eq!(world.ask(&elsewhere, &goodbye).code, 437);
}

#[test]
fn whoever_asks_for_their_address_is_told() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    for client in [client(7), client_at("[2606:4700::1111]:5")] {
        let request = speaker.bare(Method::Binding, &[]);
        assert_eq!(world.ask(&client, &request).address(attribute::XOR_MAPPED_ADDRESS), client.remote);
    }
    // With a credential as well, right or wrong: nobody looks at it.
    let signed = speaker.request(Method::Binding, &[(0x8022, b"tests")]);
    assert_eq!(world.ask(&client(7), &signed).address(attribute::XOR_MAPPED_ADDRESS), client(7).remote);
}

#[test]
fn whoever_asks_for_the_answer_from_elsewhere_is_told_that_there_is_none() {
    let mut world = World::new();
    let mut speaker = world.speaker(1);
    // CHANGE-REQUEST, PADDING and RESPONSE-PORT of RFC 5780.
    for (kind, value) in [(0x0003, &[0, 0, 0, 6][..]), (0x0026, &[0; 64]), (0x0027, &[0x12, 0x34, 0, 0])] {
        for request in
            [speaker.bare(Method::Binding, &[(kind, value)]), speaker.request(Method::Binding, &[(kind, value)])]
        {
            let reply = world.ask(&client(7), &request);
            assert_eq!(reply.code, 420, "{kind:#06x}");
            let unknown = reply.message().attribute(attribute::UNKNOWN_ATTRIBUTES);
            assert_eq!(unknown, Some(&u16::to_be_bytes(kind)[..]));
            assert!(reply.message().attribute(attribute::XOR_MAPPED_ADDRESS).is_none());
            assert!(!reply.message().claims_integrity() && reply.message().attribute(attribute::NONCE).is_none());
        }
    }
    let filtering = speaker.bare(Method::Binding, &[(0x0003, &[0, 0, 0, 6])]);
    let answered = (0..4_096).filter(|_| !world.say(&client(7), &filtering).is_empty()).count();
    assert!((900..1_100).contains(&answered), "{answered}: it has the budget of every Binding");
    let plain = speaker.bare(Method::Binding, &[]);
    assert!(world.say(&client(7), &plain).is_empty(), "the same one");
    assert_eq!(world.ask(&client_at("8.8.4.4:7"), &plain).code, 0);
}
