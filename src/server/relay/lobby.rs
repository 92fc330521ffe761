//! How many connections there may be: from an address and altogether, and of these how many of people who have proved nothing.
//!
//! Each takes a file descriptor before anybody has said who they are. So those who have no allocation yet have a share of the
//! places, and the threads ([`super::shard`]) send them away soon; whoever is served does not lose a place to them. Counts and hands
//! out; a place gives itself back. One for all threads: the kernel deals out the connections of one address among them. Asked when a
//! connection begins, is first served, and ends. Refuses to know what is said there.

use super::{budget::network, quota::Quotas};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The most that there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Altogether.
    all: u32,
    /// From one IPv4 address, or from one IPv6 network of 64 bits.
    per_address: u32,
    /// Of those who were never served, altogether.
    newcomers: u32,
    /// Of those, from one address.
    newcomers_per_address: u32,
}

impl Limits {
    /// More than anybody needs, where there are files for more.
    const MOST: u32 = 65_536;

    /// So many may always come at once from one address: a browser opens one for each connection, URL and interface.
    const AT_ONCE: u32 = 16;

    /// For so many connections, and allocations in these quotas.
    pub(super) fn of(connections: u32, quotas: &Quotas) -> Self {
        let all = connections.min(Self::MOST);
        Self {
            all,
            per_address: quotas.per_address,
            newcomers: all.div_ceil(2),
            newcomers_per_address: quotas.per_address.div_ceil(4).max(Self::AT_ONCE),
        }
    }
}

/// Counts who is there.
#[derive(Debug)]
pub(super) struct Lobby {
    limits: Limits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: Count,
    addresses: HashMap<IpAddr, Count>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    all: u32,
    newcomers: u32,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    lobby: Arc<Lobby>,
    address: IpAddr,
    is_newcomers: bool,
}

impl Lobby {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place for somebody who comes from this address; `None` where there is none.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let limits = &self.limits;
        let mut taken = self.taken();
        let theirs = taken.addresses.get(&address).copied().unwrap_or_default();
        let has_room = taken.all.all < limits.all
            && taken.all.newcomers < limits.newcomers
            && theirs.all < limits.per_address
            && theirs.newcomers < limits.newcomers_per_address;
        if !has_room {
            return None;
        }
        taken.change(address, |count| {
            count.all += 1;
            count.newcomers += 1;
        });
        Some(Place { lobby: Arc::clone(self), address, is_newcomers: true })
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn change(&mut self, address: IpAddr, change: impl Fn(&mut Count)) {
        change(&mut self.all);
        let theirs = self.addresses.entry(address).or_default();
        change(theirs);
        if theirs.all == 0 {
            self.addresses.remove(&address);
        }
    }
}

impl Place {
    /// Whoever has it is served.
    pub(super) fn settle(&mut self) {
        if std::mem::replace(&mut self.is_newcomers, false) {
            self.lobby.taken().change(self.address, |count| count.newcomers -= 1);
        }
    }

    /// They never were.
    pub(super) fn is_newcomers(&self) -> bool {
        self.is_newcomers
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.settle();
        self.lobby.taken().change(self.address, |count| count.all -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lobby() -> Arc<Lobby> {
        Lobby::new(Limits { all: 6, per_address: 4, newcomers: 4, newcomers_per_address: 2 })
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn newcomers_have_a_share_and_whoever_is_served_makes_room_for_the_next() {
        let lobby = lobby();
        let mut places: Vec<_> = (0..2).map(|_| lobby.enter(address(1)).unwrap()).collect();
        assert!(lobby.enter(address(1)).is_none(), "from one address");
        places.extend((0..2).map(|_| lobby.enter(address(2)).unwrap()));
        assert!(lobby.enter(address(3)).is_none(), "altogether");
        places[0].settle();
        places[0].settle();
        places.push(lobby.enter(address(1)).unwrap());
        assert!(lobby.enter(address(1)).is_none());
        drop(places.remove(2));
        assert!(lobby.enter(address(3)).is_some());
    }

    #[test]
    fn those_who_are_served_are_counted_as_well() {
        let lobby = lobby();
        let settled = |last: u8| {
            let mut place = lobby.enter(address(last))?;
            place.settle();
            Some(place)
        };
        let places: Vec<_> = (0..4).map(|_| settled(1).unwrap()).collect();
        assert!(settled(1).is_none());
        let _others: Vec<_> = (0..2).map(|_| settled(2).unwrap()).collect();
        assert!(settled(3).is_none());
        drop(places);
        assert!(settled(1).is_some());
    }

    #[test]
    fn nothing_is_left_of_those_who_are_gone() {
        let lobby = lobby();
        let mut places: Vec<_> = (1..=4).map(|last| lobby.enter(address(last)).unwrap()).collect();
        places[1].settle();
        drop(places);
        let taken = lobby.taken();
        assert_eq!((taken.all, taken.addresses.len()), (Count::default(), 0));
    }

    #[test]
    fn a_browser_always_gets_in() {
        let limits = Limits::of(1_000_000, &Quotas { per_participant: 2, per_address: 3, total: 9 });
        assert_eq!((limits.all, limits.newcomers), (Limits::MOST, Limits::MOST / 2));
        assert_eq!((limits.per_address, limits.newcomers_per_address), (3, Limits::AT_ONCE));
        let limits = Limits::of(100, &Quotas::default());
        assert_eq!((limits.all, limits.newcomers), (100, 50));
        assert!(limits.newcomers_per_address > 7 * 2 * 4, "a session of eight, over TCP and TLS, from four interfaces");
    }
}
