//! The way out to one socket: a bounded queue for what must arrive in order, and one place for the latest snapshot.
//!
//! Sending never waits. A queue that is full means that the other side doesn't read: the line breaks, the socket closes
//! with 1013 and its participant resumes on a new one. Snapshots cannot fill it, the latest replaces the one before.

use crate::protocol::ServerMessage;
use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Messages that wait for a socket. A host with seven guests gets seven offers' worth of candidates at once: 150 or so.
const WAITING_MESSAGES: usize = 256;

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

/// The sending side. Cloned into whatever has something to say later, such as an acknowledgement.
#[derive(Debug, Clone)]
pub(super) struct Line {
    frames: mpsc::Sender<Frame>,
    snapshot: watch::Sender<Option<Utf8Bytes>>,
    broken: CancellationToken,
}

/// The side that the socket's task reads.
#[derive(Debug)]
pub(super) struct LineEnd {
    /// What must arrive, in order.
    pub(super) frames: mpsc::Receiver<Frame>,
    /// The latest snapshot.
    pub(super) snapshot: watch::Receiver<Option<Utf8Bytes>>,
    /// Set once something could not be queued.
    pub(super) broken: CancellationToken,
}

/// A line and its end.
pub(super) fn line() -> (Line, LineEnd) {
    let (frames, waiting) = mpsc::channel(WAITING_MESSAGES);
    let (snapshot, latest) = watch::channel(None);
    let broken = CancellationToken::new();
    let end = LineEnd { frames: waiting, snapshot: latest, broken: broken.clone() };
    (Line { frames, snapshot, broken }, end)
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
        self.snapshot.send_replace(Some(snapshot));
    }

    /// Queues the end.
    pub(super) fn close(&self, farewell: Farewell) {
        self.push(Frame::Close(farewell));
    }

    /// Closes the socket as one that is too slow is closed: its participant resumes at once.
    pub(super) fn break_off(&self) {
        self.broken.cancel();
    }

    /// Queues what another node says.
    pub(super) fn push(&self, frame: Frame) {
        match self.frames.try_send(frame) {
            Err(mpsc::error::TrySendError::Full(_)) => self.broken.cancel(),
            // Closed: the socket is gone, and its participant away.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_breaks_the_line_and_snapshots_do_not_fill_it() {
        let (line, mut end) = line();
        for number in 0..10_000 {
            line.show(number.to_string().into());
        }
        assert_eq!(end.snapshot.borrow_and_update().as_deref(), Some("9999"));
        for _ in 0..WAITING_MESSAGES {
            line.send(&ServerMessage::Pong);
        }
        assert!(!end.broken.is_cancelled());
        line.send(&ServerMessage::Pong);
        assert!(end.broken.is_cancelled());
        assert!(matches!(end.frames.recv().await, Some(Frame::Text(_))));
    }
}
