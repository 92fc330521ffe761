//! Who says what of relayed bytes.
//!
//! Three voices: the browsers at both ends, the relay where it counts itself, and whoever sends the bill. Each is kept as what
//! it is; [`super::ledger`] knows what counts of them.

use super::month::Month;
use crate::domain::{ByteCount, ParticipantId, ProviderName};

/// What somebody other than a browser says of relayed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A relay itself counted this much more, for one participant where it is known who.
    Relay {
        /// Whose relay.
        provider: ProviderName,
        /// Whose credentials it ran on.
        participant: Option<ParticipantId>,
        /// How much more than it said before.
        bytes: ByteCount,
    },
    /// Browsers reported this much over a relay that counts for itself and is not heard: an estimate of what it will say. Made up
    /// here, of reports that did not count.
    Unheard {
        /// Whose relay.
        provider: ProviderName,
        /// Whose credentials it ran on.
        participant: ParticipantId,
        /// How much more than was estimated before.
        bytes: ByteCount,
    },
    /// Whether the relay's own count is to be had now: while it is, it counts, and browsers' reports of that provider do not.
    Speaks {
        /// Whose relay.
        provider: ProviderName,
        /// It does.
        speaks: bool,
    },
    /// The provider's own count of a month so far, as it says now.
    Provider {
        /// Who.
        provider: ProviderName,
        /// Of which month.
        month: Month,
        /// All of it.
        bytes: ByteCount,
    },
}
