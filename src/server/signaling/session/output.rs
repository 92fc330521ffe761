//! What is to be done for a session.

use super::SocketId;
use crate::domain::{ConnectionId, ParticipantId};
use crate::protocol::{EndReason, ServerMessage, Snapshot, UsageReport};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A message for one socket.
    Send {
        /// Where to.
        to: SocketId,
        /// What.
        message: ServerMessage,
    },
    /// The session changed: the same for everyone who did not get it with a welcome.
    Snapshot {
        /// Where to.
        to: Vec<SocketId>,
        /// The session now.
        snapshot: Snapshot,
    },
    /// The socket is done with, once everything before is sent.
    Disconnect {
        /// Which.
        socket: SocketId,
        /// Why.
        why: Disconnect,
    },
    /// The host offered: usage counts the connection from now on.
    ConnectionOpened {
        /// Which.
        connection: ConnectionId,
        /// One end.
        host: ParticipantId,
        /// The other.
        guest: ParticipantId,
    },
    /// A counted connection gave a sign of life.
    Alive {
        /// Which.
        connection: ConnectionId,
    },
    /// A counted connection is over.
    ConnectionClosed {
        /// Which.
        connection: ConnectionId,
    },
    /// Somebody is in the session no more, whatever the reason, and cannot come back as the same participant.
    Left {
        /// Who.
        participant: ParticipantId,
    },
    /// A usage report of one of the participant's own connections.
    Usage {
        /// Where the acknowledgement goes.
        from: SocketId,
        /// Who reports.
        participant: ParticipantId,
        /// What.
        report: UsageReport,
    },
    /// The session is over for everyone.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// Why a socket is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The session is over for this participant.
    Ended,
    /// The participant came back on another socket.
    ResumedElsewhere,
}

/// Whose late report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporter {
    /// Who reports.
    pub participant: ParticipantId,
    /// The connection is still open.
    pub open: bool,
}
