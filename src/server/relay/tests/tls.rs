//! Clients over TLS.

use super::caller::{Caller, certificate, credential, echo, holder, relay_with};
use super::dialogue::channel_data;
use crate::server::relay::{Relay, Tls};
use rustls::{ClientConfig, ServerConfig};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

fn relay(config: Arc<ServerConfig>) -> Relay {
    let listen = ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap()).to_vec();
    relay_with(|settings| settings.tls = Some(Tls { listen, config }))
}

fn limited(config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.max_fragment_size = Some(64);
    Arc::new(config)
}

#[test]
fn data_goes_out_and_comes_back() {
    let (server, client) = certificate();
    let relay = relay(server);
    let peer = echo("127.0.0.1:0");
    // The second one cuts all it says into records of a few bytes.
    for (listener, config) in [(0, Arc::clone(&client)), (1, limited(&client))] {
        let mut caller = Caller::tls(relay.tls()[listener], config, &credential(1, listener as u64));
        caller.allocate();
        assert_eq!(caller.bind(0x4000, peer), 0);
        for length in [1, 2, 3, 4, 120, 1199, 1200] {
            caller.round_trip(0x4000, &vec![7; length]);
        }
        let traffic = relay.meter().read(holder(1, listener as u64)).unwrap();
        assert_eq!((traffic.sent.get(), traffic.received.get()), (2529, 2529));
    }
}

#[test]
fn bursts_arrive_whole_and_in_order() {
    let (server, client) = certificate();
    let relay = relay(server);
    let peer = echo("127.0.0.1:0");
    let mut caller = Caller::tls(relay.tls()[0], client, &credential(1, 1));
    caller.allocate();
    assert_eq!(caller.bind(0x4000, peer), 0);
    for number in 0..100_u8 {
        caller.say(&channel_data(0x4000, &[number; 1200]));
    }
    for number in 0..100_u8 {
        assert_eq!(caller.hear(), channel_data(0x4000, &[number; 1200]));
    }
}

#[test]
fn who_does_not_know_tls_is_cut_off() {
    let relay = relay(certificate().0);
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]] {
        let mut socket = TcpStream::connect(relay.tls()[0]).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.write_all(nonsense).unwrap();
        let mut heard = Vec::new();
        // A reset is as good as an end.
        let _ = socket.read_to_end(&mut heard);
        assert!(heard.len() < 16, "an alert at most: {heard:?}");
    }
}

#[test]
fn with_the_connection_the_allocation_ends() {
    let (server, client) = certificate();
    let relay = relay(server);
    let mut caller = Caller::tls(relay.tls()[0], client, &credential(1, 1));
    caller.allocate();
    drop(caller);
    super::streams::eventually(|| relay.allocations() == 0);
}
