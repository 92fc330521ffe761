//! What is said between the cores and one `RTCPeerConnection`.
//!
//! A peer carries its commands out one after the other; each event belongs to the connection that it came from.

use crate::protocol::{Path, Signal};

/// How a peer connection is built; its ICE servers are those that the page has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerConfig {
    /// `iceTransportPolicy: "relay"`.
    pub relay_only: bool,
    /// Whether this end sends the film.
    pub sends: bool,
}

/// What the driver is to do with one peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerCommand {
    /// Build it.
    Open(PeerConfig),
    /// Create an offer and set it as the local description; answered by [`PeerEvent::Described`].
    Offer,
    /// Set the remote offer, create an answer, set it; answered by [`PeerEvent::Described`].
    AcceptOffer(String),
    /// Set the remote answer.
    AcceptAnswer(String),
    /// Add a remote candidate.
    AddCandidate(Signal),
    /// Read the counters; answered by [`PeerEvent::Sampled`].
    Sample,
    /// Read the counters a last time, then close it and drop everything that belongs to it.
    Close,
}

/// What one peer connection reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// The local description is set: this goes to the other end.
    Described(Signal),
    /// A local candidate.
    Candidate(Signal),
    /// `connectionState` changed.
    State(PeerState),
    /// The counters.
    Sampled(Sample),
    /// A command failed; the connection is of no use.
    Broken,
}

/// The part of `RTCPeerConnectionState` that decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// Not yet, or for the moment not.
    Connecting,
    /// Media can flow.
    Connected,
    /// ICE gave up.
    Failed,
}

/// One look at `getStats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The path of the selected pair.
    pub path: Path,
    /// Every pair whose local candidate is a relay, selected or not.
    pub relayed: Vec<PairSample>,
}

/// One relayed pair's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairSample {
    /// The browser's name for the pair.
    pub id: String,
    /// `bytesReceived`.
    pub bytes_received: u64,
    /// `bytesSent`.
    pub bytes_sent: u64,
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `packetsSent`.
    pub packets_sent: u64,
}
