//! Clients that come over TCP, with TLS or without.
//!
//! Owns the connections of one thread: takes them, reads them, writes to them, closes those that say nothing. A client
//! that does not read loses data and no answers, and what waits for it has a limit. Knows nothing of what is said.

use super::{
    super::{
        adoption::Adopted,
        client::{Client, Leg},
        framing::Framing,
        lobby::{Lobby, Place},
    },
    connection::Connection,
    sockets::Acceptor,
};
use crate::domain::Now;
use mio::{Interest, Registry, Token, net::TcpStream};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// How much data may wait for a client that does not read: a quarter of a second of a film at 8 Mbps. More would only come
/// later than it is of use.
const WAITING: usize = 256 << 10;

/// How much may wait when answers are counted in. Whoever asks without reading the answers is not a client.
const WAITING_ANSWERS: usize = WAITING + (64 << 10);

/// How much memory for it is kept where nothing waits.
const KEPT: usize = 16 << 10;

/// What the system may hold of it besides, before it doubles that for its own use.
const SEND_BUFFER: usize = 256 << 10;

/// How long a connection may be without an allocation, once it had one.
const IDLE: Duration = Duration::from_secs(30);

/// How long it may take until the first. A browser needs three answers, with TLS two more, and is sure to have them by then.
const NEWCOMER: Duration = Duration::from_secs(8);

/// How many are taken before others have their turn.
const AT_ONCE: usize = 64;

struct Stream {
    connection: Connection,
    client: Client,
    framing: Framing,
    /// What waits to be written, and how much of it has been.
    waiting: Vec<u8>,
    written: usize,
    idle_since: Now,
    dirty: bool,
    place: Place,
}

/// What was read from a connection.
pub(super) struct Arrival {
    pub(super) client: Client,
    /// Belongs back to the connection.
    pub(super) framing: Framing,
    /// How many bytes came.
    pub(super) length: usize,
    /// The other side has not closed it.
    pub(super) open: bool,
    /// There may be more.
    pub(super) more: bool,
}

/// The connections of one thread, by number.
pub(super) struct Streams {
    places: Vec<Option<Stream>>,
    free: Vec<usize>,
    lobby: Arc<Lobby>,
    /// To which something was written.
    dirty: Vec<usize>,
}

impl Streams {
    pub(super) fn new(lobby: Arc<Lobby>) -> Self {
        Self { places: Vec::new(), free: Vec::new(), lobby, dirty: Vec::new() }
    }

    /// Takes connections that wait. Whether there may be more.
    pub(super) fn accept(
        &mut self,
        acceptor: &Acceptor,
        registry: &Registry,
        now: Now,
        welcome: impl Fn(IpAddr) -> bool,
        token: impl Fn(usize) -> Token,
    ) -> bool {
        for _ in 0..AT_ONCE {
            match acceptor.socket.accept() {
                Ok((socket, remote)) => {
                    if welcome(remote.ip())
                        && let Some(place) = self.lobby.enter(remote.ip())
                    {
                        let connection = Connection::new(socket, acceptor.tls.as_ref());
                        self.take(connection, remote, place, registry, now, &token);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                // The other side has hung up already, or this process has too many files open: the next ones may be fine.
                Err(error) => {
                    tracing::debug!("A connection cannot be taken: {error}");
                    return error.kind() == ErrorKind::ConnectionAborted;
                }
            }
        }
        true
    }

    /// Takes one that somebody else has accepted, if there is room: its number.
    pub(super) fn adopt(
        &mut self,
        adopted: Adopted,
        registry: &Registry,
        now: Now,
        token: impl Fn(usize) -> Token,
    ) -> Option<usize> {
        let Adopted { socket, tls, remote } = adopted;
        let place = self.lobby.enter(remote.ip())?;
        self.take(Ok(Connection::sealed(TcpStream::from_std(socket), tls)), remote, place, registry, now, &token)
    }

    fn take(
        &mut self,
        connection: io::Result<Connection>,
        remote: SocketAddr,
        place: Place,
        registry: &Registry,
        now: Now,
        token: &impl Fn(usize) -> Token,
    ) -> Option<usize> {
        let number = self.free.pop().unwrap_or(self.places.len());
        let leg = Leg::Stream { number: u32::try_from(number).unwrap_or_default() };
        let seated = self.seat(number, connection, (Client { remote, leg }, place), registry, now, token);
        if let Err(error) = &seated {
            tracing::debug!("A connection cannot be kept: {error}");
        }
        seated.ok().map(|()| number)
    }

    fn seat(
        &mut self,
        number: usize,
        connection: io::Result<Connection>,
        (client, place): (Client, Place),
        registry: &Registry,
        now: Now,
        token: &impl Fn(usize) -> Token,
    ) -> io::Result<()> {
        if number == self.places.len() {
            self.places.push(None);
        }
        let prepared = connection.and_then(|mut connection| {
            prepare(&connection.socket)?;
            registry.register(&mut connection.socket, token(number), Interest::READABLE | Interest::WRITABLE)?;
            Ok(connection)
        });
        let connection = match prepared {
            Ok(connection) => connection,
            Err(error) => {
                self.free.push(number);
                return Err(error);
            }
        };
        self.places[number] = Some(Stream {
            connection,
            client,
            framing: Framing::default(),
            waiting: Vec::new(),
            written: 0,
            idle_since: now,
            dirty: false,
            place,
        });
        Ok(())
    }

    /// Reads what has come. `None`: there is no such connection any more.
    pub(super) fn read(&mut self, number: usize, into: &mut [u8]) -> Option<Arrival> {
        let stream = self.places.get_mut(number)?.as_mut()?;
        let (length, open, more) = match stream.connection.read(into) {
            Ok(0) => (0, false, false),
            // Always looked at once more: the end of the connection may have been announced together with its last bytes.
            Ok(length) => (length, true, true),
            Err(error) => (0, error.kind() == ErrorKind::WouldBlock, false),
        };
        // There may be room again for what waits, and the handshake of TLS has something to say besides.
        if stream.written < stream.waiting.len() || stream.connection.wants_write() {
            touch(stream, number, &mut self.dirty);
        }
        Some(Arrival { client: stream.client, framing: std::mem::take(&mut stream.framing), length, open, more })
    }

    /// Gives back what [`Self::read`] took.
    pub(super) fn resume(&mut self, number: usize, framing: Framing) {
        if let Some(Some(stream)) = self.places.get_mut(number) {
            stream.framing = framing;
        }
    }

    /// Says something that has to be heard.
    pub(super) fn answer(&mut self, number: u32, message: &[u8]) {
        let number = number as usize;
        if let Some(Some(stream)) = self.places.get_mut(number) {
            stream.waiting.extend_from_slice(message);
            touch(stream, number, &mut self.dirty);
        }
    }

    /// Says something of this length, unless too much waits already.
    pub(super) fn data(&mut self, number: u32, length: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let number = number as usize;
        if let Some(Some(stream)) = self.places.get_mut(number)
            && stream.waiting.len() - stream.written + length <= WAITING
        {
            write(&mut stream.waiting);
            touch(stream, number, &mut self.dirty);
        }
    }

    /// Writes what waits, as far as it can be. Whose connection broke on it.
    pub(super) fn flush(&mut self) -> Vec<Client> {
        let mut broken = Vec::new();
        let mut dirty = std::mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            let Some(Some(stream)) = self.places.get_mut(number) else {
                continue;
            };
            stream.dirty = false;
            if stream.write().is_err() {
                broken.extend(u32::try_from(number).ok().and_then(|number| self.close(number)));
            }
        }
        self.dirty = dirty;
        broken
    }

    /// Closes a connection, and says whose it was.
    pub(super) fn close(&mut self, number: u32) -> Option<Client> {
        let number = number as usize;
        let client = self.places.get_mut(number)?.take()?.client;
        self.free.push(number);
        Some(client)
    }

    /// Closes the connections of those who have had no allocation for a while, and soon of those who never had any.
    pub(super) fn sweep(&mut self, now: Now, served: impl Fn(&Client) -> bool) {
        let mut idle = Vec::new();
        for stream in self.places.iter_mut().flatten() {
            let patience = if stream.place.is_newcomers() { NEWCOMER } else { IDLE };
            if served(&stream.client) {
                stream.idle_since = now;
                stream.place.settle();
            } else if let Leg::Stream { number } = stream.client.leg
                && now.since(stream.idle_since) >= patience
            {
                idle.push(number);
            }
        }
        for number in idle {
            self.close(number);
        }
    }
}

fn touch(stream: &mut Stream, number: usize, dirty: &mut Vec<usize>) {
    if !std::mem::replace(&mut stream.dirty, true) {
        dirty.push(number);
    }
}

/// Packets of a film do not wait for fuller ones, and not for long in buffers either.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket2::SockRef::from(socket).set_send_buffer_size(SEND_BUFFER)
}

impl Stream {
    fn write(&mut self) -> io::Result<()> {
        self.connection.flush()?;
        while self.written < self.waiting.len() {
            match self.connection.write(&self.waiting[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // What has been written makes room once it is the larger part: each byte is moved once, on average.
                    if self.written * 2 > self.waiting.len() {
                        self.waiting.drain(..self.written);
                        self.written = 0;
                    }
                    let asks_without_reading = self.waiting.len() - self.written > WAITING_ANSWERS;
                    return if asks_without_reading { Err(ErrorKind::TimedOut.into()) } else { Ok(()) };
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting.clear();
        self.waiting.shrink_to(KEPT);
        self.written = 0;
        Ok(())
    }
}
