//! One thread of the relay: a core, and the sockets that it decides about.
//!
//! One loop over the system's readiness queue (mio, which tokio stands on as well) and no lock in it: the thread owns its
//! core, its share of the listening sockets (the kernel deals clients out to them, `SO_REUSEPORT`, and always deals the same
//! client to the same one), its relayed sockets and its connections. A task for each socket on tokio's threads was the
//! other way; then every packet wakes a task, and work for pages and packets wait for each other. Boring on purpose: what to
//! do is asked of the core.
//!
//! A socket is read in batches, what comes out of a batch is sent together ([`outbox`]), and then the next socket has its
//! turn, so nobody's flood keeps the others waiting.

mod connection;
mod inbox;
mod outbox;
pub(super) mod sockets;
mod streams;

use super::{
    adoption::Adopted,
    client::{Client, Leg, Moment},
    core::{Core, Onward, Output, Slot, ToClient, Via},
    guard::Whom,
    lobby::Lobby,
    ports::Owner,
};
use crate::{
    domain::{Now, UnixMillis},
    server::clock::Clock,
};
use inbox::{BATCH, Inbox};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use outbox::{Outbox, Way, Wire};
use sockets::{Acceptor, UdpPort};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender},
    },
    time::Duration,
};
use streams::Streams;
use tokio::sync::oneshot;

/// How many sockets may report at once.
const EVENTS: usize = 1024;

/// How many buffers are read into from a relayed socket. Few packets wait there; each buffer costs preparation.
const RELAYED_BATCH: usize = 8;

/// How long the loop sleeps at most: clocks that are moved by hand are looked at this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How often connections are looked through for those that are served by now, and for those that do nothing.
const SWEEP: Duration = Duration::from_secs(2);

/// What others ask of a thread.
#[derive(Debug)]
pub(super) enum Order {
    /// End allocations, and say how many there were.
    End {
        /// Whose.
        whom: Whom,
        /// Until when they may make no new ones.
        barred_until: Option<UnixMillis>,
        /// Where the number goes.
        ended: oneshot::Sender<usize>,
    },
    /// Serve a client who came to somebody else's port.
    Adopt(Adopted),
    /// End everything.
    Stop,
}

/// Data on its way from an allocation of one thread to one of another.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    bytes: Vec<u8>,
    labels: Vec<Label>,
}

#[derive(Debug)]
struct Label {
    slot: Slot,
    from: SocketAddr,
    to: u16,
    length: usize,
}

/// How a thread is reached.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) orders: Sender<Order>,
    pub(super) parcels: SyncSender<Parcels>,
    pub(super) waker: Arc<Waker>,
}

/// What the loop is told to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Door,
    Listener(usize),
    Acceptor(usize),
    Relayed(usize),
    Stream(usize),
}

impl Source {
    const KINDS: usize = 5;

    fn token(self) -> Token {
        let (kind, index) = match self {
            Self::Door => (0, 0),
            Self::Listener(index) => (1, index),
            Self::Acceptor(index) => (2, index),
            Self::Relayed(index) => (3, index),
            Self::Stream(index) => (4, index),
        };
        Token(index * Self::KINDS + kind)
    }

    fn of(token: Token) -> Self {
        let index = token.0 / Self::KINDS;
        match token.0 % Self::KINDS {
            0 => Self::Door,
            1 => Self::Listener(index),
            2 => Self::Acceptor(index),
            3 => Self::Relayed(index),
            _ => Self::Stream(index),
        }
    }
}

/// What a thread begins with.
pub(super) struct Beginning {
    pub(super) poll: Poll,
    pub(super) core: Core,
    pub(super) clock: Clock,
    pub(super) listeners: Vec<UdpPort>,
    pub(super) acceptors: Vec<Acceptor>,
    pub(super) lobby: Arc<Lobby>,
    pub(super) orders: Receiver<Order>,
    pub(super) parcels: Receiver<Parcels>,
    pub(super) number: u16,
}

/// One thread.
pub(super) struct Shard {
    poll: Poll,
    core: Core,
    clock: Clock,
    listeners: Vec<UdpPort>,
    acceptors: Vec<Acceptor>,
    relayed: Vec<Option<UdpPort>>,
    streams: Streams,
    orders: Receiver<Order>,
    parcels: Receiver<Parcels>,
    number: u16,
    /// Every thread's door, this one's too.
    doors: Vec<Door>,
    inbox: Inbox,
    outbox: Outbox,
    /// What waits for the other threads, by their numbers.
    parting: Vec<Parcels>,
    /// Sockets in which there may be more.
    unfinished: Vec<Source>,
    next_sweep: Now,
}

/// A waker for the thread that polls this.
pub(super) fn waker(registry: &Registry) -> io::Result<Waker> {
    Waker::new(registry, Source::Door.token())
}

impl Shard {
    pub(super) fn new(beginning: Beginning, doors: Vec<Door>) -> io::Result<Self> {
        let Beginning { poll, core, clock, mut listeners, mut acceptors, lobby, orders, parcels, number } = beginning;
        let registry = poll.registry();
        for (index, listener) in listeners.iter_mut().enumerate() {
            registry.register(&mut listener.socket, Source::Listener(index).token(), Interest::READABLE)?;
        }
        for (index, acceptor) in acceptors.iter_mut().enumerate() {
            registry.register(&mut acceptor.socket, Source::Acceptor(index).token(), Interest::READABLE)?;
        }
        let next_sweep = clock.now() + SWEEP;
        let parting = doors.iter().map(|_| Parcels::default()).collect();
        Ok(Self {
            poll,
            core,
            clock,
            listeners,
            acceptors,
            relayed: Vec::new(),
            streams: Streams::new(lobby),
            orders,
            parcels,
            number,
            doors,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            parting,
            unfinished: Vec::new(),
            next_sweep,
        })
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            match self.poll.poll(&mut events, Some(self.sleep())) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!("The relay cannot wait for packets any more, and stops: {error}");
                    return;
                }
            }
            let mut ready = std::mem::take(&mut self.unfinished);
            ready.extend(events.iter().map(|event| Source::of(event.token())));
            // Readiness is reported once for each arrival, so a busy socket is in both.
            ready.sort_unstable();
            ready.dedup();
            let at = self.moment();
            // First of all: what has lapsed serves nobody any more.
            self.core.handle_timeout(at);
            self.settle();
            for source in ready.drain(..) {
                let more = match source {
                    Source::Door => {
                        if self.carry_out_orders(at).is_break() {
                            return;
                        }
                        self.take_parcels(at);
                        false
                    }
                    Source::Listener(index) => self.read_listener(index, at),
                    Source::Acceptor(index) => self.accept(index, at),
                    Source::Relayed(index) => self.read_relayed(index, at),
                    Source::Stream(index) => self.read_stream(index, at),
                };
                if more {
                    self.unfinished.push(source);
                }
                self.settle();
            }
            if self.next_sweep <= at.now {
                self.next_sweep = at.now + SWEEP;
                let core = &self.core;
                self.streams.sweep(at.now, |client| core.serves(client));
            }
            self.settle();
        }
    }

    fn sleep(&self) -> Duration {
        if !self.unfinished.is_empty() {
            return Duration::ZERO;
        }
        let now = self.clock.now();
        self.core.next_timeout().map_or(LONGEST_SLEEP, |next| next.since(now).min(LONGEST_SLEEP))
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), wall: self.clock.wall() }
    }

    /// Does what the core has decided and sends what has gathered.
    fn settle(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Answer { client, message } => self.answer(&client, &message),
                Output::Open { slot, at: address } => {
                    let there = self.open(slot, address);
                    self.core.opened(slot, there);
                }
                Output::Close { slot } => {
                    // What was taken from its client before has been counted, and leaves.
                    self.flush();
                    if let Some(port) = self.relayed.get_mut(slot.0 as usize) {
                        *port = None;
                    }
                }
                Output::HangUp { number } => drop(self.streams.close(number)),
            }
        }
        self.flush();
        for client in self.streams.flush() {
            self.core.hung_up(&client);
        }
        self.send_parcels();
    }

    fn flush(&mut self) {
        let (listeners, relayed) = (&self.listeners, &self.relayed);
        self.outbox.flush(|wire| match wire {
            Wire::Listener(index) => listeners.get(usize::from(index)),
            Wire::Relayed(slot) => relayed.get(slot.0 as usize)?.as_ref(),
        });
    }

    fn open(&mut self, slot: Slot, address: SocketAddr) -> bool {
        let index = slot.0 as usize;
        let opened = sockets::relayed(address).and_then(|mut port| {
            self.poll.registry().register(&mut port.socket, Source::Relayed(index).token(), Interest::READABLE)?;
            Ok(port)
        });
        match opened {
            Ok(port) => {
                if self.relayed.len() <= index {
                    self.relayed.resize_with(index + 1, || None);
                }
                self.relayed[index] = Some(port);
                true
            }
            Err(error) => {
                tracing::debug!("A relayed address cannot be opened: {error}");
                false
            }
        }
    }

    fn answer(&mut self, client: &Client, message: &[u8]) {
        match client.leg {
            Leg::Datagram { listener, local } => {
                if let Some(port) = self.listeners.get(usize::from(listener)) {
                    port.send(client.remote, local, message);
                }
            }
            Leg::Stream { number } => self.streams.answer(number, message),
        }
    }

    /// One batch of datagrams of clients. Whether there may be more.
    fn read_listener(&mut self, index: usize, at: Moment) -> bool {
        let mut inbox = std::mem::take(&mut self.inbox);
        let more = inbox.read(&self.listeners[index], BATCH);
        for datagram in inbox.datagrams() {
            let leg = Leg::Datagram { listener: u8::try_from(index).unwrap_or_default(), local: datagram.local };
            let client = Client { remote: datagram.remote, leg };
            if let Some(onward) = self.core.handle_client(&client, datagram.payload, at) {
                self.forward(&onward, at);
            }
        }
        self.inbox = inbox;
        more
    }

    /// One batch of datagrams of peers. Whether there may be more.
    fn read_relayed(&mut self, index: usize, at: Moment) -> bool {
        let (Some(Some(port)), Ok(slot)) = (self.relayed.get(index), u32::try_from(index).map(Slot)) else {
            return false;
        };
        let mut inbox = std::mem::take(&mut self.inbox);
        let more = inbox.read(port, RELAYED_BATCH);
        for datagram in inbox.datagrams() {
            if let Some(to) = self.core.handle_peer(slot, datagram.remote, datagram.payload, Via::Socket, at) {
                self.deliver(slot, to, datagram.payload);
            }
        }
        self.inbox = inbox;
        more
    }

    fn accept(&mut self, index: usize, at: Moment) -> bool {
        let core = &self.core;
        self.streams.accept(
            &self.acceptors[index],
            self.poll.registry(),
            at.now,
            |ip| core.welcomes(ip),
            |number| Source::Stream(number).token(),
        )
    }

    fn adopt(&mut self, adopted: Adopted, at: Moment) {
        if !self.core.welcomes(adopted.remote.ip()) {
            return;
        }
        let token = |number| Source::Stream(number).token();
        let number = self.streams.adopt(adopted, self.poll.registry(), at.now, token);
        // What has come before is reported by nobody.
        self.unfinished.extend(number.map(Source::Stream));
    }

    /// What came over a connection. Whether there may be more.
    fn read_stream(&mut self, index: usize, at: Moment) -> bool {
        let mut inbox = std::mem::take(&mut self.inbox);
        let Some(read) = self.streams.read(index, inbox.scratch()) else {
            self.inbox = inbox;
            return false;
        };
        let (client, mut framing) = (read.client, read.framing);
        let sane = framing.take(&inbox.scratch()[..read.length], |message| {
            if let Some(onward) = self.core.handle_client(&client, message, at) {
                self.forward(&onward, at);
            }
        });
        self.inbox = inbox;
        if read.open && sane.is_ok() {
            self.streams.resume(index, framing);
            read.more
        } else {
            // What is to be said to it already is said before.
            self.settle();
            self.streams.close(u32::try_from(index).unwrap_or_default());
            self.core.hung_up(&client);
            false
        }
    }

    fn forward(&mut self, onward: &Onward<'_>, at: Moment) {
        match *onward {
            Onward::Peer { slot, peer, payload } => {
                let way = Way { wire: Wire::Relayed(slot), to: peer, from: None };
                self.outbox.push(way, slot, payload.len(), |into| into.extend_from_slice(payload));
            }
            Onward::Own { owner, from, to, payload } => self.hand_over(owner, from, to.port(), payload, at),
        }
    }

    fn hand_over(&mut self, owner: Owner, from: SocketAddr, to: u16, payload: &[u8], at: Moment) {
        let slot = Slot(owner.slot);
        if owner.shard != self.number {
            if let Some(parcels) = self.parting.get_mut(usize::from(owner.shard)) {
                parcels.bytes.extend_from_slice(payload);
                parcels.labels.push(Label { slot, from, to, length: payload.len() });
            }
        } else if let Some(client) = self.core.handle_peer(slot, from, payload, Via::HandOver { to }, at) {
            self.deliver(slot, client, payload);
        }
    }

    fn deliver(&mut self, slot: Slot, to: ToClient, payload: &[u8]) {
        let ToClient { client, wrapping } = to;
        match client.leg {
            Leg::Datagram { listener, local } => {
                let way = Way { wire: Wire::Listener(listener), to: client.remote, from: local };
                let length = wrapping.length(payload.len(), false);
                self.outbox.push(way, slot, length, |into| wrapping.write(payload, false, into));
            }
            Leg::Stream { number } => {
                let length = wrapping.length(payload.len(), true);
                self.streams.data(number, length, |into| wrapping.write(payload, true, into));
            }
        }
    }

    fn take_parcels(&mut self, at: Moment) {
        while let Ok(parcels) = self.parcels.try_recv() {
            let mut rest = &parcels.bytes[..];
            for label in parcels.labels {
                let (payload, after) = rest.split_at(label.length);
                rest = after;
                let via = Via::HandOver { to: label.to };
                if let Some(client) = self.core.handle_peer(label.slot, label.from, payload, via, at) {
                    self.deliver(label.slot, client, payload);
                }
            }
            self.settle();
        }
    }

    fn send_parcels(&mut self) {
        for (parcels, door) in self.parting.iter_mut().zip(&self.doors) {
            if parcels.labels.is_empty() {
                continue;
            }
            // A thread that does not keep up loses packets, as a socket whose buffer is full would.
            if door.parcels.try_send(std::mem::take(parcels)).is_ok() {
                wake(&door.waker);
            }
        }
    }

    fn carry_out_orders(&mut self, at: Moment) -> std::ops::ControlFlow<()> {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::End { whom, barred_until, ended } => {
                    let count = self.core.end_all(whom);
                    if let Some(until) = barred_until {
                        self.core.bar(whom, until, at);
                    }
                    self.settle();
                    // Nobody may be waiting for the number any more.
                    let _ = ended.send(count);
                }
                Order::Adopt(adopted) => self.adopt(adopted, at),
                Order::Stop => return std::ops::ControlFlow::Break(()),
            }
        }
        std::ops::ControlFlow::Continue(())
    }
}

/// Has a thread look at its door. It fails only where the thread is gone.
pub(super) fn wake(waker: &Waker) {
    if let Err(error) = waker.wake() {
        tracing::debug!("A thread of the relay cannot be woken: {error}");
    }
}
