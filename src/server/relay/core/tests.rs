//! The protocol in virtual time, without a socket.

mod attacks;
mod credentials;
mod data;
mod requests;

use super::*;
use crate::domain::{ParticipantId, SessionCode};
use crate::server::relay::{
    credential::{Credential, Holder},
    nonce::Nonces,
    quota::Quotas,
    tests::dialogue::{REALM, Reply, Speaker, UDP, channel_data, mint},
};
use rand::SeedableRng as _;
use std::time::Duration;

/// The relay's address as peers see it, and as the machine knows it: behind a 1:1 NAT.
const PUBLIC: &str = "1.2.3.4";
const BOUND: &str = "10.0.0.5";
const PEER: &str = "9.9.9.9:9";

/// A core, and what its driver would have.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) at: Moment,
    pub(super) open: BTreeSet<Slot>,
    /// How many sockets the system will not open.
    pub(super) failing: u32,
    pub(super) hung_up: Vec<u32>,
}

/// What a world is made with.
pub(super) struct Terms {
    pub(super) quotas: Quotas,
    pub(super) peers: PeerFilter,
    pub(super) clients: Networks,
    pub(super) ports: std::ops::RangeInclusive<u16>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            quotas: Quotas::default(),
            peers: PeerFilter::new(),
            clients: Networks::default(),
            ports: 50_000..=50_999,
        }
    }
}

pub(super) fn client(port: u16) -> Client {
    client_at(&format!("8.8.8.8:{port}"))
}

pub(super) fn client_at(remote: &str) -> Client {
    Client { remote: remote.parse().unwrap(), leg: Leg::Datagram { listener: 0, local: None } }
}

pub(super) fn peer() -> SocketAddr {
    PEER.parse().unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        Self::on(Terms::default())
    }

    pub(super) fn on(terms: Terms) -> Self {
        let v4 = RelayedAddress { bound: BOUND.parse().unwrap(), public: PUBLIC.parse().unwrap() };
        let relayed = Relayed { v4: Some(v4), v6: Some(RelayedAddress::from("2606::1".parse::<IpAddr>().unwrap())) };
        let shared = Shared {
            ports: Ports::new(terms.ports),
            quota: Quota::new(terms.quotas),
            meter: Arc::default(),
            peers: terms.peers.with_own(relayed.addresses().collect(), Vec::new()),
            clients: terms.clients,
            relayed,
        };
        let guard = Guard::new(mint(), REALM.to_owned(), Nonces::new([5; 20]));
        let at = Moment { now: Now::since_start(Duration::from_secs(100)), wall: UnixMillis(1_000_000_000) };
        Self {
            core: Core::new(0, Arc::new(shared), guard, StdRng::seed_from_u64(1)),
            at,
            open: BTreeSet::new(),
            failing: 0,
            hung_up: Vec::new(),
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.at = Moment { now: self.at.now + time, wall: self.at.wall.plus(time) };
        self.core.handle_timeout(self.at);
        assert!(self.drain().is_empty(), "time alone answers nobody");
    }

    /// A credential of this participant of the first session for a day.
    pub(super) fn credential(&self, participant: u64) -> Credential {
        self.credential_for(holder(1, participant), Duration::from_hours(24))
    }

    pub(super) fn credential_for(&self, holder: Holder, time: Duration) -> Credential {
        mint().issue(holder, self.at.wall.plus(time))
    }

    pub(super) fn speaker(&self, participant: u64) -> Speaker {
        Speaker::with(&self.credential(participant))
    }

    /// What comes back when the client says this; the driver's part is done.
    pub(super) fn say(&mut self, client: &Client, bytes: &[u8]) -> Vec<Reply> {
        assert_eq!(self.core.handle_client(client, bytes, self.at), None, "a request carries no data");
        let answers = self.drain();
        answers.into_iter().map(|(to, message)| (to == *client).then(|| Reply::of(message)).unwrap()).collect()
    }

    pub(super) fn ask(&mut self, client: &Client, bytes: &[u8]) -> Reply {
        let mut replies = self.say(client, bytes);
        assert_eq!(replies.len(), 1, "a request has one answer");
        replies.remove(0)
    }

    pub(super) fn drain(&mut self) -> Vec<(Client, Vec<u8>)> {
        let mut answers = Vec::new();
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Answer { client, message } => answers.push((client, message)),
                Output::Open { slot, at } => {
                    assert!([BOUND, "2606::1"].contains(&at.ip().to_string().as_str()), "{at} is not what is bound");
                    let there = self.failing == 0;
                    self.failing = self.failing.saturating_sub(1);
                    if there {
                        assert!(self.open.insert(slot), "one socket each");
                    }
                    self.core.opened(slot, there);
                }
                Output::Close { slot } => drop(self.open.remove(&slot)),
                Output::HangUp { number } => self.hung_up.push(number),
            }
        }
        answers
    }

    /// Gets a nonce and asks for an allocation.
    pub(super) fn allocate(&mut self, client: &Client, speaker: &mut Speaker) -> Reply {
        self.allocate_with(client, speaker, &[UDP])
    }

    pub(super) fn allocate_with(
        &mut self,
        client: &Client,
        speaker: &mut Speaker,
        attributes: &[(u16, &[u8])],
    ) -> Reply {
        let greeting = speaker.bare(Method::Allocate, attributes);
        let refused = self.ask(client, &greeting);
        assert_eq!(refused.code, 401);
        speaker.nonce = refused.nonce();
        let request = speaker.request(Method::Allocate, attributes);
        self.ask(client, &request)
    }

    /// A client with an allocation, and a channel to [`PEER`].
    pub(super) fn connected(&mut self, port: u16, participant: u64) -> (Client, Speaker, SocketAddr) {
        let (client, mut speaker) = (client(port), self.speaker(participant));
        let relayed = self.allocate(&client, &mut speaker).relayed();
        let bind = speaker.bind(0x4000, peer());
        assert_eq!(self.ask(&client, &bind).code, 0);
        (client, speaker, relayed)
    }

    pub(super) fn slot(&self, client: &Client) -> Slot {
        self.core.clients[client]
    }

    /// What of this reaches the network.
    pub(super) fn sent(&mut self, client: &Client, bytes: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        match self.core.handle_client(client, bytes, self.at)? {
            Onward::Peer { peer, payload, .. } => Some((peer, payload.to_vec())),
            Onward::Own { .. } => None,
        }
    }

    /// What the client gets of this.
    pub(super) fn received(&mut self, client: &Client, from: SocketAddr, payload: &[u8]) -> Option<Wrapping> {
        let slot = self.slot(client);
        self.core.handle_peer(slot, from, payload, Via::Socket, self.at).map(|to| {
            assert_eq!(to.client, *client);
            to.wrapping
        })
    }
}

pub(super) fn holder(session: u64, participant: u64) -> Holder {
    mint().holder(SessionCode::from_random(session), ParticipantId::from_random(participant))
}
