//! Who is at the client's end, and when: the two things that every input of the core comes with.

use crate::domain::{Now, UnixMillis};
use std::net::{IpAddr, SocketAddr};

/// The client's half of a 5-tuple: what an allocation belongs to. See <https://www.rfc-editor.org/rfc/rfc8656#section-2.2>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client {
    /// Where the client's packets come from, as this machine sees it.
    pub(super) remote: SocketAddr,
    /// How they come.
    pub(super) leg: Leg,
}

/// How a client reaches the relay, and is reached by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Leg {
    /// Over UDP.
    Datagram {
        /// Which of the relay's sockets.
        listener: u8,
        /// The address of this machine that the packets were sent to: answers have to come from there.
        local: Option<IpAddr>,
    },
    /// Over a connection of its own.
    Stream {
        /// Which one.
        number: u32,
    },
}

/// When something comes: intervals are measured with the one, credentials with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment {
    /// Monotonic.
    pub(super) now: Now,
    /// Wall clock.
    pub(super) wall: UnixMillis,
}
