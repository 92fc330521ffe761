//! How many requests of strangers are answered, by address, in memory that never grows.
//!
//! Every answer to somebody who has not proved anything is work that can be asked for in somebody else's name: the source
//! of a datagram can be forged, and the answer is larger than the request. So each address has a burst and a rate. The
//! table has a fixed number of places and addresses share them by a hash that only this process knows: a flood from many
//! addresses takes places from others, never memory. Knows nothing of what is asked.

use crate::domain::Now;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
};

/// Two hundred and fifty-six kilobytes of them.
const PLACES: usize = 1 << 15;

/// Counts answers by address (GCRA: each place holds when it will be empty again).
pub(super) struct Budget {
    places: Box<[u64]>,
    hasher: RandomState,
    interval: u64,
    tolerance: u64,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl Budget {
    /// `burst` at once, then `per_second`.
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        let interval = 1_000_000 / u64::from(per_second.max(1));
        Self {
            places: vec![0; PLACES].into(),
            hasher: RandomState::new(),
            interval,
            tolerance: interval * u64::from(burst.saturating_sub(1)),
        }
    }

    /// Whether this address may have one more.
    pub(super) fn take(&mut self, address: IpAddr, now: Now) -> bool {
        let now = u64::try_from(now.since(Now::default()).as_micros()).unwrap_or(u64::MAX);
        let place = usize::try_from(self.hasher.hash_one(network(address))).unwrap_or_default() % PLACES;
        let empty_at = self.places[place].max(now);
        if empty_at - now > self.tolerance {
            return false;
        }
        self.places[place] = empty_at.saturating_add(self.interval);
        true
    }
}

/// What one household or server has for itself: an IPv4 address, or the 64 bits that every IPv6 network has at least.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(time: Duration) -> Now {
        Now::since_start(time)
    }

    #[test]
    fn an_address_has_a_burst_and_then_a_rate() {
        let mut budget = Budget::new(3, 10);
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let start = Duration::from_secs(5);
        assert_eq!([0; 4].map(|_| budget.take(one, at(start))), [true, true, true, false]);
        assert!(budget.take(other, at(start)));
        let later = start + Duration::from_millis(100);
        assert_eq!([0; 2].map(|_| budget.take(one, at(later))), [true, false]);
        assert_eq!([0; 4].map(|_| budget.take(one, at(start * 2))), [true, true, true, false]);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let mut budget = Budget::new(1, 1);
        let [one, same, other] = ["2001:db8::1", "2001:db8::2:1", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert!(budget.take(one, Now::default()));
        assert!(!budget.take(same, Now::default()));
        assert!(budget.take(other, Now::default()));
    }
}
