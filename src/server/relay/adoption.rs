//! Takes over connections that somebody else has accepted and sealed: the site, where relay and site share a port.

use super::shard::{self, Door, Order};
use rustls::ServerConnection;
use std::{
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A connection over TLS whose handshake is done.
#[derive(Debug)]
pub struct Adopted {
    /// Must not block.
    pub(super) socket: TcpStream,
    /// May hold what has come already.
    pub(super) tls: Box<ServerConnection>,
    /// The client.
    pub(super) remote: SocketAddr,
}

impl Adopted {
    /// A connection of this client. An IPv4 address in IPv6 form becomes what it is: peers see it in ICE candidates.
    pub fn new(socket: TcpStream, tls: ServerConnection, remote: SocketAddr) -> Self {
        let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
        Self { socket, tls: Box::new(tls), remote }
    }
}

/// Where connections are brought. Closes them once the relay has stopped. Clones are the same.
#[derive(Debug, Clone)]
pub struct Adoption {
    doors: Vec<Door>,
    /// They go round among the threads.
    next: Arc<AtomicUsize>,
}

impl Adoption {
    pub(super) fn new(doors: Vec<Door>) -> Self {
        Self { doors, next: Arc::default() }
    }

    /// Serves this client from now on, if there is room and they are welcome.
    pub fn adopt(&self, adopted: Adopted) {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let door = next.checked_rem(self.doors.len()).and_then(|index| self.doors.get(index));
        if let Some(door) = door
            && door.orders.send(Order::Adopt(adopted)).is_ok()
        {
            shard::wake(&door.waker);
        }
    }
}
