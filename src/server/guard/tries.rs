//! How often one address may try its luck, across all of its sockets.
//!
//! A socket has a rate of its own, but whoever guesses codes opens as many sockets as they like. Looking and counting are
//! two steps here, so that those who get in on the first try cost nothing: two hundred people behind one address may all
//! join, while somebody who keeps failing waits. Time is passed in.

use super::ClientAddress;
use crate::domain::Now;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A burst of tries for each address, and then one each interval.
pub struct Tries {
    burst: u32,
    every: Duration,
    /// When an address has its whole burst again. Those who have it are not kept longer than to the next sweep.
    whole_at: Mutex<HashMap<ClientAddress, Now>>,
}

impl std::fmt::Debug for Tries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tries").field("burst", &self.burst).field("every", &self.every).finish_non_exhaustive()
    }
}

impl Tries {
    /// So many at once, and one more each `every`.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, whole_at: Mutex::default() }
    }

    /// Whether the address may try now. Counts nothing.
    pub fn left(&self, address: ClientAddress, now: Now) -> bool {
        let owed = self.lock().get(&address).map_or(Duration::ZERO, |whole_at| whole_at.since(now));
        owed <= self.every * self.burst.saturating_sub(1)
    }

    /// Counts a try.
    pub fn spend(&self, address: ClientAddress, now: Now) {
        let mut whole_at = self.lock();
        let entry = whole_at.entry(address).or_insert(now);
        // Several may have looked at once; what they owe has a bound all the same.
        *entry = ((*entry).max(now) + self.every).min(now + self.every * self.burst);
    }

    /// Drops the addresses that have their whole burst again.
    pub fn forget_idle(&self, now: Now) {
        let mut whole_at = self.lock();
        whole_at.retain(|_, whole_at| *whole_at > now);
        whole_at.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientAddress, Now>> {
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
        assert_eq!(tries.lock().len(), 1);
        tries.forget_idle(at(30));
        assert!(tries.lock().is_empty());
    }
}
