//! The relay as its clients see it: over real sockets, and attacked without any.

pub(crate) mod caller;
pub(super) mod dialogue;
mod handing_over;
mod other_clients;
mod streams;
mod threads;
mod tls;
mod udp;
