//! What is around an IPv6 address: the /48 that it is in.
//!
//! A limit by /64 is none for whoever has a /48, as every customer of some providers does: it has 65,536 of them. So whatever is counted
//! by address is counted by neighbourhood too, [`WIDER`] times as wide: a household that keeps its own limits never meets it, and
//! people of one provider who happen to share a /48 share at least as much as those who share one IPv4 address.

use super::{Allowance, ClientAddress, RateLimit, TooMany, bucket::Bucket};
use crate::server::cluster::Rates;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// How many times as much as an address a whole neighbourhood may.
pub const WIDER: u32 = 8;

/// The network part of a /48. IPv4 addresses are in none: each is dear, and a limit by address holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Neighbourhood(u64);

impl fmt::Debug for Neighbourhood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Neighbourhood(..)")
    }
}

impl Neighbourhood {
    /// The one that the address is in.
    pub fn of(address: ClientAddress) -> Option<Self> {
        match address.network() {
            std::net::IpAddr::V4(_) => None,
            std::net::IpAddr::V6(address) => {
                let [first, second, third, ..] = address.segments().map(u64::from);
                Some(Self((first << 32) | (second << 16) | third))
            }
        }
    }

    /// The network itself, for whoever makes a hash of it.
    pub(super) const fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// A number that stands for it, as one does for an address.
    pub fn pseudonym(self, all_nodes: Option<&Rates>) -> u64 {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        match all_nodes {
            Some(rates) => rates.pseudonym("neighbourhood", &self.bytes()),
            None => KEY.hash_one(self),
        }
    }
}

/// Counts by address, and by neighbourhood.
#[derive(Debug)]
pub(super) struct ByAddress {
    addresses: Bucket<ClientAddress>,
    neighbourhoods: Bucket<Neighbourhood>,
}

impl ByAddress {
    /// Lets each address pass at this rate.
    pub(super) fn new(rate: RateLimit) -> Self {
        Self { addresses: Bucket::new(rate), neighbourhoods: Bucket::new(rate.times(WIDER)) }
    }

    /// What an address may.
    pub(super) fn rate(&self) -> RateLimit {
        self.addresses.rate()
    }

    /// What a neighbourhood may.
    pub(super) fn neighbourhoods_rate(&self) -> RateLimit {
        self.neighbourhoods.rate()
    }

    /// Counts a request. One that its own address may not make costs the neighbours nothing.
    pub(super) fn take(&self, address: ClientAddress) -> Result<Allowance, TooMany> {
        let own = self.addresses.take(&address)?;
        let Some(neighbourhood) = Neighbourhood::of(address) else { return Ok(own) };
        own.within(self.neighbourhoods.take(&neighbourhood))
    }

    /// Drops those who have not asked for so long that they may ask as often as any. To be called now and then.
    pub(super) fn forget_idle(&self) {
        self.addresses.forget_idle();
        self.neighbourhoods.forget_idle();
    }
}

impl Allowance {
    /// What is left of an address's own where its neighbourhood has this left, told as the address's.
    pub(super) fn within(self, neighbourhood: Result<Self, TooMany>) -> Result<Self, TooMany> {
        let limit = self.limit;
        match neighbourhood {
            Ok(of_all) if of_all.remaining < self.remaining => Ok(Self { limit, ..of_all }),
            Ok(_) => Ok(self),
            Err(refused) => Err(TooMany { limit, ..refused }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    fn at(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_neighbourhood_is_a_48_and_ipv4_has_none() {
        let of = |text| Neighbourhood::of(at(text));
        assert_eq!(of("2001:db8:1::1"), of("2001:db8:1:ffff:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db9:1::1"));
        assert_eq!((of("192.0.2.1"), of("::ffff:192.0.2.1")), (None, None));
    }

    #[test]
    fn what_is_left_is_told_as_the_address_s_own() {
        let bucket = ByAddress::new(RateLimit::of(3, 86_400));
        let left =
            |network: u32| bucket.take(at(&format!("2001:db8:1:{network:x}::1"))).map(|allowed| allowed.remaining);
        for network in 0..7 {
            assert_eq!([left(network), left(network), left(network)], [Ok(2), Ok(1), Ok(0)]);
        }
        assert_eq!([left(7), left(8), left(9)], [Ok(2), Ok(1), Ok(0)], "three are left of the neighbourhood's");
        let refused = bucket.take(at("2001:db8:1:a::1")).unwrap_err();
        assert_eq!(refused.limit, 3);
        assert!(refused.retry_after <= RateLimit::of(3, 86_400).interval() / WIDER, "{refused:?}");
        assert!(bucket.take(at("2001:db8:2:a::1")).is_ok() && bucket.take(at("192.0.2.1")).is_ok());
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        let v6 = (0..2_u16, 0..24_u16, any::<u64>()).prop_map(|(third, fourth, rest)| {
            let network = (0x2001_0db8_u128 << 96) | (u128::from(third) << 80) | (u128::from(fourth) << 64);
            IpAddr::from(Ipv6Addr::from_bits(network | u128::from(rest)))
        });
        prop_oneof![9 => v6, 1 => (0..3_u8).prop_map(|last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last)))]
    }

    proptest! {
        /// In a time in which nothing comes back: each address has its own, each neighbourhood as much as eight of them, and whoever is
        /// refused takes nothing from anybody.
        #[test]
        fn who_changes_address_within_a_48_has_what_eight_addresses_have(
            requests in 1..5_u32,
            asked in prop::collection::vec(any_address(), 1..200),
        ) {
            let bucket = ByAddress::new(RateLimit::of(requests, 86_400));
            let (mut own, mut all) = (HashMap::new(), HashMap::new());
            for address in asked {
                let network = match address {
                    IpAddr::V4(address) => (u128::from(address.to_bits()), None),
                    IpAddr::V6(address) => (address.to_bits() >> 64, Some(address.to_bits() >> 80)),
                };
                let own = own.entry(network).or_insert(0);
                let mut passes = *own < requests;
                *own += u32::from(passes);
                if let (true, Some(around)) = (passes, network.1) {
                    let all = all.entry(around).or_insert(0);
                    passes = *all < requests * WIDER;
                    *all += u32::from(passes);
                }
                prop_assert_eq!(bucket.take(address.into()).is_ok(), passes);
            }
        }
    }
}
