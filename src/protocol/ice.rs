//! The answers of `/api/turn-credentials`, `/api/turn` and `/api/bandwidth-status`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A W3C `RTCIceServer`. `Debug` hides the credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URLs.
    pub urls: Vec<String>,
    /// The TURN user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The TURN password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Why an answer has no relay in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DegradedReason {
    /// The operator configured no provider.
    NotConfigured,
    /// Every provider failed or took too long.
    ProviderError,
    /// The month's budget is nearly used up.
    NearLimit,
    /// Whoever runs the server has ended relaying for this participant.
    Ended,
    /// The share of the caller, or of their session, address or app, is used up; callers without a token share one.
    ShareUsed,
    /// What would be relayed cannot be counted at the moment.
    NotCounted,
}

/// The header in which a page tells the round trips to relays that it measured: names and milliseconds with commas between
/// them, as in `coturn:fra=23,coturn:nyc=110`.
pub const ROUND_TRIPS: &str = "tessro-round-trips";

/// The header in which a page names the provider whose relay has fallen silent, so that others are asked first.
pub const SILENT_RELAY: &str = "tessro-silent-relay";

/// One of several relays of a kind, of which the nearest is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayPlace {
    /// Its name, such as `coturn:fra`.
    pub provider: String,
    /// Where it answers STUN: `stun:fra.example:3478`.
    pub url: String,
}

/// ICE servers for one caller, as `GET /api/turn-credentials` answers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceAnswer {
    /// What `RTCPeerConnection` takes as `iceServers`. May be empty.
    pub ice_servers: Vec<IceServer>,
    /// Who minted the credentials (`cloudflare`), or `stun` where there are none.
    pub provider: String,
    /// When the credentials stop working, RFC 3339; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Seconds from now to `expires_at`, so that a page need not trust its own clock; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// True where no relay could be had.
    pub degraded: bool,
    /// Why there is no relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DegradedReason>,
    /// Whose round trips a page may measure, so that it gets the nearest next time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<RelayPlace>,
}

/// Credentials for one caller in the form of the TURN REST API, as `GET /api/turn` answers them. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnRestAnswer {
    /// The TURN user name.
    pub username: String,
    /// The TURN password.
    pub password: String,
    /// For how many seconds the relay takes them.
    pub ttl: u64,
    /// `turn:` and `turns:` URLs.
    pub uris: Vec<String>,
}

impl fmt::Debug for TurnRestAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnRestAnswer").field("uris", &self.uris).finish_non_exhaustive()
    }
}

/// Whether credentials are to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BandwidthState {
    /// Below the cap.
    #[serde(rename = "OK")]
    Ok,
    /// At the cap.
    #[serde(rename = "LIMIT_EXCEEDED")]
    LimitExceeded,
}

/// The month's relay usage, as `GET /api/bandwidth-status` answers it. GB is 10^9 bytes, the month is UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandwidthStatus {
    /// `"45.23"`.
    #[serde(rename = "bandwidthUsedGB")]
    pub bandwidth_used_gb: String,
    /// `1000`; decimals where the setting has them.
    #[serde(rename = "bandwidthLimitGB")]
    pub bandwidth_limit_gb: serde_json::Number,
    /// Used of the limit, in percent with two decimals.
    pub percentage: f64,
    /// `"954.77"`.
    #[serde(rename = "remainingGB")]
    pub remaining_gb: String,
    /// When the month turns: `"2025-02-01T00:00:00.000Z"`.
    #[serde(rename = "resetDate")]
    pub reset_date: String,
    /// Connections between a host and a guest that are open now.
    #[serde(rename = "activeConnections")]
    pub active_connections: u64,
    /// `OK` or `LIMIT_EXCEEDED`.
    pub status: BandwidthState,
    /// The month's relayed bytes: measured and estimated.
    #[serde(rename = "bandwidthUsedBytes")]
    pub bandwidth_used_bytes: u64,
    /// Bytes promised to connections and not yet used.
    #[serde(rename = "bandwidthReservedBytes")]
    pub bandwidth_reserved_bytes: u64,
    /// The part of `bandwidthUsedBytes` that was estimated because nothing could be measured.
    #[serde(rename = "bandwidthEstimatedBytes")]
    pub bandwidth_estimated_bytes: u64,
    /// Whose relays are to be had now, as people write them: `Cloudflare`. Direct connections always are.
    #[serde(default)]
    pub relays: Vec<String>,
}
