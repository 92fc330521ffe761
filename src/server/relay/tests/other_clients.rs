//! Clients that somebody else wrote: coturn's, which `script/bootstrap native` brings.

use super::caller::{certificate, credential, echo, holder, in_an_hour, relay, relay_with};
use super::dialogue::mint;
use crate::{
    domain::UnixMillis,
    server::relay::{Credential, Mint, PeerFilter, Quotas, Tls},
};
use secrecy::ExposeSecret as _;
use std::{
    net::{IpAddr, SocketAddr},
    process::Command,
};

/// What a program prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program} cannot be run ({error}): script/bootstrap native brings it"));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Has coturn's client send messages to the peer through the relay, and says how many were sent and came back.
fn talk(relay: SocketAddr, participant: u64, peer: Option<SocketAddr>, how: &[&str]) -> (u32, u32) {
    let text = converse(relay, &credential(1, participant), peer, how);
    (last(&text, "tot_send_msgs="), last(&text, "tot_recv_msgs="))
}

/// What coturn's client prints of such a talk.
fn converse(relay: SocketAddr, credential: &Credential, peer: Option<SocketAddr>, how: &[&str]) -> String {
    let (address, port) = (relay.ip().to_string(), relay.port().to_string());
    let mut arguments = vec!["-u", &credential.username, "-w", credential.password.expose_secret()];
    // No second port for RTCP; 50 messages of 800 bytes, 20 ms between them.
    arguments.extend(["-c", "-n", "50", "-l", "800", "-z", "20", "-p", &port]);
    let peer = peer.map(|peer| (peer.ip().to_string(), peer.port().to_string()));
    if let Some((ip, port)) = &peer {
        arguments.extend(["-e", ip, "-r", port]);
    }
    arguments.extend(how);
    arguments.push(&address);
    run("turnutils_uclient", &arguments)
}

/// The last number that was printed after this.
fn last(text: &str, name: &str) -> u32 {
    let after = text.rsplit(name).next().unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no {name} in {text}"))
}

#[test]
fn coturns_client_sends_and_receives_over_every_way() {
    let listen = ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap()).to_vec();
    let relay = relay_with(|settings| settings.tls = Some(Tls { listen, config: certificate().0 }));
    let v4 = || Some(echo("127.0.0.1:0"));
    let v6 = || Some(echo("[::1]:0"));
    let ways: [(&str, SocketAddr, Option<SocketAddr>, &[&str]); 12] = [
        ("UDP, channels", relay.udp()[0], v4(), &[]),
        ("UDP, indications", relay.udp()[0], v4(), &["-s"]),
        ("TCP, channels", relay.tcp()[0], v4(), &["-t"]),
        ("TLS, channels", relay.tls()[0], v4(), &["-t", "-S"]),
        ("TCP, indications", relay.tcp()[0], v4(), &["-t", "-s"]),
        ("UDP over IPv6, for peers of IPv6", relay.udp()[1], v6(), &["-x"]),
        ("TCP over IPv6, for peers of IPv6", relay.tcp()[1], v6(), &["-t", "-x"]),
        ("TLS over IPv6, for peers of IPv6", relay.tls()[1], v6(), &["-t", "-S", "-x"]),
        ("UDP over IPv6, for peers of IPv6, indications", relay.udp()[1], v6(), &["-s", "-x"]),
        ("UDP, peers of IPv6", relay.udp()[0], v6(), &["-x"]),
        ("TCP, peers of IPv6", relay.tcp()[0], v6(), &["-t", "-x"]),
        ("UDP over IPv6, for peers of IPv4", relay.udp()[1], v4(), &[]),
    ];
    std::thread::scope(|scope| {
        for (participant, (name, relay_address, peer, how)) in (1..).zip(ways) {
            let meter = relay.meter();
            scope.spawn(move || {
                let (sent, received) = talk(relay_address, participant, peer, how);
                assert_eq!((sent, received), (50, 50), "{name}");
                let traffic = meter.read(holder(1, participant)).unwrap();
                assert_eq!((traffic.sent.get(), traffic.received.get()), (40_000, 40_000), "{name}");
            });
        }
    });
}

#[test]
fn coturns_clients_talk_to_each_other_through_the_relay() {
    let relay = relay_with(|settings| settings.peers = PeerFilter::new());
    let (sent, received) = talk(relay.udp()[0], 1, None, &["-y"]);
    assert!(sent > 0);
    assert_eq!(received, sent);
    let traffic = relay.meter().read(holder(1, 1)).unwrap();
    assert_eq!((traffic.sent, traffic.packets_sent), (traffic.received, traffic.packets_received));
}

#[test]
fn coturns_client_gets_nothing_for_a_credential_that_has_expired_is_wrong_or_is_anothers() {
    let relay = relay();
    let right = credential(1, 1);
    let expired = mint().issue(holder(1, 1), UnixMillis(1_700_000_000_000));
    let wrong = Credential { password: "guessed".to_owned().into(), ..credential(1, 1) };
    let others_mint = Mint::new(b"a secret of somebody else");
    let foreign = others_mint.issue(holder(1, 1), in_an_hour());
    // A name that is right with the password of another one.
    let mixed = Credential { username: right.username.clone(), ..credential(1, 2) };
    std::thread::scope(|scope| {
        let bad = [("expired", &expired), ("wrong", &wrong), ("foreign", &foreign), ("mixed", &mixed)];
        for (name, credential) in bad {
            for how in [&[][..], &["-t"]] {
                let (relay, at) = (&relay, if how.is_empty() { relay.udp()[0] } else { relay.tcp()[0] });
                scope.spawn(move || {
                    let text = converse(at, credential, Some(echo("127.0.0.1:0")), how);
                    assert!(text.contains("Cannot complete Allocation"), "{name} {how:?}: {text}");
                    assert!(!text.contains("tot_recv_msgs"), "{name} {how:?}: {text}");
                    assert_eq!(relay.allocations(), 0, "{name} {how:?}");
                });
            }
        }
    });
    assert!(relay.meter().read(holder(1, 1)).is_none_or(|traffic| traffic.sent.get() == 0));
    assert_eq!(talk(relay.udp()[0], 1, Some(echo("127.0.0.1:0")), &[]), (50, 50), "the right one is taken");
}

#[test]
fn many_clients_of_coturn_at_once_lose_nothing() {
    const CLIENTS: u32 = 12;
    let many = Quotas { per_participant: 64, per_address: 256, total: 256 };
    let relay = relay_with(|settings| settings.quotas = many);
    let clients = CLIENTS.to_string();
    std::thread::scope(|scope| {
        for (participant, at, how) in [(1, relay.udp()[0], &[][..]), (2, relay.tcp()[0], &["-t"])] {
            let (meter, clients) = (relay.meter(), &clients);
            scope.spawn(move || {
                let peer = Some(echo("127.0.0.1:0"));
                let (sent, received) = talk(at, participant, peer, &[how, &["-m", clients, "-z", "40"]].concat());
                assert_eq!((sent, received), (50 * CLIENTS, 50 * CLIENTS), "{how:?}");
                let traffic = meter.read(holder(1, participant)).unwrap();
                let bytes = u64::from(40_000 * CLIENTS);
                assert_eq!((traffic.sent.get(), traffic.received.get()), (bytes, bytes), "{how:?}");
            });
        }
    });
}

#[test]
fn coturns_test_of_a_nat_learns_that_more_than_an_address_is_not_to_be_had() {
    let relay = relay();
    for listener in relay.udp() {
        let (ip, port) = (listener.ip().to_string(), listener.port().to_string());
        // Its tests of filtering ask for an answer from elsewhere only where there is one; padding comes with every request.
        let plain = run("turnutils_natdiscovery", &["-f", "-p", &port, &ip]);
        assert!(plain.contains("UDP reflexive addr:") && !plain.contains("420"), "{plain}");
        let padded = run("turnutils_natdiscovery", &["-f", "-P", "-p", &port, &ip]);
        assert!(padded.contains("error 420 (Unknown Attribute)") && !padded.contains("reflexive addr"), "{padded}");
    }
}

#[test]
fn coturns_stun_client_learns_its_address() {
    let relay = relay();
    for listener in relay.udp() {
        let (ip, port): (IpAddr, String) = (listener.ip(), listener.port().to_string());
        let text = run("turnutils_stunclient", &["-p", &port, &ip.to_string()]);
        assert!(text.contains("UDP reflexive addr:"), "{text}");
    }
}
