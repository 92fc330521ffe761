//! HTTPS on the site's own port, which the relay may share.
//!
//! Once a connection is sealed its first byte says who it is for: those of TURN begin with two bits that are zero, and no
//! letter does, with which every HTTP request begins. A visitor who says nothing is waited for in a task of their own.

use crate::server::relay::{Adopted, Adoption};
use axum::serve::Listener;
use rustls::ServerConfig;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncBufReadExt as _,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::AbortHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a visitor may take until they have said something.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many visitors may be in that state at once; the others wait at the door.
const STRANGERS: usize = 2_048;

/// After a connection that could not be taken: this process may have too many files open.
const PAUSE: Duration = Duration::from_millis(200);

/// A byte of TURN that comes first: <https://www.rfc-editor.org/rfc/rfc8489#section-5>. Data in channels comes later.
fn is_stun(first: u8) -> bool {
    first < 0x40
}

/// Takes the site's connections.
pub(super) struct Secured {
    visitors: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Secured {
    /// Takes connections of this listener, for the site, or for the relay where it shares the port.
    pub(super) fn new(listener: TcpListener, config: Arc<ServerConfig>, relay: Option<Adoption>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (visit, visitors) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), relay, visit)).abort_handle();
        Ok(Self { visitors, address, accepting })
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.visitors.recv().await {
            Some(visitor) => visitor,
            // Nobody takes connections any more; it is being dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    relay: Option<Adoption>,
    visit: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(STRANGERS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (socket, remote) = match listener.accept().await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!("A connection cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, relay, visit) = (acceptor.clone(), relay.clone(), visit.clone());
        tokio::spawn(async move {
            let greeted = tokio::time::timeout(PATIENCE, greet(socket, &acceptor, relay.is_some())).await;
            drop(place);
            match (greeted, relay) {
                (Ok(Ok((stream, true))), Some(relay)) => hand_over(stream, remote, &relay),
                // The site may have stopped meanwhile.
                (Ok(Ok((stream, _))), _) => drop(visit.send((stream, remote)).await),
                (Ok(Err(error)), _) => tracing::debug!("A visitor without TLS: {error}"),
                (Err(_), _) => tracing::debug!("A visitor who said nothing"),
            }
        });
    }
}

/// Seals the connection, and says whether it is for the relay.
async fn greet(socket: TcpStream, acceptor: &TlsAcceptor, shared: bool) -> io::Result<(TlsStream<TcpStream>, bool)> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    // It is looked at and not taken: whoever gets the connection reads it again.
    let for_the_relay = shared && stream.fill_buf().await?.first().is_some_and(|first| is_stun(*first));
    Ok((stream, for_the_relay))
}

fn hand_over(stream: TlsStream<TcpStream>, remote: SocketAddr, relay: &Adoption) {
    let (socket, tls) = stream.into_inner();
    match socket.into_std() {
        Ok(socket) => relay.adopt(Adopted::new(socket, tls, remote)),
        Err(error) => tracing::debug!("A connection cannot be handed over: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_http_begins_as_stun_does() {
        for request in [&b"GET / HTTP/1.1"[..], b"PRI * HTTP/2.0", b"OPTIONS *", b"get /", b"X"] {
            assert!(!is_stun(request[0]));
        }
        // Requests of STUN and TURN, whose methods are small numbers.
        assert!([0x00, 0x01, 0x3f].into_iter().all(is_stun));
    }
}
