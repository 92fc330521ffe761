//! The way out to one socket: a bounded queue for what must arrive in order, and one place for the latest snapshot.
//!
//! Sending never waits. A queue that is full means that the other side doesn't read: the line breaks, the socket closes
//! with 1013 and its participant resumes on a new one. Snapshots cannot fill it, the latest replaces the one before.
//!
//! Most sockets are idle most of the time, so what is here is one allocation and an empty queue: channels keep room for
//! messages that nobody sends, two kilobytes a socket.

use crate::protocol::ServerMessage;
use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Messages that wait for a socket. A host with seven guests gets seven offers' worth of candidates at once: 150 or so.
const WAITING_MESSAGES: usize = 256;

/// Room that an empty queue keeps, in messages.
const KEPT_MESSAGES: usize = 4;

/// How the server closes a socket (RFC 6455, 7.4). The reasons are for people who look into their browser's console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Farewell {
    /// The session is over for this participant.
    Ended,
    /// The server stops.
    GoingAway,
    /// Nothing was asked for, or what came was no WebSocket message.
    Unusable,
    /// The other side is too slow, or its session is at another server now; it may resume at once.
    TryAgain,
    /// The participant is on another socket now.
    ResumedElsewhere,
}

impl Farewell {
    /// The close code.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Ended => 1000,
            Self::GoingAway => 1001,
            Self::Unusable => 1008,
            Self::TryAgain => 1013,
            Self::ResumedElsewhere => 4001,
        }
    }

    /// The reason beside the code.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Ended => "the session is over for you",
            Self::GoingAway => "the server is stopping",
            Self::Unusable => "nothing usable came over this socket",
            Self::TryAgain => "messages piled up, or the session moved; resume now",
            Self::ResumedElsewhere => "resumed on another socket",
        }
    }
}

/// What waits for a socket.
#[derive(Debug)]
pub(super) enum Frame {
    /// A message.
    Text(Utf8Bytes),
    /// The end.
    Close(Farewell),
}

/// What the socket's task has to do next.
#[derive(Debug)]
pub(super) enum News {
    /// Something could not be queued: the line is broken.
    Broken,
    /// The session as it is now.
    Snapshot(Utf8Bytes),
    /// What is next in the queue.
    Frame(Frame),
}

/// The sending side. Cloned into whatever has something to say later, such as an acknowledgement.
#[derive(Debug, Clone)]
pub(super) struct Line(Arc<Shared>);

/// The side that the socket's task reads. Once it is dropped, what is sent goes nowhere.
#[derive(Debug)]
pub(super) struct LineEnd(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something waits, or the line is broken. One task listens.
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// What must arrive, in order.
    frames: VecDeque<Frame>,
    /// The latest snapshot, where it was not taken yet.
    snapshot: Option<Utf8Bytes>,
    broken: bool,
    /// The socket is gone, and its participant away.
    closed: bool,
}

/// A line and its end.
pub(super) fn line() -> (Line, LineEnd) {
    let shared = Arc::new(Shared::default());
    (Line(Arc::clone(&shared)), LineEnd(shared))
}

/// The message as it goes over the wire.
pub(super) fn wire(message: &ServerMessage) -> Option<Utf8Bytes> {
    match serde_json::to_string(message) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            tracing::error!(%error, "A message could not be written as JSON and was not sent");
            None
        }
    }
}

impl Line {
    /// Queues a message.
    pub(super) fn send(&self, message: &ServerMessage) {
        if let Some(text) = wire(message) {
            self.push(Frame::Text(text));
        }
    }

    /// Replaces the snapshot that waits, if one does.
    pub(super) fn show(&self, snapshot: Utf8Bytes) {
        self.0.change(|waiting| waiting.snapshot = Some(snapshot));
    }

    /// Queues the end.
    pub(super) fn close(&self, farewell: Farewell) {
        self.push(Frame::Close(farewell));
    }

    /// Closes the socket as one that is too slow is closed: its participant resumes at once.
    pub(super) fn break_off(&self) {
        self.0.change(|waiting| waiting.broken = true);
    }

    /// Queues what another node says.
    pub(super) fn push(&self, frame: Frame) {
        self.0.change(|waiting| {
            if waiting.frames.len() < WAITING_MESSAGES {
                waiting.frames.push_back(frame);
            } else {
                waiting.broken = true;
            }
        });
    }
}

impl LineEnd {
    /// Waits for what is next. Snapshots are for those who have a seat, and come before other messages, so that nobody hears of
    /// a guest who is not in the list yet.
    pub(super) async fn next(&self, seated: bool) -> News {
        loop {
            if let Some(news) = self.take(seated) {
                return news;
            }
            self.0.news.notified().await;
        }
    }

    /// What is next in the queue, if anything is.
    pub(super) fn next_frame(&self) -> Option<Frame> {
        self.0.lock().next_frame()
    }

    /// The snapshot that came meanwhile, or this one.
    pub(super) fn newest(&self, snapshot: Utf8Bytes) -> Utf8Bytes {
        self.0.lock().snapshot.take().unwrap_or(snapshot)
    }

    /// Waits until something could not be queued.
    pub(super) async fn broken(&self) {
        while !self.0.lock().broken {
            self.0.news.notified().await;
        }
    }

    fn take(&self, seated: bool) -> Option<News> {
        let mut waiting = self.0.lock();
        if waiting.broken {
            return Some(News::Broken);
        }
        let snapshot = if seated { waiting.snapshot.take() } else { None };
        snapshot.map(News::Snapshot).or_else(|| waiting.next_frame().map(News::Frame))
    }
}

impl Drop for LineEnd {
    fn drop(&mut self) {
        *self.0.lock() = Waiting { closed: true, ..Waiting::default() };
    }
}

impl Waiting {
    fn next_frame(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front();
        if self.frames.is_empty() {
            // A burst is seldom followed by another one.
            self.frames.shrink_to(KEPT_MESSAGES);
        }
        frame
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if !waiting.closed {
            change(&mut waiting);
            drop(waiting);
            self.news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_breaks_the_line_and_snapshots_do_not_fill_it() {
        let (line, end) = line();
        for number in 0..10_000 {
            line.show(number.to_string().into());
        }
        assert!(matches!(end.next(true).await, News::Snapshot(latest) if latest.as_str() == "9999"));
        for _ in 0..WAITING_MESSAGES {
            line.send(&ServerMessage::Pong);
        }
        assert!(matches!(end.next(true).await, News::Frame(Frame::Text(_))));
        line.send(&ServerMessage::Pong);
        line.send(&ServerMessage::Pong);
        assert!(matches!(end.next(true).await, News::Broken));
        end.broken().await;
    }

    #[tokio::test]
    async fn a_snapshot_waits_for_a_seat_and_then_goes_first() {
        let (line, end) = line();
        line.send(&ServerMessage::Pong);
        line.show("now".into());
        assert!(matches!(end.next(false).await, News::Frame(Frame::Text(_))));
        line.close(Farewell::Ended);
        assert!(matches!(end.next(true).await, News::Snapshot(now) if now.as_str() == "now"));
        assert!(matches!(end.next(true).await, News::Frame(Frame::Close(Farewell::Ended))));
        assert!(end.next_frame().is_none());
    }

    #[tokio::test]
    async fn who_waits_is_woken_and_a_line_without_an_end_holds_nothing() {
        let (line, end) = line();
        let waiting = tokio::spawn(async move { (end.next(true).await, end) });
        tokio::task::yield_now().await;
        line.send(&ServerMessage::Pong);
        let (news, end) = waiting.await.unwrap();
        assert!(matches!(news, News::Frame(Frame::Text(_))));
        drop(end);
        for _ in 0..=WAITING_MESSAGES {
            line.send(&ServerMessage::Pong);
        }
        let held = line.0.lock();
        assert!(held.frames.is_empty() && !held.broken);
    }
}
