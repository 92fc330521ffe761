//! HTTPS on the site's own port, which the relay may share.
//!
//! Once a connection is sealed its first byte says who it is for: those of TURN begin with two bits that are zero, and no
//! letter does, with which every HTTP request begins. A visitor who says nothing is waited for in a task of their own, and has a
//! place in the room like any other.

use super::visitors::{Visitors, next, without_delay};
use crate::server::relay::{Adopted, Adoption};
use rustls::ServerConfig;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncBufReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a visitor may take until they have said something.
const PATIENCE: Duration = Duration::from_secs(15);

/// A byte of TURN that comes first: <https://www.rfc-editor.org/rfc/rfc8489#section-5>. Data in channels comes later.
fn is_stun(first: u8) -> bool {
    first < 0x40
}

/// Takes connections of this listener until the server stops: for the site, or for the relay where it shares the port.
pub(super) async fn receive(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    relay: Option<Adoption>,
    visitors: Visitors,
) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let (socket, remote) = tokio::select! {
            () = visitors.stopping().cancelled() => return,
            taken = next(&listener) => taken,
        };
        let Some(place) = visitors.place(remote) else { continue };
        let (acceptor, relay, served) = (acceptor.clone(), relay.clone(), visitors.clone());
        visitors.spawn(async move {
            let shown_out = place.shown_out().clone();
            let greeted = tokio::select! {
                greeted = tokio::time::timeout(PATIENCE, greet(socket, &acceptor, relay.is_some())) => greeted,
                () = shown_out.cancelled() => return,
                () = served.stopping().cancelled() => return,
            };
            match (greeted, relay) {
                // From here on the relay counts them.
                (Ok(Ok((stream, true))), Some(relay)) => hand_over(stream, remote, &relay),
                (Ok(Ok((stream, _))), _) => served.serve(stream, remote, place).await,
                (Ok(Err(error)), _) => tracing::debug!("A visitor without TLS: {error}"),
                (Err(_), _) => tracing::debug!("A visitor who said nothing"),
            }
        });
    }
}

/// Seals the connection, and says whether it is for the relay.
async fn greet(socket: TcpStream, acceptor: &TlsAcceptor, shared: bool) -> io::Result<(TlsStream<TcpStream>, bool)> {
    without_delay(&socket);
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
