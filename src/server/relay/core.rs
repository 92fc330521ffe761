//! A TURN server without sockets (RFC 8656): one thread's share of the relay.
//!
//! Takes datagrams of clients and of peers and says where they go; answers requests; says which sockets to open and to
//! close. It is the only one that knows the protocol, and knows nothing of how bytes get anywhere. Time is passed in.
//!
//! Data takes the short way: [`Core::handle_client`] and [`Core::handle_peer`] return what to send and where, as a piece of what
//! came in, with one look-up in a map and without allocating. Everything else is answered through
//! [`Core::poll_output`].
//!
//! It speaks TURN for UDP peers, one address family an allocation. Not known here: reservations of a second port
//! (RESERVATION-TOKEN), ADDITIONAL-ADDRESS-FAMILY (which may be ignored, and is), DONT-FRAGMENT, TCP towards peers (RFC
//! 6062), mobility, and ICMP for clients.

mod requests;
#[cfg(test)]
mod tests;

use super::{
    StartError,
    allocation::{Allocation, Opening},
    client::{Client, Leg, Moment},
    guard::{Guard, Whom},
    message::{
        Class, Draft, ErrorCode, Message, Method, Transaction, attribute, data_indication_length, put_data_indication,
    },
    meter::Meter,
    networks::Networks,
    peers::{PeerFilter, Verdict},
    ports::{Owner, Ports},
    quota::Quota,
};
use crate::domain::{Now, UnixMillis};
use rand::{RngCore as _, rngs::StdRng};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The channels that there are. RFC 8656 stops at 0x4FFF, to leave room beside `ChannelData` on one socket; clients that
/// know RFC 5766 choose from all of these, and here there is nothing beside it.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7FFF;

/// The most that is carried in one piece; with any wrapping it fits a UDP datagram.
const LARGEST_PAYLOAD: usize = 65_000;

/// How often another port is tried where the system does not give the chosen one.
const TRIES: u8 = 8;

/// Where an allocation is in its core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Slot(pub(super) u32);

impl Slot {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What all threads of the relay share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ports: Arc<Ports>,
    pub(super) quota: Arc<Quota>,
    pub(super) meter: Arc<Meter>,
    pub(super) peers: PeerFilter,
    /// Who may be a client; everyone, where it is empty.
    pub(super) clients: Networks,
    /// Where relayed addresses are, by family.
    pub(super) relayed: Relayed,
}

/// The addresses that relayed sockets have, at most one of each family.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Relayed {
    pub(super) v4: Option<RelayedAddress>,
    pub(super) v6: Option<RelayedAddress>,
}

/// An address for relayed sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayedAddress {
    /// The address of this machine that the sockets are bound to.
    pub bound: IpAddr,
    /// The address that peers reach them at: the same, unless a 1:1 NAT stands between.
    pub public: IpAddr,
}

impl From<IpAddr> for RelayedAddress {
    fn from(ip: IpAddr) -> Self {
        Self { bound: ip, public: ip }
    }
}

/// Where a client's data goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Onward<'a> {
    /// Out of the socket of this allocation, to a peer.
    Peer { slot: Slot, peer: SocketAddr, payload: &'a [u8] },
    /// To another allocation of this relay, as if it had come from the network.
    Own { owner: Owner, from: SocketAddr, to: SocketAddr, payload: &'a [u8] },
}

/// Where a peer's data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToClient {
    pub(super) client: Client,
    pub(super) wrapping: Wrapping,
}

/// What a peer's data is wrapped in on its way to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// `ChannelData`: the peer has a number.
    Channel(u16),
    /// A DATA indication: it has none.
    Indication { peer: SocketAddr, transaction: Transaction },
}

/// How a peer's data came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    /// Through the socket of the allocation.
    Socket,
    /// From another allocation, which was at this port and meant that one.
    HandOver { to: u16 },
}

/// What else is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Send this to the client.
    Answer { client: Client, message: Vec<u8> },
    /// Open a socket for this allocation, and say what came of it: [`Core::opened`].
    Open { slot: Slot, at: SocketAddr },
    /// Close the socket of this allocation.
    Close { slot: Slot },
    /// Close this connection of a client.
    HangUp { number: u32 },
}

/// One thread's share of the relay.
#[derive(Debug)]
pub(super) struct Core {
    shard: u16,
    shared: Arc<Shared>,
    guard: Guard,
    random: StdRng,
    clients: HashMap<Client, Slot>,
    /// Empty places are `None`, and in `free`.
    allocations: Vec<Option<Allocation>>,
    free: Vec<Slot>,
    deadlines: BTreeSet<(Now, Slot)>,
    outputs: VecDeque<Output>,
}

impl Core {
    pub(super) fn new(shard: u16, shared: Arc<Shared>, guard: Guard, random: StdRng) -> Self {
        Self {
            shard,
            shared,
            guard,
            random,
            clients: HashMap::new(),
            allocations: Vec::new(),
            free: Vec::new(),
            deadlines: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// A datagram of a client, or a whole message of its stream. What comes back is data for someone; there may be outputs.
    pub(super) fn handle_client<'a>(&mut self, client: &Client, bytes: &'a [u8], at: Moment) -> Option<Onward<'a>> {
        match bytes.first()? >> 6 {
            0b01 => self.channel_data(client, bytes, at),
            0b00 => self.stun(client, &Message::parse(bytes)?, at),
            _ => None,
        }
    }

    /// A datagram of a peer, for this allocation. `None`: it goes nowhere.
    pub(super) fn handle_peer(
        &mut self,
        slot: Slot,
        peer: SocketAddr,
        payload: &[u8],
        via: Via,
        at: Moment,
    ) -> Option<ToClient> {
        let allocation = self.allocations.get_mut(slot.index())?.as_mut()?;
        let permitted = allocation.permitted(peer.ip(), at.now)?;
        match via {
            // Another allocation's packets do not come through the network: this one only says that it is from there.
            Via::Socket if permitted == (Verdict::Own { or_outside: false }) => return None,
            // The place may have got a new tenant while the packet was on its way between threads.
            Via::HandOver { to } if allocation.port.number() != to => return None,
            Via::Socket | Via::HandOver { .. } => {}
        }
        if payload.len() > LARGEST_PAYLOAD || allocation.opening.is_some() {
            return None;
        }
        if !allocation.line.received(payload.len(), at.now) {
            return None;
        }
        let wrapping = if let Some(number) = allocation.channel_of(peer, at.now) {
            Wrapping::Channel(number)
        } else {
            let mut transaction = [0; 12];
            self.random.fill_bytes(&mut transaction);
            Wrapping::Indication { peer, transaction }
        };
        Some(ToClient { client: allocation.client, wrapping })
    }

    /// What came of [`Output::Open`].
    pub(super) fn opened(&mut self, slot: Slot, there: bool) {
        let Some(allocation) = self.allocations.get_mut(slot.index()).and_then(Option::as_mut) else {
            return;
        };
        let Some(opening) = allocation.opening.take() else {
            return;
        };
        if there {
            let answer = requests::allocated(allocation, &opening);
            allocation.answer.clone_from(&answer);
            let client = allocation.client;
            self.outputs.push_back(Output::Answer { client, message: answer });
        } else {
            self.open_elsewhere(slot, opening);
        }
    }

    /// The connection of a client is gone, and with it what belongs to it.
    pub(super) fn hung_up(&mut self, client: &Client) {
        if let Some(slot) = self.clients.get(client).copied() {
            self.end(slot);
        }
    }

    /// Whether the client has an allocation.
    pub(super) fn serves(&self, client: &Client) -> bool {
        self.clients.contains_key(client)
    }

    /// Whether someone at this address may be a client at all.
    pub(super) fn welcomes(&self, ip: IpAddr) -> bool {
        self.shared.clients.is_empty() || self.shared.clients.hold(ip)
    }

    /// Ends the allocations of everyone who is meant, and says how many there were.
    pub(super) fn end_all(&mut self, whom: Whom) -> usize {
        let meant = |allocation: &Allocation| whom.includes(allocation.claim.holder);
        let slots: Vec<_> = self
            .clients
            .values()
            .copied()
            .filter(|slot| self.allocations[slot.index()].as_ref().is_some_and(meant))
            .collect();
        for slot in &slots {
            if let Some(client) = self.end(*slot)
                && let Leg::Stream { number } = client.leg
            {
                self.outputs.push_back(Output::HangUp { number });
            }
        }
        slots.len()
    }

    /// Lets someone make no more allocations until `until`.
    pub(super) fn bar(&mut self, whom: Whom, until: UnixMillis, at: Moment) {
        self.guard.bar(whom, until, at.wall);
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, at: Moment) {
        while let Some((deadline, slot)) = self.deadlines.first().copied()
            && deadline <= at.now
        {
            self.end(slot);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn next_timeout(&self) -> Option<Now> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The next thing that is to be done.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn channel_data<'a>(&mut self, client: &Client, bytes: &'a [u8], at: Moment) -> Option<Onward<'a>> {
        let (header, rest) = bytes.split_first_chunk::<4>()?;
        let number = u16::from_be_bytes([header[0], header[1]]);
        // What is beyond the length is padding, which streams need and datagrams may have.
        let payload = rest.get(..usize::from(u16::from_be_bytes([header[2], header[3]])))?;
        let slot = *self.clients.get(client)?;
        let (peer, verdict) = self.allocations[slot.index()].as_ref()?.peer_of(number, at.now)?;
        self.onward(slot, peer, verdict, payload, at)
    }

    fn stun<'a>(&mut self, client: &Client, message: &Message<'a>, at: Moment) -> Option<Onward<'a>> {
        if client.remote.port() == 0 || !self.welcomes(client.remote.ip()) {
            return None;
        }
        match (message.class(), message.method()) {
            (Class::Indication, Method::Send) => return self.send_indication(client, message, at),
            (Class::Request, Method::Binding) => self.binding(client, message, at),
            (Class::Request, Method::Allocate | Method::Refresh | Method::CreatePermission | Method::ChannelBind) => {
                self.request(client, message, at);
            }
            _ => {}
        }
        None
    }

    /// See <https://www.rfc-editor.org/rfc/rfc8656#section-11.2>.
    fn send_indication<'a>(&mut self, client: &Client, message: &Message<'a>, at: Moment) -> Option<Onward<'a>> {
        let slot = *self.clients.get(client)?;
        if !message.unknown(&[attribute::XOR_PEER_ADDRESS, attribute::DATA]).is_empty() {
            return None;
        }
        let peer = message.addresses(attribute::XOR_PEER_ADDRESS).next()??;
        let payload = message.attribute(attribute::DATA)?;
        let verdict = self.allocations[slot.index()].as_ref()?.permitted(peer.ip(), at.now)?;
        self.onward(slot, peer, verdict, payload, at)
    }

    fn onward<'a>(
        &mut self,
        slot: Slot,
        peer: SocketAddr,
        verdict: Verdict,
        payload: &'a [u8],
        at: Moment,
    ) -> Option<Onward<'a>> {
        if payload.len() > LARGEST_PAYLOAD || peer.port() == 0 {
            return None;
        }
        let own = || self.shared.ports.owner(peer.port());
        let owner = match verdict {
            Verdict::Outside => None,
            Verdict::Own { or_outside: true } => own(),
            Verdict::Own { or_outside: false } => Some(own()?),
            Verdict::Refused(_) => return None,
        };
        let allocation = self.allocations.get_mut(slot.index())?.as_mut()?;
        if !allocation.line.sent(payload.len(), at.now) {
            return None;
        }
        Some(match owner {
            None => Onward::Peer { slot, peer, payload },
            Some(owner) => Onward::Own { owner, from: allocation.relayed, to: peer, payload },
        })
    }

    /// The system did not give the port: another one, a few times.
    fn open_elsewhere(&mut self, slot: Slot, mut opening: Opening) {
        opening.tries += 1;
        let owner = Owner { shard: self.shard, slot: slot.0 };
        let port =
            (opening.tries < TRIES).then(|| self.shared.ports.take(owner, opening.even, &mut self.random)).flatten();
        let allocation = self.allocations.get_mut(slot.index()).and_then(Option::as_mut);
        if let (Some(port), Some(allocation)) = (port, allocation) {
            allocation.relayed.set_port(port.number());
            allocation.port = port;
            allocation.opening = Some(opening);
            let at = allocation.relayed;
            self.open(slot, at);
            return;
        }
        let Some(Some(allocation)) = self.allocations.get(slot.index()) else {
            return;
        };
        let (client, transaction) = (allocation.client, allocation.made_by);
        tracing::debug!("No port for a relayed address could be opened");
        let refusal = Draft::refusal(Method::Allocate, &transaction, ErrorCode::InsufficientCapacity);
        self.outputs.push_back(Output::Answer { client, message: refusal.signed(&opening.key) });
        self.end(slot);
    }

    /// Asks for a socket at the address that this one is bound to.
    fn open(&mut self, slot: Slot, relayed: SocketAddr) {
        let address = self.shared.relayed.of(relayed.is_ipv4());
        if let Some(address) = address {
            let at = SocketAddr::new(address.bound, relayed.port());
            self.outputs.push_back(Output::Open { slot, at });
        }
    }

    /// A place for one more allocation.
    fn vacant(&self) -> Option<Slot> {
        self.free.last().copied().or_else(|| u32::try_from(self.allocations.len()).ok().map(Slot))
    }

    /// Puts an allocation into the place that [`Self::vacant`] named.
    fn admit(&mut self, slot: Slot, allocation: Allocation) {
        self.clients.insert(allocation.client, slot);
        self.deadlines.insert((allocation.expires, slot));
        if slot.index() == self.allocations.len() {
            self.allocations.push(Some(allocation));
        } else {
            self.free.pop();
            self.allocations[slot.index()] = Some(allocation);
        }
    }

    /// Ends an allocation whose socket is there.
    fn end(&mut self, slot: Slot) -> Option<Client> {
        let allocation = self.allocations.get_mut(slot.index())?.take()?;
        self.deadlines.remove(&(allocation.expires, slot));
        self.clients.remove(&allocation.client);
        self.free.push(slot);
        self.outputs.push_back(Output::Close { slot });
        Some(allocation.client)
    }
}

impl Relayed {
    /// One of each family at most, and one at all.
    pub(super) fn of_families(addresses: &[RelayedAddress]) -> Result<Self, StartError> {
        let mut relayed = Self::default();
        for address in addresses {
            if address.bound.is_ipv4() != address.public.is_ipv4() {
                return Err(StartError::MixedFamilies(address.bound));
            }
            let place = if address.bound.is_ipv4() { &mut relayed.v4 } else { &mut relayed.v6 };
            if place.replace(*address).is_some_and(|other| other != *address) {
                return Err(StartError::SeveralAddresses(address.bound));
            }
        }
        if relayed.addresses().next().is_none() {
            return Err(StartError::NoAddress);
        }
        Ok(relayed)
    }

    /// All of the relay's own.
    pub(super) fn addresses(self) -> impl Iterator<Item = IpAddr> {
        [self.v4, self.v6].into_iter().flatten().flat_map(|address| [address.bound, address.public])
    }

    pub(super) fn of(self, v4: bool) -> Option<RelayedAddress> {
        if v4 { self.v4 } else { self.v6 }
    }
}

impl Wrapping {
    /// How long it makes data of this length. In a stream everything is padded to four bytes.
    pub(super) const fn length(&self, payload: usize, stream: bool) -> usize {
        match self {
            Self::Channel(_) if stream => 4 + payload.next_multiple_of(4),
            Self::Channel(_) => 4 + payload,
            Self::Indication { peer, .. } => data_indication_length(*peer, payload),
        }
    }

    /// Writes the wrapped data.
    pub(super) fn write(&self, payload: &[u8], stream: bool, into: &mut Vec<u8>) {
        match self {
            Self::Channel(number) => {
                let end = into.len() + self.length(payload.len(), stream);
                into.extend_from_slice(&number.to_be_bytes());
                into.extend_from_slice(&u16::try_from(payload.len()).unwrap_or_default().to_be_bytes());
                into.extend_from_slice(payload);
                into.resize(end, 0);
            }
            Self::Indication { peer, transaction } => put_data_indication(into, transaction, *peer, payload),
        }
    }
}
