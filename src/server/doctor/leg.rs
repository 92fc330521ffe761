//! The leg between us and a relay: carries questions there and answers back, over UDP, TCP or TLS.
//!
//! Owns the repeats that UDP needs and the cutting of a stream into messages. What the messages mean, [`turn`] knows.

use super::{
    reach,
    trouble::Trouble,
    turn::{self, Answer, Ask, Heard, Visitor},
};
use crate::server::providers::Login;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;

/// What an answer may take. RFC 8489 waits for 39.5 s; nobody who wants to see a film does.
const PATIENCE: Duration = Duration::from_secs(4);

/// RFC 8489 section 6.2.1: a packet that got lost is sent again, after twice the time each time.
const FIRST_REPEAT: Duration = Duration::from_millis(500);

/// The largest message that a relay sends in a visit.
const MESSAGE_BYTES: usize = 2_048;

/// How messages travel.
pub(super) enum Wire {
    /// One packet each.
    Udp(UdpSocket),
    /// One after the other.
    Tcp(TcpStream),
    /// The same, where nobody reads along.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// A socket that talks to this address alone, and so hears when nothing listens there.
    pub(super) async fn udp(relay: SocketAddr) -> Result<Self, Trouble> {
        let ours: SocketAddr = if relay.is_ipv6() { ([0_u16; 8], 0).into() } else { ([0, 0, 0, 0], 0).into() };
        let socket = UdpSocket::bind(ours).await.map_err(|error| reach::of_network(&error))?;
        socket.connect(relay).await.map_err(|error| reach::of_network(&error))?;
        Ok(Self::Udp(socket))
    }

    async fn write(&mut self, message: &[u8]) -> Result<(), Trouble> {
        let written = match self {
            Self::Udp(socket) => socket.send(message).await.map(drop),
            Self::Tcp(stream) => stream.write_all(message).await,
            Self::Tls(stream) => match stream.write_all(message).await {
                Ok(()) => stream.flush().await,
                Err(error) => Err(error),
            },
        };
        written.map_err(|error| reach::of_network(&error))
    }

    /// Some bytes; none at the end of a stream. Nothing is lost where the future is dropped.
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Trouble> {
        let read = match self {
            Self::Udp(socket) => socket.recv(room).await,
            Self::Tcp(stream) => stream.read(room).await,
            Self::Tls(stream) => stream.read(room).await,
        };
        read.map_err(|error| reach::of_network(&error))
    }

    fn is_stream(&self) -> bool {
        !matches!(self, Self::Udp(_))
    }
}

/// A conversation with a relay.
pub(super) struct Leg {
    wire: Wire,
    visitor: Visitor,
    /// What a stream brought and is no whole message yet.
    begun: Vec<u8>,
}

impl Leg {
    pub(super) fn new(wire: Wire, login: Option<Login>) -> Self {
        Self { wire, visitor: Visitor::new(login), begun: Vec::new() }
    }

    /// Asks once and takes whatever is answered.
    pub(super) async fn ask_once(&mut self, ask: Ask) -> Result<Answer, Trouble> {
        let (transaction, question) = self.visitor.ask(ask).map_err(|_| Trouble::Denied(400))?;
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_REPEAT;
        self.wire.write(&question).await?;
        loop {
            let repeat_at = if self.wire.is_stream() { deadline } else { deadline.min(Instant::now() + pause) };
            match timeout_at(repeat_at, self.hear()).await {
                Ok(heard) => match heard? {
                    Heard::Answer(of, answer) if of == transaction => return Ok(answer),
                    Heard::Nonsense => return Err(Trouble::NotTurn),
                    // Of a question that was repeated, or not asked yet.
                    Heard::Answer(..) | Heard::Data { .. } => {}
                },
                Err(_) if repeat_at >= deadline => return Err(Trouble::Silent),
                Err(_) => {
                    pause *= 2;
                    self.wire.write(&question).await?;
                }
            }
        }
    }

    /// Asks, with what the relay demands of whoever asks.
    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Done, Trouble> {
        loop {
            let answer = self.ask_once(ask).await?;
            if self.visitor.must_repeat(&answer) {
                continue;
            }
            return match answer {
                Answer::Done { relayed, seen } => Ok(Done { relayed, seen }),
                Answer::Refused { code, .. } => Err(Trouble::Denied(code)),
            };
        }
    }

    /// Sends to a peer by way of the relayed address.
    pub(super) async fn send(&mut self, peer: SocketAddr, payload: &[u8]) -> Result<(), Trouble> {
        let message = turn::send(peer, payload).map_err(|_| Trouble::Denied(400))?;
        self.wire.write(&message).await
    }

    /// The next message. Nothing is lost where the future is dropped.
    pub(super) async fn hear(&mut self) -> Result<Heard, Trouble> {
        let mut room = [0; MESSAGE_BYTES];
        loop {
            if self.wire.is_stream() {
                match turn::first_message(&self.begun) {
                    Some(Err(_)) => return Err(Trouble::NotTurn),
                    Some(Ok(length)) if self.begun.len() >= length => {
                        let message: Vec<_> = self.begun.drain(..length).collect();
                        return Ok(turn::read(&message));
                    }
                    Some(Ok(_)) | None => {}
                }
            }
            let length = self.wire.read(&mut room).await?;
            let heard = room.get(..length).unwrap_or_default();
            if !self.wire.is_stream() {
                return Ok(turn::read(heard));
            }
            if length == 0 {
                return Err(if self.begun.is_empty() { Trouble::HungUp } else { Trouble::NotTurn });
            }
            self.begun.extend_from_slice(heard);
        }
    }
}

/// What a relay gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) relayed: Option<SocketAddr>,
    pub(super) seen: Option<SocketAddr>,
}
