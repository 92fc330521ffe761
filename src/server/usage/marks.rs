//! How far a connection is counted, for whoever goes on counting it elsewhere.
//!
//! Browsers report cumulative counters, so a machine that knows how far they were counted counts nothing twice. Marks that are older than
//! the last report let what came in between count at both machines, and never let anything go uncounted.

use super::connections::Kept;
use crate::domain::{ConnectionId, ParticipantId, UnixMillis};
use serde::{Deserialize, Serialize};

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    pub(super) connection: ConnectionId,
    pub(super) host: ParticipantId,
    pub(super) guest: ParticipantId,
    pub(super) opened_at: UnixMillis,
    pub(super) alive_at: UnixMillis,
    pub(super) reported: bool,
    pub(super) ends: Vec<EndMarks>,
}

/// One end of it, as `connection_end` has it. A provider without a name is `""`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EndMarks {
    pub(super) participant: ParticipantId,
    pub(super) provider: String,
    pub(super) own: u64,
    pub(super) other_end: u64,
    pub(super) larger: u64,
    pub(super) sequence: u64,
    /// Bytes received and sent, packets received and sent.
    pub(super) counters: [u64; 4],
    pub(super) since: UnixMillis,
    pub(super) pairs: Vec<PairMarks>,
}

/// One pair of it, as `pair` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PairMarks {
    pub(super) pair: String,
    pub(super) provider: String,
    pub(super) sequence: u64,
    /// Bytes received and sent, packets received and sent, and those of the first that were indicated.
    pub(super) counters: [u64; 5],
    pub(super) counted: u64,
    pub(super) since: UnixMillis,
}

impl Marks {
    /// Of a connection of which no bytes are known yet.
    pub(super) fn of(kept: Kept) -> Self {
        let Kept { connection, host, guest, opened_at, alive_at, reported } = kept;
        Self { connection, host, guest, opened_at, alive_at, reported, ends: Vec::new() }
    }

    /// As an open connection is written down.
    pub(super) fn kept(&self) -> Kept {
        let Self { connection, host, guest, opened_at, alive_at, reported, .. } = *self;
        Kept { connection, host, guest, opened_at, alive_at, reported }
    }
}
