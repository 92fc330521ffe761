//! What a provider bills of the bytes that a browser counted.
//!
//! Knows providers by kind only and refuses to know prices, time and where the counters came from.

use crate::domain::{ByteCount, ProviderKind};
use crate::protocol::PairCounters;

/// The header of a `ChannelData` message, which carries nearly every packet of a call
/// (<https://www.rfc-editor.org/rfc/rfc8656#name-the-channeldata-message>).
const CHANNEL_DATA_HEADER: u64 = 4;

/// What is around a packet that comes before there is a channel: 20 bytes of header, 12 with the peer's address and 4
/// around the data (<https://www.rfc-editor.org/rfc/rfc8656#name-send-and-data-methods>), and 24 for the name of the software,
/// which coturn writes into each. Where a relay writes none, a little too much is counted, never too little.
const DATA_INDICATION: u64 = 60;

/// Cumulative counters of one candidate pair. Bytes are payload; packets are 0 where the browser does not count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    /// From the relay to the browser.
    pub bytes_received: u64,
    /// From the browser to the relay.
    pub bytes_sent: u64,
    /// From the relay to the browser.
    pub packets_received: u64,
    /// From the browser to the relay.
    pub packets_sent: u64,
    /// Of `packets_received`, those that came in Data indications.
    pub packets_indicated: u64,
}

/// Which of a relay's bytes cost money. What the browser cannot see (refreshes of the allocation, connectivity checks)
/// is left out; it is far below 1 % of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Billing {
    /// What the relay sends to its client. Cloudflare bills "data sent from the Cloudflare edge to the TURN client"
    /// including TURN's overhead; the other direction and the leg to the peer are free.
    ClientEgress,
    /// What passes between relay and client in either direction.
    ClientBoth,
}

impl Billing {
    /// How the provider bills.
    pub const fn of(provider: ProviderKind) -> Self {
        match provider {
            ProviderKind::Cloudflare => Self::ClientEgress,
            // Twilio bills "the sum of bytes sent and received by the TURN client". Xirsys and Metered do not say which
            // direction they mean: the careful choice. Who pays for a server's outgoing traffic pays for what goes to the
            // client and for what goes on to the peer, which is what came from the client.
            ProviderKind::Twilio
            | ProviderKind::Xirsys
            | ProviderKind::Metered
            | ProviderKind::Coturn
            | ProviderKind::Static
            | ProviderKind::Relay => Self::ClientBoth,
        }
    }

    /// The part of these counters that is billed. Never less for larger counters.
    pub(super) fn billed(self, counters: Counters) -> ByteCount {
        let indicated = counters.packets_indicated.min(counters.packets_received);
        let indications = ByteCount::new(indicated.saturating_mul(DATA_INDICATION - CHANNEL_DATA_HEADER));
        let to_client = on_the_wire(counters.bytes_received, counters.packets_received).plus(indications);
        match self {
            Self::ClientEgress => to_client,
            Self::ClientBoth => to_client.plus(on_the_wire(counters.bytes_sent, counters.packets_sent)),
        }
    }
}

impl From<&PairCounters> for Counters {
    fn from(pair: &PairCounters) -> Self {
        Self {
            bytes_received: pair.bytes_received,
            bytes_sent: pair.bytes_sent,
            packets_received: pair.packets_received,
            packets_sent: pair.packets_sent,
            packets_indicated: pair.packets_indicated,
        }
    }
}

fn on_the_wire(payload: u64, packets: u64) -> ByteCount {
    ByteCount::new(payload.saturating_add(packets.saturating_mul(CHANNEL_DATA_HEADER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTERS: Counters = Counters {
        bytes_received: 10_000,
        bytes_sent: 500,
        packets_received: 10,
        packets_sent: 5,
        packets_indicated: 0,
    };

    #[test]
    fn cloudflare_bills_what_it_sends_to_its_client_with_headers() {
        assert_eq!(Billing::of(ProviderKind::Cloudflare).billed(COUNTERS), ByteCount::new(10_040));
    }

    #[test]
    fn every_other_kind_is_counted_both_ways() {
        for kind in ProviderKind::ALL.into_iter().filter(|kind| *kind != ProviderKind::Cloudflare) {
            assert_eq!(Billing::of(kind).billed(COUNTERS), ByteCount::new(10_560), "{kind}");
        }
    }

    #[test]
    fn what_comes_before_there_is_a_channel_is_wrapped_in_more() {
        let indicated = Counters { packets_indicated: 3, ..COUNTERS };
        assert_eq!(Billing::ClientEgress.billed(indicated), ByteCount::new(10_040 + 3 * 56));
        // No more of them than packets came.
        let all = Counters { packets_indicated: 99, ..COUNTERS };
        assert_eq!(Billing::ClientEgress.billed(all), ByteCount::new(10_000 + 10 * 60));
    }

    #[test]
    fn huge_counters_saturate() {
        let huge = Counters {
            bytes_received: u64::MAX,
            bytes_sent: 1,
            packets_received: u64::MAX,
            packets_sent: 1,
            packets_indicated: u64::MAX,
        };
        assert_eq!(Billing::ClientBoth.billed(huge), ByteCount::new(u64::MAX));
    }
}
