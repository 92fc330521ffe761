//! The WebSocket at `/ws`: limits, time-outs and JSON around a [`Seat`] in a session.
//!
//! One task a socket reads and writes. It decides nothing about sessions and keeps nothing that a resumed socket would miss.
//! A message that cannot be used is answered with an error and the session goes on; only silence, a reader that stalls and
//! the end of the session close the socket.

mod reading;
#[cfg(test)]
mod tests;

use super::bucket::Bucket;
use super::line::{Farewell, Frame, Line, LineEnd, News, line};
use super::refusal::Refusal;
use super::sessions::{Seat, Sessions};
use crate::domain::Now;
use crate::protocol::{ClientMessage, ErrorBody, ErrorCode, limits};
use crate::server::guard::origin::{self, Foreign};
use crate::server::guard::{ClientAddress, Place};
use crate::server::paths::Country;
use crate::server::usage;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// What the transport takes. Beyond it the stream is lost, so it lies above [`limits::MESSAGE_BYTES`], beyond which a message is
/// answered with an error and the socket lives on. No further above: whoever holds back the last byte has the server hold the rest.
const TRANSPORT_BYTES: usize = 2 * limits::MESSAGE_BYTES;

/// axum's own 128 KiB would cost that much for every idle socket.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Room for the largest message and a few answers to pings; each message is flushed before the next is taken.
const WRITE_BUFFER_BYTES: usize = 256 * 1024;

/// A page opens the socket when somebody pressed a button, so it speaks at once.
const FIRST_MESSAGE_WITHIN: Duration = Duration::from_secs(30);

/// After a try that was refused: people look up a code or a password.
const NEXT_TRY_WITHIN: Duration = Duration::from_mins(5);

/// Tries to come in, at once and then one every [`NEXT_TRY_EVERY`]: codes are not for guessing. An address has a bound of its
/// own, across its sockets.
const TRIES_AT_ONCE: u32 = 10;

/// See [`TRIES_AT_ONCE`].
const NEXT_TRY_EVERY: Duration = Duration::from_secs(6);

/// How often a socket that sends too fast is told so.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);

/// Seconds after which an address that has too many sockets may try again.
const CROWDED_FOR: u64 = 30;

/// How long the other side has to answer a close, so that the last messages arrive.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How long a socket is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A message that cannot be written for so long has nobody at the other end, or nobody who reads.
    pub write_within: Duration,
    /// How often the socket is pinged: more often than any proxy's idle time-out.
    pub ping_every: Duration,
    /// Nothing received for so long, two pings unanswered: gone.
    pub gone_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            write_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            gone_after: Duration::from_secs(45),
        }
    }
}

/// The route of the signaling socket.
pub fn routes(sessions: Sessions, pace: Pace) -> Router {
    Router::new().route("/ws", get(open)).with_state((sessions, pace))
}

async fn open(
    State((sessions, pace)): State<(Sessions, Pace)>,
    mut parts: Parts,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Err(foreign) = origin::check(&parts.headers, sessions.settings().client_url.as_ref()) {
        return forbidden(foreign);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let place = parts.extensions.get::<Arc<Place>>().cloned();
    let from = ClientAddress::of_request(&mut parts, sessions.settings().client_ip_source.clone()).await;
    let country = sessions.settings().countries.of(&parts.headers, from);
    let Ok(among_those) = sessions.place(from) else {
        return crowded();
    };
    let task = sessions.tasks().token();
    upgrade
        .max_message_size(TRANSPORT_BYTES)
        .max_frame_size(TRANSPORT_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            // Lent, not given: an idle socket would hold room for every copy of it.
            let mut socket = Socket::new(socket, sessions, pace, from, country);
            socket.place = place;
            socket.serve().await;
            drop((socket, among_those, task));
        })
}

fn forbidden(foreign: Foreign) -> Response {
    let message = foreign.message("This page may not use this server. Open the app at the server's own address.");
    (StatusCode::FORBIDDEN, body(ErrorCode::ForbiddenOrigin, "Forbidden origin", message, None)).into_response()
}

fn crowded() -> Response {
    let message = "Too many sockets are open from your network. Close a tab that you do not need, or wait a minute.";
    let body = body(ErrorCode::TooManyRequests, "Too many sockets", message, Some(CROWDED_FOR));
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, HeaderValue::from(CROWDED_FOR))], body).into_response()
}

fn body(code: ErrorCode, error: &str, message: &str, retry_after: Option<u64>) -> Json<ErrorBody> {
    Json(ErrorBody {
        code,
        error: error.to_owned(),
        message: message.to_owned(),
        bandwidth_used: None,
        bandwidth_limit: None,
        retry_after,
        ice_servers: None,
    })
}

/// One open socket.
struct Socket {
    stream: WebSocket,
    sessions: Sessions,
    pace: Pace,
    from: ClientAddress,
    country: Option<Country>,
    /// Where the connection is, which somebody who comes in keeps.
    place: Option<Arc<Place>>,
    line: Line,
    end: LineEnd,
    /// Where it sits, once it came in.
    seat: Option<Seat>,
    messages: Bucket,
    tries: Bucket,
    /// When the last complaint about the rate was sent.
    complained: Option<Now>,
    /// When something was last received.
    heard: Instant,
    /// When a socket without a seat is closed.
    enter_by: Instant,
}

/// The socket's task is over: with words where the other side may still hear them.
struct Over(Option<Farewell>);

impl Socket {
    fn new(stream: WebSocket, sessions: Sessions, pace: Pace, from: ClientAddress, country: Option<Country>) -> Self {
        let now = sessions.clock().now();
        let (line, end) = line();
        Self {
            stream,
            pace,
            from,
            country,
            place: None,
            line,
            end,
            seat: None,
            messages: Bucket::full(limits::MESSAGE_BURST, Duration::from_secs(1) / limits::MESSAGES_PER_SECOND, now),
            tries: Bucket::full(TRIES_AT_ONCE, NEXT_TRY_EVERY, now),
            complained: None,
            heard: Instant::now(),
            enter_by: Instant::now() + FIRST_MESSAGE_WITHIN,
            sessions,
        }
    }

    async fn serve(&mut self) {
        let Over(farewell) = self.run().await;
        // The place is given up, or kept, before the goodbye is waited for.
        self.seat = None;
        if let Some(farewell) = farewell {
            tracing::debug!(close.code = farewell.code(), "A socket is closed");
            self.say(farewell).await;
        }
    }

    async fn run(&mut self) -> Over {
        let stopping = self.sessions.stopping().clone();
        let shown_out = self.place.as_ref().map_or_else(CancellationToken::new, |place| place.shown_out().clone());
        let mut ping = interval_at(Instant::now() + self.pace.ping_every, self.pace.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Each of these is made once: to make it anew for every message would take a lock that all sockets share.
        let (mut stopping, mut shown_out) = (pin!(stopping.cancelled()), pin!(shown_out.cancelled()));
        let mut silence = pin!(sleep_until(self.deadline()));
        loop {
            let step = tokio::select! {
                biased;
                () = &mut stopping => Err(Over(Some(Farewell::GoingAway))),
                () = &mut shown_out, if self.seat.is_none() => Err(Over(Some(Farewell::TryAgain))),
                () = &mut silence => {
                    // It only ever moves on.
                    let deadline = self.deadline();
                    if deadline > silence.deadline() {
                        silence.as_mut().reset(deadline);
                        continue;
                    }
                    Err(Over((deadline < self.gone_at()).then_some(Farewell::Unusable)))
                }
                _ = ping.tick() => self.write(Message::Ping(axum::body::Bytes::new())).await,
                news = self.end.next(self.seat.is_some()) => match news {
                    News::Broken => Err(Over(Some(Farewell::TryAgain))),
                    News::Snapshot(snapshot) => self.write(Message::Text(snapshot)).await,
                    News::Frame(frame) => self.write_frame(frame).await,
                },
                received = self.stream.recv() => self.receive(received).await,
            };
            if let Err(over) = step {
                return over;
            }
        }
    }

    /// When whoever is silent is taken for gone.
    fn gone_at(&self) -> Instant {
        self.heard + self.pace.gone_after
    }

    /// When the socket is closed if nothing more comes.
    fn deadline(&self) -> Instant {
        if self.seat.is_some() { self.gone_at() } else { self.gone_at().min(self.enter_by) }
    }

    async fn receive(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
        let message = match received {
            None | Some(Ok(Message::Close(_))) => return Err(Over(None)),
            Some(Err(error)) => {
                tracing::debug!(%error, "A socket broke");
                return Err(Over(Some(Farewell::Unusable)));
            }
            Some(Ok(message)) => message,
        };
        self.heard = Instant::now();
        let now = self.sessions.clock().now();
        if !self.messages.take(now) {
            if self.complained.is_none_or(|last| now.since(last) >= COMPLAIN_EVERY) {
                self.complained = Some(now);
                self.refuse(Refusal::TooManyMessages);
            }
            return Ok(());
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => {
                let too_large = bytes.len() > limits::MESSAGE_BYTES;
                self.refuse(if too_large { Refusal::MessageTooLarge } else { Refusal::Unreadable });
                return Ok(());
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        match reading::read(&text) {
            Ok(message) => self.take(message, now).await,
            Err(refusal) => {
                self.refuse(refusal);
                Ok(())
            }
        }
    }

    async fn take(&mut self, message: ClientMessage, now: Now) -> Result<(), Over> {
        if let ClientMessage::Usage { report } = &message
            && usage::check(report).is_err()
        {
            self.refuse(Refusal::BadReport);
            return Ok(());
        }
        if let Some(seat) = &self.seat {
            seat.take(message);
            return Ok(());
        }
        if !reading::opens(&message) {
            self.refuse(Refusal::NotJoined);
            return Ok(());
        }
        // Lent room while it lasts: it is needed once, and an idle socket would keep it for good.
        Box::pin(self.come_in(message, now)).await
    }

    async fn come_in(&mut self, message: ClientMessage, now: Now) -> Result<(), Over> {
        self.enter_by = Instant::now() + NEXT_TRY_WITHIN;
        if !self.tries.take(now) {
            self.refuse(Refusal::TooManyTries);
            return Ok(());
        }
        self.wait_for_turn(&message).await?;
        self.seat = self.sessions.enter(&self.line, self.from, self.country, message).await;
        if self.seat.is_some() {
            if let Some(place) = &self.place {
                place.sit_down();
            }
            // The welcome waits in the queue and goes out before any snapshot.
            while let Some(frame) = self.end.next_frame() {
                self.write_frame(frame).await?;
            }
        }
        Ok(())
    }

    async fn wait_for_turn(&mut self, message: &ClientMessage) -> Result<(), Over> {
        let turn = self.sessions.turn(message);
        if turn.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = self.sessions.stopping().cancelled() => Err(Over(Some(Farewell::GoingAway))),
            () = sleep(turn) => Ok(()),
        }
    }

    fn refuse(&self, refusal: Refusal) {
        self.line.send(&refusal.message());
    }

    async fn write_frame(&mut self, frame: Frame) -> Result<(), Over> {
        match frame {
            Frame::Text(text) => self.write(Message::Text(text)).await,
            Frame::Close(farewell) => Err(Over(Some(farewell))),
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Over> {
        tokio::select! {
            biased;
            // First, since it seldom waits: nothing else is looked at then.
            written = timeout(self.pace.write_within, self.stream.send(message)) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Over(None)),
                Err(_) => Err(Over(Some(Farewell::TryAgain))),
            },
            () = self.sessions.stopping().cancelled() => Err(Over(Some(Farewell::GoingAway))),
            () = self.end.broken() => Err(Over(Some(Farewell::TryAgain))),
        }
    }

    /// Says goodbye and waits a moment for the answer: a socket that is dropped at once may lose what was sent last.
    async fn say(&mut self, farewell: Farewell) {
        let reason = Utf8Bytes::from_static(farewell.reason());
        let close = Message::Close(Some(CloseFrame { code: farewell.code(), reason }));
        let goodbye = async {
            if self.stream.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.stream.recv().await {}
            }
        };
        if timeout(CLOSE_WITHIN, goodbye).await.is_err() {
            tracing::debug!("A socket did not answer the close");
        }
    }
}
