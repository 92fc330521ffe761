//! Ports for programs that have to be told theirs before they listen.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// One of this machine's own that nobody listens on, over TCP or UDP.
///
/// It lies below the ports that the system gives to whoever wants any: connections of other tests take and leave those all the time,
/// and a program needs a moment until it has its own, or comes back to it after a while.
pub(crate) fn free_port() -> u16 {
    let is_free = |port: &u16| {
        let address = (Ipv4Addr::LOCALHOST, *port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    std::iter::repeat_with(|| rand::random_range(20_000..30_000)).find(is_free).unwrap()
}
