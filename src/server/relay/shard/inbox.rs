//! Buffers that datagrams are read into, many at a time, over and over.

use super::sockets::UdpPort;
use quinn_udp::{RecvMeta, UdpSockRef};
use std::{
    fmt,
    io::{ErrorKind, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

/// How many buffers are read into at once. The system may put up to 64 datagrams of one sender into each (GRO).
pub(super) const BATCH: usize = quinn_udp::BATCH_SIZE;

/// The largest that may come in one piece.
const LARGEST: usize = 1 << 16;

/// From one buffer's beginning to the next one's. Not a power of two: most datagrams are short, and the beginnings of all
/// buffers would compete for the same few lines of the processor's caches.
const STRIDE: usize = LARGEST + 1280;

/// A datagram as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    /// Where from.
    pub(super) remote: SocketAddr,
    /// To which address of this machine, where the socket has several.
    pub(super) local: Option<IpAddr>,
    /// What is in it.
    pub(super) payload: &'a [u8],
}

/// The buffers, and what is in them.
#[derive(Default)]
pub(super) struct Inbox {
    buffers: Vec<u8>,
    metas: Vec<RecvMeta>,
    filled: usize,
    everywhere: bool,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl Inbox {
    /// Reads into up to `most` buffers. Whether there may be more.
    pub(super) fn read(&mut self, port: &UdpPort, most: usize) -> bool {
        self.grow();
        self.everywhere = port.everywhere;
        let most = most.min(BATCH);
        let mut slices: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
        for (slice, buffer) in slices.iter_mut().zip(self.buffers.chunks_mut(STRIDE)).take(most) {
            *slice = IoSliceMut::new(&mut buffer[..LARGEST]);
        }
        match port.state.recv(UdpSockRef::from(&port.socket), &mut slices[..most], &mut self.metas) {
            Ok(filled) => {
                self.filled = filled;
                filled == most
            }
            Err(error) => {
                self.filled = 0;
                // The error of one packet; the next ones can be read.
                error.kind() != ErrorKind::WouldBlock
            }
        }
    }

    /// What was read last.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.metas[..self.filled].iter().zip(self.buffers.chunks(STRIDE)).flat_map(|(meta, buffer)| {
            // Nothing at all is nothing to relay.
            buffer[..meta.len.min(LARGEST)].chunks(meta.stride.max(1)).map(|payload| Datagram {
                remote: meta.addr,
                local: meta.dst_ip.filter(|_| self.everywhere),
                payload,
            })
        })
    }

    /// A buffer for other things, which lasts until the next read.
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        self.grow();
        &mut self.buffers[..LARGEST]
    }

    /// The first time; an inbox that was taken out for a moment leaves an empty one behind, which nobody reads into.
    fn grow(&mut self) {
        if self.buffers.is_empty() {
            self.buffers = vec![0; BATCH * STRIDE];
            self.metas = vec![RecvMeta::default(); BATCH];
        }
    }
}
