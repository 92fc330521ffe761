//! A relay without sockets, for whoever tries it from outside the crate: the targets in `fuzz/`, which follow the coverage.
//!
//! Everything of it stands in the source, its secret too, and it sends nothing anywhere. What strangers say goes in as it is; what a
//! member says is signed as theirs would be, since no made-up input would ever find the proof. Time passes when it is told to.

use super::{
    Mint, PeerFilter, Quotas, RelayedAddress,
    client::{Client, Leg, Moment},
    core::{Core, Output, Relayed, Shared, Slot, Via},
    framing::Framing,
    guard::Guard,
    message::{Class, Draft, Key, Message, attribute},
    networks::Networks,
    nonce::Nonces,
    ports::Ports,
    quota::Quota,
};
use crate::domain::{Now, UnixMillis};
use rand::{SeedableRng as _, rngs::StdRng};
use secrecy::ExposeSecret as _;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

const REALM: &str = "lab";

/// Much longer than anybody tries.
const CREDENTIAL_FOR: Duration = Duration::from_hours(24 * 365);

/// See the module's words.
#[derive(Debug)]
pub struct Lab {
    core: Core,
    shared: Arc<Shared>,
    nonces: Nonces,
    username: String,
    key: Key,
    at: Moment,
    open: BTreeSet<Slot>,
    carried: usize,
}

impl Default for Lab {
    fn default() -> Self {
        let v4 = RelayedAddress { bound: Ipv4Addr::new(10, 0, 0, 5).into(), public: Ipv4Addr::new(1, 2, 3, 4).into() };
        let relayed = Relayed { v4: Some(v4), v6: None };
        let shared = Arc::new(Shared {
            ports: Ports::new(50_000..=50_063),
            quota: Quota::new(Quotas::default()),
            meter: Arc::default(),
            peers: PeerFilter::new().with_own(relayed.addresses().collect(), Vec::new()),
            clients: Networks::default(),
            relayed,
        });
        let at = Moment { now: Now::since_start(Duration::from_secs(100)), wall: UnixMillis(1_000_000_000) };
        let (mint, nonces) = (Mint::new(b"everybody knows this one"), Nonces::new([5; 20]));
        let credential = mint.issue(mint.stranger(1), at.wall.plus(CREDENTIAL_FOR));
        let key = Key::long_term(&credential.username, REALM, credential.password.expose_secret());
        let guard = Guard::new(mint, REALM.to_owned(), nonces.clone());
        let core = Core::new(0, Arc::clone(&shared), guard, StdRng::seed_from_u64(1));
        let (username, open) = (credential.username, BTreeSet::new());
        Self { core, shared, nonces, username, key, at, open, carried: 0 }
    }
}

impl Lab {
    /// A stranger's datagram. How long each answer is.
    pub fn stranger(&mut self, datagram: &[u8]) -> Vec<usize> {
        self.say(&client(9), datagram)
    }

    /// A member's datagram, with their proof where it is a request. How long each answer is.
    pub fn member(&mut self, datagram: &[u8]) -> Vec<usize> {
        let signed = Message::parse(datagram)
            .filter(|message| message.class() == Class::Request)
            .map(|request| self.sign(&request));
        self.say(&member(), signed.as_deref().unwrap_or(datagram))
    }

    /// What a member says over a connection, taken apart into messages. How long each answer is.
    pub fn stream(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut messages = Vec::new();
        // What comes after nonsense is not read.
        let _nonsense = Framing::default().take(bytes, |message| messages.push(message.to_vec()));
        messages.iter().flat_map(|message| self.member(message)).collect()
    }

    /// A datagram of somebody on the internet, at the address of every allocation.
    pub fn peer(&mut self, from: SocketAddr, payload: &[u8]) {
        for slot in self.open.clone() {
            let passed = self.core.handle_peer(slot, from, payload, Via::Socket, self.at).is_some();
            self.carried += usize::from(passed);
        }
    }

    /// Time passes.
    pub fn wait(&mut self, time: Duration) {
        self.at = Moment { now: self.at.now + time, wall: self.at.wall.plus(time) };
        self.core.handle_timeout(self.at);
        self.drain();
    }

    /// How many allocations there are.
    pub fn allocations(&self) -> u32 {
        self.shared.quota.total()
    }

    /// How many sockets are open for them.
    pub fn sockets(&self) -> usize {
        self.open.len()
    }

    /// How many pieces of data went on, either way.
    pub fn carried(&self) -> usize {
        self.carried
    }

    fn say(&mut self, client: &Client, datagram: &[u8]) -> Vec<usize> {
        let onward = self.core.handle_client(client, datagram, self.at).is_some();
        self.carried += usize::from(onward);
        self.drain()
    }

    fn sign(&self, request: &Message<'_>) -> Vec<u8> {
        let ours = [attribute::USERNAME, attribute::REALM, attribute::NONCE];
        let nonce = self.nonces.make(&member(), self.at.now);
        let bare = Draft::new(Class::Request, request.method(), &request.transaction());
        let theirs = request.attributes().filter(|(kind, _)| !ours.contains(kind));
        theirs
            .fold(bare, |draft, (kind, value)| draft.with(kind, value))
            .with(attribute::USERNAME, self.username.as_bytes())
            .with(attribute::REALM, REALM.as_bytes())
            .with(attribute::NONCE, nonce.as_bytes())
            .signed(&self.key)
    }

    fn drain(&mut self) -> Vec<usize> {
        let mut answers = Vec::new();
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Answer { message, .. } => answers.push(message.len()),
                Output::Open { slot, .. } => {
                    self.open.insert(slot);
                    self.core.opened(slot, true);
                }
                Output::Close { slot } => drop(self.open.remove(&slot)),
                Output::HangUp { .. } => {}
            }
        }
        answers
    }
}

fn client(port: u16) -> Client {
    let remote = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)), port);
    Client { remote, leg: Leg::Datagram { listener: 0, local: None } }
}

fn member() -> Client {
    client(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::relay::message::Method;

    fn peer() -> SocketAddr {
        ([9, 9, 9, 9], 9).into()
    }

    fn allocate() -> Vec<u8> {
        let request = Draft::new(Class::Request, Method::Allocate, &[7; 12]);
        request.with(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]).unsigned()
    }

    #[test]
    fn a_member_s_requests_get_as_deep_as_data_and_a_stranger_s_nowhere() {
        let mut lab = Lab::default();
        assert_eq!(lab.stranger(&allocate()).len(), 1);
        assert_eq!((lab.allocations(), lab.sockets()), (0, 0));
        assert_eq!(lab.stream(&allocate()).len(), 1);
        assert_eq!((lab.allocations(), lab.sockets()), (1, 1));
        lab.peer(peer(), b"not yet");
        assert_eq!(lab.carried(), 0);
        let permission = Draft::new(Class::Request, Method::CreatePermission, &[8; 12]);
        lab.member(&permission.with_address(attribute::XOR_PEER_ADDRESS, peer()).unsigned());
        lab.peer(peer(), b"now");
        assert_eq!(lab.carried(), 1);
        lab.wait(Duration::from_hours(2));
        assert_eq!((lab.allocations(), lab.sockets()), (0, 0));
    }
}
