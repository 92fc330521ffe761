//! Sockets as the relay wants them.

use mio::net::{TcpListener, UdpSocket};
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// What a listening socket may hold while its thread is elsewhere. The system may give less (`net.core.rmem_max`).
const LISTENER_BUFFER: usize = 4 << 20;

/// The same for a relayed socket, which has one peer's share.
const RELAYED_BUFFER: usize = 1 << 20;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A UDP socket that reads and sends many datagrams at a time where the system can.
#[derive(Debug)]
pub(in crate::server::relay) struct UdpPort {
    pub(super) socket: UdpSocket,
    pub(super) state: UdpSocketState,
    /// It is bound to every address of the machine, so packets have to say which one they are from.
    pub(super) everywhere: bool,
}

impl UdpPort {
    fn new(socket: Socket) -> io::Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let_be_split(&socket)?;
        let socket = UdpSocket::from_std(socket.into());
        let everywhere = socket.local_addr()?.ip().is_unspecified();
        Ok(Self { socket, state, everywhere })
    }

    /// The address that it is bound to.
    pub(in crate::server::relay) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends one datagram. One that cannot be sent now is lost, as it could be anywhere on its way.
    pub(super) fn send(&self, to: SocketAddr, from: Option<IpAddr>, datagram: &[u8]) {
        self.send_segments(to, from, datagram, datagram.len());
    }

    /// Sends datagrams to one address that are all of this length, but for the last one, which may be shorter.
    pub(super) fn send_segments(&self, to: SocketAddr, from: Option<IpAddr>, datagrams: &[u8], segment: usize) {
        if datagrams.is_empty() {
            return;
        }
        let together = datagrams.len() > segment && self.state.max_gso_segments() > 1;
        if together && self.transmit(to, from, datagrams, Some(segment)).is_ok() {
            return;
        }
        // There is one, or they cannot go together, or could not now.
        if !together || self.state.max_gso_segments() == 1 {
            for datagram in datagrams.chunks(segment) {
                if let Err(error) = self.transmit(to, from, datagram, None) {
                    tracing::trace!("A datagram of {} bytes is lost: {}", datagram.len(), error.kind());
                }
            }
        }
    }

    fn transmit(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        contents: &[u8],
        segment: Option<usize>,
    ) -> io::Result<()> {
        if segment.is_none() && from.is_none() {
            // The plain call costs less than the one that has room for all that is not said here.
            return self.socket.send_to(contents, to).map(drop);
        }
        let transmit = Transmit { destination: to, ecn: None, contents, segment_size: segment, src_ip: from };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// A socket for clients. Several on one address share its clients between them.
pub(in crate::server::relay) fn listener(address: SocketAddr) -> io::Result<UdpPort> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    shared(&socket, address)?;
    enlarge(&socket, LISTENER_BUFFER);
    socket.bind(&SockAddr::from(address))?;
    UdpPort::new(socket)
}

/// A socket for one relayed address.
pub(super) fn relayed(address: SocketAddr) -> io::Result<UdpPort> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    enlarge(&socket, RELAYED_BUFFER);
    socket.bind(&SockAddr::from(address))?;
    UdpPort::new(socket)
}

/// A socket that takes connections of clients.
#[derive(Debug)]
pub(in crate::server::relay) struct Acceptor {
    pub(super) socket: TcpListener,
    /// Connections are in TLS.
    pub(super) tls: Option<Arc<ServerConfig>>,
}

impl Acceptor {
    /// The address that it is bound to.
    pub(in crate::server::relay) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A socket that takes connections of clients, in TLS or not.
pub(in crate::server::relay) fn acceptor(address: SocketAddr, tls: Option<&Arc<ServerConfig>>) -> io::Result<Acceptor> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    shared(&socket, address)?;
    // Connections of the last process that are not quite forgotten do not keep the port.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(Acceptor { socket: TcpListener::from_std(socket.into()), tls: tls.cloned() })
}

/// A packet that is too long for a part of its way is split there, or here, as coturn's are: a browser behind a tunnel would lose
/// all of those in silence, and what says so goes to the relay and not to who sent them. The library wants to find out how long a
/// packet may be, and forbids it.
#[cfg(target_os = "linux")]
fn let_be_split(socket: &Socket) -> io::Result<()> {
    use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
    if socket.domain()? == Domain::IPV6 {
        return Ok(sockopt::set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DONT)?);
    }
    Ok(sockopt::set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?)
}

/// Where this can be asked for elsewhere, only by other names.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn let_be_split(_: &Socket) -> io::Result<()> {
    Ok(())
}

fn shared(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() {
        // Each family has a socket of its own, so that an IPv4 client is never seen as a v4-mapped one.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)
}

/// A wish: bursts are lost earlier where it is not granted.
fn enlarge(socket: &Socket, bytes: usize) {
    for result in [socket.set_recv_buffer_size(bytes), socket.set_send_buffer_size(bytes)] {
        if let Err(error) = result {
            tracing::debug!("A socket keeps its buffer: {error}");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu_discover, ipv6_mtu_discover};

    #[test]
    fn packets_may_be_split_on_their_way() {
        for open in [listener, relayed] {
            let v4 = open("127.0.0.1:0".parse().unwrap()).unwrap();
            assert_eq!(ip_mtu_discover(&v4.socket).unwrap(), Ipv4PathMtuDiscovery::DONT);
            let v6 = open("[::1]:0".parse().unwrap()).unwrap();
            assert_eq!(ipv6_mtu_discover(&v6.socket).unwrap(), Ipv6PathMtuDiscovery::DONT);
        }
    }
}
