//! A TURN client of flesh and sockets, and those it talks to. All of it on this machine.

use super::dialogue::{REALM, Reply, Speaker, UDP, channel_data, mint};
use crate::domain::{ParticipantId, SessionCode, UnixMillis};
use crate::server::clock::Clock;
use crate::server::relay::{
    Credential, Holder, Networks, PeerFilter, Relay, Settings,
    framing::Framing,
    message::{Method, attribute},
};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned, pki_types::PrivatePkcs8KeyDer};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    num::NonZero,
    sync::Arc,
    time::Duration,
};

/// How long something may take that is to happen.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first number that a channel can have.
const CHANNEL: u16 = 0x4000;

/// How long is waited for something that is not to happen.
pub(super) const SILENCE: Duration = Duration::from_millis(150);

/// A relay on this machine, over both families, for peers on this machine.
pub(crate) fn relay() -> Relay {
    relay_with(|_| ())
}

pub(super) fn relay_with(change: impl FnOnce(&mut Settings)) -> Relay {
    relay_by(Clock::system(), change)
}

/// By this clock.
pub(super) fn relay_by(clock: Clock, change: impl FnOnce(&mut Settings)) -> Relay {
    let listen = ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse().unwrap());
    let mut settings = Settings {
        realm: REALM.to_owned(),
        peers: PeerFilter::new().in_development(true),
        clients: Networks::default(),
        threads: NonZero::<u16>::MIN,
        ..Settings::on(&listen)
    };
    change(&mut settings);
    Relay::start(settings, mint(), clock).unwrap()
}

pub(super) fn holder(session: u64, participant: u64) -> Holder {
    mint().holder(SessionCode::from_random(session), ParticipantId::from_random(participant))
}

/// A credential for an hour.
pub(super) fn credential(session: u64, participant: u64) -> Credential {
    mint().issue(holder(session, participant), in_an_hour())
}

pub(super) fn in_an_hour() -> UnixMillis {
    Clock::system().wall().plus(Duration::from_hours(1))
}

/// A peer that sends everything back to where it came from, until it gets nothing for long.
pub(crate) fn echo(on: &str) -> SocketAddr {
    let socket = UdpSocket::bind(on).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(&buffer[..length], from).unwrap();
        }
    });
    address
}

enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream, Framing),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>, Framing),
}

/// A certificate for `localhost`, as a server shows it and as a client knows it.
pub(super) fn certificate() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key).into())
        .unwrap();
    let mut known = RootCertStore::empty();
    known.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(known)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// A client of the relay.
pub(crate) struct Caller {
    line: Line,
    pub(super) speaker: Speaker,
    /// What has come and was not asked for yet.
    heard: Vec<Vec<u8>>,
}

impl Caller {
    /// Over UDP, to the relay's socket of this number.
    pub(crate) fn udp(relay: SocketAddr, credential: &Credential) -> Self {
        let own = if relay.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(own).unwrap();
        socket.connect(relay).unwrap();
        Self { line: Line::Udp(socket), speaker: Speaker::with(credential), heard: Vec::new() }
    }

    /// Over TCP.
    pub(crate) fn tcp(relay: SocketAddr, credential: &Credential) -> Self {
        let socket = TcpStream::connect(relay).unwrap();
        socket.set_nodelay(true).unwrap();
        let line = Line::Tcp(socket, Framing::default());
        Self { line, speaker: Speaker::with(credential), heard: Vec::new() }
    }

    /// Over TLS.
    pub(crate) fn tls(relay: SocketAddr, config: Arc<ClientConfig>, credential: &Credential) -> Self {
        let socket = TcpStream::connect(relay).unwrap();
        socket.set_nodelay(true).unwrap();
        let connection = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let line = Line::Tls(Box::new(StreamOwned::new(connection, socket)), Framing::default());
        Self { line, speaker: Speaker::with(credential), heard: Vec::new() }
    }

    pub(super) fn address(&self) -> SocketAddr {
        match &self.line {
            Line::Udp(socket) => socket.local_addr().unwrap(),
            Line::Tcp(socket, _) => socket.local_addr().unwrap(),
            Line::Tls(stream, _) => stream.sock.local_addr().unwrap(),
        }
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        match &mut self.line {
            Line::Udp(socket) => assert_eq!(socket.send(bytes).unwrap(), bytes.len()),
            Line::Tcp(socket, _) => socket.write_all(&padded(bytes)).unwrap(),
            Line::Tls(stream, _) => stream.write_all(&padded(bytes)).unwrap(),
        }
    }

    /// The next message, if one comes in time.
    pub(super) fn hear_within(&mut self, time: Duration) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        while self.heard.is_empty() {
            let read = match &mut self.line {
                Line::Udp(socket) => {
                    socket.set_read_timeout(Some(time)).unwrap();
                    socket.recv(&mut buffer)
                }
                Line::Tcp(socket, _) => {
                    socket.set_read_timeout(Some(time)).unwrap();
                    socket.read(&mut buffer)
                }
                Line::Tls(stream, _) => {
                    stream.sock.set_read_timeout(Some(time)).unwrap();
                    stream.read(&mut buffer)
                }
            };
            match (read, &mut self.line) {
                (Ok(0), Line::Tcp(..) | Line::Tls(..)) => return None,
                (Ok(length), Line::Udp(_)) => self.heard.push(buffer[..length].to_vec()),
                (Ok(length), Line::Tcp(_, framing) | Line::Tls(_, framing)) => {
                    framing.take(&buffer[..length], |message| self.heard.push(message.to_vec())).unwrap();
                }
                (Err(error), _) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
                (Err(error), _) if error.kind() == ErrorKind::ConnectionReset => return None,
                (Err(error), _) => panic!("{error}"),
            }
        }
        Some(self.heard.remove(0))
    }

    pub(super) fn hear(&mut self) -> Vec<u8> {
        self.hear_within(PATIENCE).expect("something comes")
    }

    /// Whether the connection is closed by the other side.
    pub(super) fn is_cut(&mut self) -> bool {
        let Line::Tcp(socket, _) = &mut self.line else {
            return false;
        };
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        loop {
            match socket.read(&mut [0; 4096]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::ConnectionReset,
            }
        }
    }

    pub(super) fn ask(&mut self, request: &[u8]) -> Reply {
        self.say(request);
        Reply::of(self.hear())
    }

    /// Gets a nonce and asks for an allocation with these attributes.
    pub(super) fn allocate_with(&mut self, attributes: &[(u16, &[u8])]) -> Reply {
        let greeting = self.speaker.bare(Method::Allocate, attributes);
        let refused = self.ask(&greeting);
        assert_eq!(refused.code, 401);
        self.speaker.nonce = refused.nonce();
        let request = self.speaker.request(Method::Allocate, attributes);
        self.ask(&request)
    }

    pub(crate) fn allocate(&mut self) -> SocketAddr {
        let reply = self.allocate_with(&[UDP]);
        assert_eq!(reply.code, 0);
        assert_eq!(reply.address(attribute::XOR_MAPPED_ADDRESS), self.address());
        reply.relayed()
    }

    /// Whether the relay gives it an allocation.
    pub(crate) fn is_served(&mut self) -> bool {
        self.allocate_with(&[UDP]).code == 0
    }

    /// Whether the allocation that it has can be prolonged.
    pub(crate) fn keeps_its_allocation(&mut self) -> bool {
        let request = self.speaker.request(Method::Refresh, &[]);
        self.ask(&request).code == 0
    }

    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr) -> u16 {
        let request = self.speaker.bind(number, peer);
        self.ask(&request).code
    }

    /// Asks for a channel to this peer.
    pub(crate) fn open_channel(&mut self, peer: SocketAddr) {
        assert_eq!(self.bind(CHANNEL, peer), 0);
    }

    /// Sends so many packets of 1000 bytes to the peer of the channel, whether or not the relay passes them on.
    pub(crate) fn send(&mut self, packets: u32) {
        for _ in 0..packets {
            self.say(&channel_data(CHANNEL, &[0; 1_000]));
        }
    }

    /// Whether data goes out and comes back soon.
    pub(crate) fn passes(&mut self, number: u16, payload: &[u8]) -> bool {
        self.say(&channel_data(number, payload));
        self.hear_within(SILENCE).is_some()
    }

    /// Sends data and waits for what a channel brings.
    pub(crate) fn round_trip(&mut self, number: u16, payload: &[u8]) {
        self.say(&channel_data(number, payload));
        let heard = self.hear();
        let expected = channel_data(number, payload);
        assert_eq!(heard[..expected.len()], expected);
    }
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    padded
}
