//! How one end of a connection sees its selected candidate pair, for the operator's figures.
//!
//! Kinds, transports and numbers from closed sets: no address, no name, nothing that tells a person. A report without it is
//! as good as one with it, so pages of an older version and browsers that do not say are heard all the same.

use serde::{Deserialize, Serialize};

/// The type of an ICE candidate (RFC 8445 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateType {
    /// An address of the device itself.
    Host,
    /// The address that a STUN server saw.
    Srflx,
    /// The address that the other end saw.
    Prflx,
    /// An address of a relay.
    Relay,
}

impl CandidateType {
    /// In the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Host, Self::Srflx, Self::Prflx, Self::Relay];

    /// As webrtc-stats has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        }
    }

    /// Reads what webrtc-stats has.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// How a browser reaches its relay (W3C webrtc-stats `relayProtocol`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayTransport {
    /// TURN over UDP.
    Udp,
    /// TURN over TCP.
    Tcp,
    /// TURN over TLS.
    Tls,
}

impl RelayTransport {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    /// As webrtc-stats has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Reads what webrtc-stats has.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transport| transport.word() == word)
    }
}

/// What this end knows of its selected pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PathSeen {
    /// This end's candidate; `None` while no pair is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<CandidateType>,
    /// The other end's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<CandidateType>,
    /// How this end reaches its relay, where its candidate is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<RelayTransport>,
    /// There and back, as the last check found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u32>,
    /// Sound and picture, in and out, since the report before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<u64>,
}

/// The longest round trip that is believed.
const ROUND_TRIP_MS: u32 = 60_000;

/// The most that one connection is believed to carry: 10 Gbit/s.
const BITS_PER_SECOND: u64 = 10_000_000_000;

impl PathSeen {
    /// The same without what nobody can have measured.
    #[must_use]
    pub fn believed(self) -> Self {
        Self {
            round_trip_ms: self.round_trip_ms.filter(|millis| *millis <= ROUND_TRIP_MS),
            bits_per_second: self.bits_per_second.filter(|bits| *bits <= BITS_PER_SECOND),
            transport: self.transport.filter(|_| self.local == Some(CandidateType::Relay)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_none() {
        for kind in CandidateType::ALL {
            assert_eq!(CandidateType::of(kind.word()), Some(kind));
        }
        for transport in RelayTransport::ALL {
            assert_eq!(RelayTransport::of(transport.word()), Some(transport));
        }
        assert_eq!((CandidateType::of("192.0.2.1"), RelayTransport::of("")), (None, None));
    }

    #[test]
    fn what_nobody_can_have_measured_is_left_out() {
        let seen = PathSeen {
            local: Some(CandidateType::Host),
            transport: Some(RelayTransport::Tls),
            round_trip_ms: Some(u32::MAX),
            bits_per_second: Some(u64::MAX),
            ..PathSeen::default()
        };
        assert_eq!(seen.believed(), PathSeen { local: Some(CandidateType::Host), ..PathSeen::default() });
    }

    #[test]
    fn unknown_words_are_refused_and_silence_is_not() {
        assert!(serde_json::from_str::<PathSeen>(r#"{"local":"192.0.2.1"}"#).is_err());
        assert_eq!(serde_json::from_str::<PathSeen>("{}").unwrap(), PathSeen::default());
    }
}
