//! A server on port 0 and a client that speaks the protocol.

use super::super::{Pace, routes};
use crate::domain::{ByteCount, SessionCode};
use crate::protocol::{ClientMessage, ErrorCode, ServerMessage, Snapshot, WireToken};
use crate::server::clock::Clock;
use crate::server::guard::Origin;
use crate::server::paths::Countries;
use crate::server::signaling::session::Rules;
use crate::server::signaling::sessions::{SessionSettings, Sessions};
use crate::server::usage::Usage;
use axum_client_ip::ClientIpSource;
use futures::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::Message as WireMessage;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// The socket's route alone, on a port of its own.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) sessions: Sessions,
    usage: Usage,
    _data: tempfile::TempDir,
}

/// A browser's end.
pub(super) struct Client(pub(super) WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What ended a client's socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed(pub(super) Option<u16>);

pub(super) async fn server(client_url: Option<Origin>) -> Server {
    paced(client_url, Pace::default()).await
}

/// One that waits for sockets as long as it is told.
pub(super) async fn paced(client_url: Option<Origin>, pace: Pace) -> Server {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let usage = Usage::open(data.path(), ByteCount::new(1_000_000_000), clock.clone()).unwrap();
    let sessions = Sessions::open(
        data.path(),
        usage.clone(),
        clock,
        SessionSettings {
            rules: Rules { limit: 3, host_grace: Duration::from_mins(5) },
            most_sessions: 1_000,
            most_people: 1_000,
            sockets_per_address: None,
            entries: None,
            client_url,
            client_ip_source: ClientIpSource::ConnectInfo,
            bouncer: None,
            countries: Countries::default(),
            cluster: None,
        },
    )
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, routes(sessions.clone(), pace)).into_future());
    Server { address, sessions, usage, _data: data }
}

impl Server {
    pub(super) async fn connect(&self) -> Client {
        Client(connect_async(format!("ws://{}/ws", self.address)).await.unwrap().0)
    }

    /// A client that takes little before it is read.
    pub(super) async fn connect_with_a_small_buffer(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(self.address).await.unwrap());
        Client(client_async(format!("ws://{}/ws", self.address), stream).await.unwrap().0)
    }

    /// Waits until so many bytes are counted.
    pub(super) async fn used(&self, bytes: u64) {
        let counted = async {
            while self.usage.status().bandwidth_used_bytes != bytes {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), counted).await.expect("counted in time");
    }

    /// A host in a new session.
    pub(super) async fn host(&self) -> (Client, WireToken, Snapshot) {
        let mut host = self.connect().await;
        host.say(&ClientMessage::Create { name: None, password: None }).await;
        let (token, snapshot) = host.welcome().await;
        (host, token, snapshot)
    }

    pub(super) async fn guest(&self, code: SessionCode) -> (Client, WireToken) {
        let mut guest = self.connect().await;
        guest.say(&ClientMessage::Join { code, name: None, password: None, invite: None }).await;
        let (token, _) = guest.welcome().await;
        (guest, token)
    }
}

impl Client {
    pub(super) async fn say(&mut self, message: &ClientMessage) {
        self.say_text(serde_json::to_string(message).unwrap()).await;
    }

    pub(super) async fn say_text(&mut self, text: impl Into<String>) {
        self.0.send(WireMessage::text(text.into())).await.unwrap();
    }

    pub(super) async fn hear(&mut self) -> Result<ServerMessage, Closed> {
        loop {
            let received =
                tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("an answer in time");
            match received {
                Some(Ok(WireMessage::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(WireMessage::Close(frame))) => return Err(Closed(frame.map(|frame| frame.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed(None)),
            }
        }
    }

    /// The next message that is no snapshot.
    pub(super) async fn hear_signal(&mut self) -> ServerMessage {
        loop {
            let message = self.hear().await.unwrap();
            if !matches!(message, ServerMessage::Snapshot { .. }) {
                return message;
            }
        }
    }

    pub(super) async fn welcome(&mut self) -> (WireToken, Snapshot) {
        match self.hear().await {
            Ok(ServerMessage::Welcome { token, snapshot, .. }) => (token, snapshot),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn error(&mut self) -> ErrorCode {
        let heard = self.hear_signal().await;
        let ServerMessage::Error { code, message } = heard else {
            panic!("{heard:?}");
        };
        assert!(message.ends_with('.'), "a sentence: {message}");
        code
    }
}
