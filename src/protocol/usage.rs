//! What both ends of a connection report about relayed bytes.
//!
//! Counters are cumulative per candidate pair, and every report has a sequence number: a report that is lost, repeated or
//! late changes nothing that a later one does not mend. All pairs whose *local* candidate is a relay are reported,
//! selected or not, because media can run over a pair that neither end names as selected.

use super::path_seen::PathSeen;
use super::signal::WireToken;
use crate::domain::{ConnectionId, ProviderName};
use serde::{Deserialize, Serialize};

/// How one end reaches the other, by its selected candidate pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// No pair works yet, or none any more.
    #[default]
    NotConnected,
    /// This end's local candidate is no relay.
    Direct,
    /// This end's local candidate is a relay.
    Relayed,
}

/// Relay usage of one connection as one end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageReport {
    /// Which connection.
    pub connection: ConnectionId,
    /// 1 for this end's first report of the connection, one more for each further one.
    pub sequence: u64,
    /// The path that this end's selected pair takes.
    pub path: Path,
    /// Every candidate pair whose local candidate is a relay.
    pub pairs: Vec<PairCounters>,
    /// What this end exchanged with the other end's relay; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_end: Option<OtherEndCounters>,
    /// What this end knows of its selected pair, for the operator's figures; nothing is counted by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<PathSeen>,
}

/// Counters of all pairs together whose *remote* candidate is a relay, since the connection came to be: what the other end's
/// relay carried, as this end saw it. So neither end alone decides what is counted of its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherEndCounters {
    /// `bytesReceived`: from the other end, through its relay.
    pub bytes_received: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `packetsReceived`; 0 where the browser does not count packets.
    pub packets_received: u64,
    /// `packetsSent`; 0 where the browser does not count packets.
    pub packets_sent: u64,
}

/// One candidate pair's counters since it came to be (W3C webrtc-stats `RTCIceCandidatePairStats`): payload bytes without
/// headers, padding and connectivity checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairCounters {
    /// The browser's own name for the pair, unique within the connection; at most 64 characters.
    pub pair: String,
    /// Who minted the credentials that the connection was built with.
    pub provider: ProviderName,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `packetsReceived`; 0 where the browser does not count packets.
    pub packets_received: u64,
    /// `packetsSent`; 0 where the browser does not count packets.
    pub packets_sent: u64,
    /// Of `packets_received`, those that came before the browser had sent anything over the pair: it has no channel until
    /// then, and the relay wraps each in a Data indication (RFC 8656 section 11), which is larger.
    #[serde(default)]
    pub packets_indicated: u64,
}

impl PairCounters {
    /// A pair over which nothing has gone yet.
    pub fn of(pair: impl Into<String>, provider: ProviderName) -> Self {
        Self {
            pair: pair.into(),
            provider,
            bytes_received: 0,
            bytes_sent: 0,
            packets_received: 0,
            packets_sent: 0,
            packets_indicated: 0,
        }
    }
}

/// The last counters of a page that goes away, sent with `navigator.sendBeacon`, which carries no headers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageBeacon {
    /// Who reports.
    pub token: WireToken,
    /// One report a connection.
    pub reports: Vec<UsageReport>,
}
