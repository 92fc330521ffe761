//! How often one address may try its luck, across all of its sockets.
//!
//! A socket has a rate of its own, but whoever guesses codes opens as many sockets as they like. Looking and counting are
//! two steps here, so that those who get in on the first try cost nothing: two hundred people behind one address may all
//! join, while somebody who keeps failing waits. Time is passed in.

use super::{ClientAddress, Neighbourhood, WIDER};
use crate::domain::Now;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A burst of tries for each address, and then one each interval; for each neighbourhood so many times as many.
pub struct Tries {
    address: Allowed,
    neighbourhood: Allowed,
    whole_at: Mutex<WholeAt>,
}

/// When somebody has their whole burst again. Those who have it are not kept longer than to the next sweep.
#[derive(Default)]
struct WholeAt {
    addresses: HashMap<ClientAddress, Now>,
    neighbourhoods: HashMap<Neighbourhood, Now>,
}

#[derive(Debug, Clone, Copy)]
struct Allowed {
    burst: u32,
    every: Duration,
}

impl Allowed {
    fn is_left(self, whole_at: Option<&Now>, now: Now) -> bool {
        let owed = whole_at.map_or(Duration::ZERO, |whole_at| whole_at.since(now));
        owed <= self.every * self.burst.saturating_sub(1)
    }

    fn spend(self, whole_at: &mut Now, now: Now) {
        // Several may have looked at once; what they owe has a bound all the same.
        *whole_at = ((*whole_at).max(now) + self.every).min(now + self.every * self.burst);
    }
}

impl std::fmt::Debug for Tries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tries").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Tries {
    /// So many at once, and one more each `every`.
    pub fn new(burst: u32, every: Duration) -> Self {
        let neighbourhood = Allowed { burst: burst.saturating_mul(WIDER), every: every / WIDER };
        Self { address: Allowed { burst, every }, neighbourhood, whole_at: Mutex::default() }
    }

    /// Whether the address may try now. Counts nothing.
    pub fn left(&self, address: ClientAddress, now: Now) -> bool {
        let whole_at = self.lock();
        let around = Neighbourhood::of(address).and_then(|around| whole_at.neighbourhoods.get(&around));
        self.address.is_left(whole_at.addresses.get(&address), now) && self.neighbourhood.is_left(around, now)
    }

    /// Counts a try.
    pub fn spend(&self, address: ClientAddress, now: Now) {
        let mut whole_at = self.lock();
        self.address.spend(whole_at.addresses.entry(address).or_insert(now), now);
        if let Some(around) = Neighbourhood::of(address) {
            self.neighbourhood.spend(whole_at.neighbourhoods.entry(around).or_insert(now), now);
        }
    }

    /// Drops the addresses that have their whole burst again.
    pub fn forget_idle(&self, now: Now) {
        let mut whole_at = self.lock();
        let WholeAt { addresses, neighbourhoods } = &mut *whole_at;
        addresses.retain(|_, whole_at| *whole_at > now);
        addresses.shrink_to_fit();
        neighbourhoods.retain(|_, whole_at| *whole_at > now);
        neighbourhoods.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, WholeAt> {
        self.whole_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn address(last: u8) -> ClientAddress {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[test]
    fn a_burst_is_left_and_then_one_each_interval() {
        let tries = Tries::new(3, Duration::from_secs(10));
        for _ in 0..3 {
            assert!(tries.left(address(1), at(0)) && tries.left(address(1), at(0)));
            tries.spend(address(1), at(0));
        }
        assert!(!tries.left(address(1), at(9)) && tries.left(address(2), at(9)));
        assert!(tries.left(address(1), at(10)));
        tries.spend(address(1), at(10));
        assert!(!tries.left(address(1), at(19)) && tries.left(address(1), at(20)));
    }

    #[test]
    fn who_owes_nothing_is_forgotten_and_nobody_owes_for_ever() {
        let tries = Tries::new(3, Duration::from_secs(10));
        for _ in 0..1_000 {
            tries.spend(address(1), at(0));
        }
        tries.spend(address(2), at(0));
        tries.forget_idle(at(29));
        assert_eq!(tries.lock().addresses.len(), 1);
        tries.forget_idle(at(30));
        assert!(tries.lock().addresses.is_empty());
        tries.spend(near(1), at(100));
        assert_eq!(tries.lock().neighbourhoods.len(), 1);
        tries.forget_idle(at(110));
        assert!(tries.lock().neighbourhoods.is_empty());
    }

    fn near(network: u16) -> ClientAddress {
        IpAddr::from([0x2001, 0xdb8, 1, network, 0, 0, 0, 1]).into()
    }

    #[test]
    fn who_has_many_networks_in_one_neighbourhood_has_eight_bursts_and_no_more() {
        let tries = Tries::new(3, Duration::from_secs(8));
        let tried = |network, seconds| {
            let may = tries.left(near(network), at(seconds));
            if may {
                tries.spend(near(network), at(seconds));
            }
            may
        };
        assert_eq!((0..100).filter(|network| tried(*network, 0)).count(), 24);
        assert!(!tried(200, 0) && tried(201, 1) && !tried(202, 1), "and eight times as often one more");
        assert!(tries.left(IpAddr::from([0x2001, 0xdb8, 2, 1, 0, 0, 0, 1]).into(), at(0)), "somebody else");
        assert!(tries.left(address(1), at(0)));
    }
}
