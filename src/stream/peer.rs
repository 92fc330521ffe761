//! What is said between the cores and one `RTCPeerConnection`.
//!
//! A peer carries its commands out one after the other; each event belongs to the connection that it came from.

use super::quality::Encoding;
use crate::protocol::{CandidateType, Path, RelayTransport, Signal};
use std::time::Duration;

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
    Offer {
        /// The offer's number.
        generation: u32,
        /// With new ICE credentials: a restart.
        restart: bool,
    },
    /// Set the remote offer, create an answer, set it; answered by [`PeerEvent::Described`].
    AcceptOffer {
        /// The session description.
        sdp: String,
        /// The offer's number, for the answer.
        generation: u32,
    },
    /// `setConfiguration` with the ICE servers that the page has in hand; they count from the next restart on.
    Configure,
    /// Send this over the data channel, if it is open.
    Tell(String),
    /// Set the remote answer.
    AcceptAnswer(String),
    /// Add a remote candidate.
    AddCandidate(Signal),
    /// Send like this from now on.
    Encode(Encoding),
    /// Encode the next picture whole, where the browser can be told to.
    KeyFrame,
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
    /// The data channel is open.
    SideOpened,
    /// The other end sent this over the data channel.
    Told(String),
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

/// One look at `getStats`. Counters run from the connection's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// The path of the selected pair.
    pub path: Path,
    /// The browser's name for the selected pair.
    pub selected: Option<String>,
    /// Every pair whose local candidate is a relay, selected or not.
    pub relayed: Vec<PairSample>,
    /// Every pair whose remote candidate is a relay: what the other end's relay carries.
    pub other_end: Vec<PairSample>,
    /// `bytesReceived` of sound and picture together: it stands still when nothing arrives.
    pub media_received: u64,
    /// How long ago the last packet of either came (`lastPacketReceivedTimestamp`), where the browser tells.
    pub quiet: Option<Duration>,
    /// `bytesSent` of sound and picture together.
    pub media_sent: u64,
    /// `currentRoundTripTime` of the selected pair.
    pub round_trip: Option<Duration>,
    /// `availableOutgoingBitrate` of the selected pair, in bits per second.
    pub line: Option<u64>,
    /// The types of the selected pair's candidates, this end's first, and how this end reaches its relay.
    pub candidates: (Option<CandidateType>, Option<CandidateType>, Option<RelayTransport>),
    /// The picture that arrives.
    pub received: Option<Received>,
    /// The picture that is sent.
    pub sent: Option<Sent>,
}

/// A picture that arrives (`inbound-rtp`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// `framesDecoded`.
    pub frames: u32,
    /// `frameWidth`.
    pub width: u16,
    /// `frameHeight`.
    pub height: u16,
    /// `totalFreezesDuration`.
    pub frozen: Duration,
    /// The codec, such as `H264`.
    pub codec: String,
}

/// A picture that is sent (`outbound-rtp`, with its `media-source` and what the other end reports of it).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// `framesEncoded`.
    pub frames: u32,
    /// `totalEncodeTime`.
    pub encoding: Duration,
    /// `frameWidth`.
    pub width: u16,
    /// `frameHeight`.
    pub height: u16,
    /// Width and height of what is being encoded, before it is made smaller.
    pub source: Option<(u16, u16)>,
    /// `framesPerSecond` of the source.
    pub source_fps: u16,
    /// `fractionLost` of the other end's last report, in thousandths.
    pub lost_permille: u16,
    /// The codec, such as `H264`.
    pub codec: String,
}

/// One relayed pair's counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
