//! The built-in relay: a TURN server (RFC 8656, RFC 8489) in the same process.
//!
//! # Layout
//! - [`Relay`]: what the rest of the server has in hand. Starts the threads, mints credentials, reads the meter, ends
//!   allocations.
//! - `core`: the protocol without sockets; `guard`, `bars`, `credential`, `nonce`, `budget`: who is let in; `peers`, `networks`: whom
//!   they may reach; `quota`, `lobby`, `ports`, `meter`: what threads share; `message`, `framing`: the formats. All of them pure.
//! - `shard`: one thread with its sockets, which does what its core decides.
//! - [`Lab`]: the core with nothing around it, for whoever tries it from outside.
//! - [`Adoption`]: what the site has in hand, to bring clients who came to its port.
//! - [`Bouncer`]: what sessions and limits have in hand, to end the allocations of those who are gone or have had their part.
//! - `control`: what an app and a relay in another process say to each other.
//! - [`seen_as`]: what a machine needs to know of itself before it can be a relay.
//!
//! # Why a server of our own
//! The library that was looked at first (turn-server-proto) searches all of its clients for each packet, which shows from
//! some hundred allocations on; keeps a nonce for every address that ever asked, and users for ever; and has no place for
//! quotas, for the end of one participant's allocations or for a filter of peers. What is left when all of that is put
//! around it is most of a server. Its formats (stun-types) write a line into the log at `WARN` for each malformed datagram of
//! a stranger, and so the few that TURN needs are here as well; tests hold them against that library and against coturn's
//! clients.
//!
//! # What it promises
//! - Nothing that comes from somebody without a credential takes memory or opens anything; `core::tests::attacks`.
//! - A credential of one participant works until it lapses, and no allocation outlives it.
//! - Data goes to the open internet or to another allocation here, and comes from where it may go to.
//! - What the meter says is the payload that went through, in both directions, while it goes.
//!
//! Refuses to know what happens in a session, what bytes cost and which of its addresses it should give out.

mod adoption;
mod allocation;
mod bars;
mod bouncer;
mod budget;
mod client;
mod control;
mod core;
mod credential;
mod framing;
mod guard;
mod lab;
mod lobby;
mod message;
mod meter;
mod networks;
mod nonce;
mod peers;
mod ports;
mod quota;
mod reflection;
mod settings;
mod shard;
#[cfg(test)]
pub(crate) mod tests;

pub use self::core::RelayedAddress;
pub use adoption::{Adopted, Adoption};
pub use bouncer::{Bouncer, Errands};
pub use control::{End, LONGEST_LINE, Orders, Report, Seal, Side, Telling};
pub use credential::{Credential, Holder, Mint, Secrets, SessionTag};
pub use lab::Lab;
pub use meter::{Meter, Traffic};
pub use networks::{Networks, ParseNetworksError, is_of_the_open_internet};
pub use peers::PeerFilter;
pub use quota::Quotas;
pub use reflection::seen_as;
pub use settings::{DYNAMIC_PORTS, Settings, Tls};

use self::core::{Core, Relayed, Shared};
use super::{clock::Clock, files};
use crate::domain::UnixMillis;
use guard::{Guard, Whom};
use lobby::{Limits, Lobby};
use mio::Poll;
use nonce::Nonces;
use ports::Ports;
use quota::Quota;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use shard::{Beginning, Door, Order, Shard, sockets};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// How many batches of packets may wait for a thread that another one has packets for.
const PARCELS: usize = 256;

/// Files that the rest of the process keeps open: visitors, the ledger, listeners.
const OTHER_FILES: u64 = 2_048;

/// Why the relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is not one to listen on.
    #[error("{address} cannot be listened on for {protocol} ({cause})")]
    CannotListen {
        /// Which one.
        address: SocketAddr,
        /// `UDP`, `TCP` or `TLS`.
        protocol: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// Clients would be given no address.
    #[error("the relay has no address to give out")]
    NoAddress,
    /// Clients would be given one of several addresses.
    #[error("the relay has two addresses of one family to give out: {0} and another one")]
    SeveralAddresses(IpAddr),
    /// Address and public address are of different families.
    #[error("{0} cannot be reached by an address of the other family")]
    MixedFamilies(IpAddr),
    /// There are no ports to give out.
    #[error("the range of ports for relayed addresses is empty or begins below 1024")]
    NoPorts,
    /// The system has no threads or queues for it.
    #[error("the relay cannot start: {0}")]
    System(#[from] io::Error),
}

/// What becomes of someone whose allocations are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// They may make new ones, if they have a credential.
    MayReturn,
    /// They may make none, whatever credential they have, until this moment: when the last one lapses.
    BarredUntil(UnixMillis),
}

/// A relay that runs. Stops when it is dropped.
#[derive(Debug)]
pub struct Relay {
    doors: Vec<Door>,
    threads: Vec<JoinHandle<()>>,
    mint: Mint,
    meter: Arc<Meter>,
    quota: Arc<Quota>,
    peers: PeerFilter,
    clock: Clock,
    udp: Vec<SocketAddr>,
    tcp: Vec<SocketAddr>,
    tls: Vec<SocketAddr>,
}

impl Relay {
    /// Takes the ports and starts the threads. Credentials of `mint` are accepted.
    pub fn start(settings: Settings, mint: Mint, clock: Clock) -> Result<Self, StartError> {
        let Settings { mut udp, mut tcp, mut tls, relayed, own, ports, realm, peers, clients, mut quotas, threads } =
            settings;
        let relayed = Relayed::of_families(&relayed)?;
        if ports.is_empty() || *ports.start() < 1024 {
            return Err(StartError::NoPorts);
        }
        let room = room_for_files();
        // Whoever comes over TCP takes a second file.
        quotas.total = quotas.total.min(room.div_ceil(2));
        let lobby = Lobby::new(Limits::of(room - quotas.total, &quotas));
        let mut given: Vec<_> = relayed.addresses().collect();
        let listened_on = udp.iter().chain(&tcp).chain(tls.iter().flat_map(|tls| &tls.listen));
        given.extend(listened_on.map(SocketAddr::ip).filter(|ip| !ip.is_unspecified()));
        let peers = peers.with_own(given, own);
        let quota = Quota::new(quotas);
        let meter = Arc::new(Meter::default());
        let shared = Arc::new(Shared {
            ports: Ports::new(ports),
            quota: Arc::clone(&quota),
            meter: Arc::clone(&meter),
            peers: peers.clone(),
            clients,
            relayed,
        });
        let nonces = Nonces::new(rand::rng().random());
        let mut beginnings = Vec::new();
        let mut doors = Vec::new();
        for number in 0..threads.get() {
            let guard = Guard::new(mint.clone(), realm.clone(), nonces.clone());
            let poll = Poll::new()?;
            let (orders, orders_in) = mpsc::channel();
            let (parcels, parcels_in) = mpsc::sync_channel(PARCELS);
            let plain = |address| sockets::acceptor(address, None);
            let mut acceptors = listen(&mut tcp, "TCP", plain, sockets::Acceptor::address)?;
            if let Some(Tls { listen: addresses, config }) = &mut tls {
                let sealed = |address| sockets::acceptor(address, Some(config));
                acceptors.extend(listen(addresses, "TLS", sealed, sockets::Acceptor::address)?);
            }
            doors.push(Door { orders, parcels, waker: Arc::new(shard::waker(poll.registry())?) });
            beginnings.push(Beginning {
                poll,
                core: Core::new(number, Arc::clone(&shared), guard, StdRng::from_os_rng()),
                clock: clock.clone(),
                listeners: listen(&mut udp, "UDP", sockets::listener, sockets::UdpPort::address)?,
                acceptors,
                lobby: Arc::clone(&lobby),
                orders: orders_in,
                parcels: parcels_in,
                number,
            });
        }
        let tls = tls.map(|tls| tls.listen).unwrap_or_default();
        let mut relay = Self { doors, threads: Vec::new(), mint, meter, quota, peers, clock, udp, tcp, tls };
        for beginning in beginnings {
            let name = format!("relay-{}", beginning.number);
            let shard = Shard::new(beginning, relay.doors.clone())?;
            relay.threads.push(std::thread::Builder::new().name(name).spawn(move || shard.run())?);
        }
        Ok(relay)
    }

    /// Where clients come over UDP.
    pub fn udp(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// Where clients come over TCP.
    pub fn tcp(&self) -> &[SocketAddr] {
        &self.tcp
    }

    /// Where clients come over TLS.
    pub fn tls(&self) -> &[SocketAddr] {
        &self.tls
    }

    /// What makes its credentials.
    pub fn mint(&self) -> &Mint {
        &self.mint
    }

    /// What takes connections over that somebody else has accepted.
    pub fn adoption(&self) -> Adoption {
        Adoption::new(self.doors.clone())
    }

    /// What ends its allocations without waiting for it. No credential lives longer than this.
    pub fn bouncer(&self, longest_life: Duration) -> Bouncer {
        Bouncer::new(self.doors.clone(), self.mint.clone(), self.clock.clone(), longest_life)
    }

    /// What it has relayed for whom.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// How many allocations there are.
    pub fn allocations(&self) -> u32 {
        self.quota.total()
    }

    /// Ends all allocations of a participant, and says how many there were. When it returns, nothing more goes through.
    pub async fn end_participant(&self, holder: Holder, afterwards: Afterwards) -> usize {
        self.end(Whom::Participant(holder), afterwards).await
    }

    /// Ends all allocations of a session, and says how many there were. When it returns, nothing more goes through.
    pub async fn end_session(&self, session: SessionTag, afterwards: Afterwards) -> usize {
        self.end(Whom::Session(session), afterwards).await
    }

    /// Does what an app asks for that is another process. When it returns, nothing more goes through for them.
    pub async fn carry_out(&self, end: End) {
        let afterwards = end.barred_until.map_or(Afterwards::MayReturn, Afterwards::BarredUntil);
        self.end(end.whom, afterwards).await;
    }

    /// Its machine has these addresses now. Whoever reaches one of them that is new may do so until their permission ends, which is
    /// five minutes at most, and ten over a channel.
    pub fn is_at(&self, machine: Vec<IpAddr>) {
        for new in self.peers.exchange(machine) {
            tracing::debug!("The relay's machine has another address: {new}");
        }
    }

    /// Forgets what nobody has asked for in a day. To be called now and then.
    pub fn forget_idle(&self) {
        self.meter.forget_idle(self.clock.now());
    }

    async fn end(&self, whom: Whom, afterwards: Afterwards) -> usize {
        let barred_until = match afterwards {
            Afterwards::MayReturn => None,
            Afterwards::BarredUntil(until) => Some(until),
        };
        let mut count = 0;
        for answer in bouncer::end(&self.doors, whom, barred_until) {
            // A thread that is gone has no allocations.
            count += answer.await.unwrap_or_default();
        }
        count
    }
}

impl Drop for Relay {
    /// Waits for the threads, which takes as long as one batch of packets.
    fn drop(&mut self) {
        for door in &self.doors {
            if door.orders.send(Order::Stop).is_ok() {
                shard::wake(&door.waker);
            }
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("A thread of the relay had stopped by itself");
            }
        }
    }
}

/// A socket on each address. The first thread's sockets say which port it is where any is wanted.
fn listen<S>(
    addresses: &mut [SocketAddr],
    protocol: &'static str,
    socket: impl Fn(SocketAddr) -> io::Result<S>,
    bound: impl Fn(&S) -> io::Result<SocketAddr>,
) -> Result<Vec<S>, StartError> {
    let one = |address: &mut SocketAddr| {
        let failed = |cause| StartError::CannotListen { address: *address, protocol, cause };
        let socket = socket(*address).map_err(failed)?;
        *address = bound(&socket).map_err(failed)?;
        Ok(socket)
    };
    addresses.iter_mut().map(one).collect()
}

/// How many sockets this process can have for allocations.
fn room_for_files() -> u32 {
    u32::try_from(files::most_open().saturating_sub(OTHER_FILES)).unwrap_or(u32::MAX)
}
