//! How many connections there may be at once: in all, from one address, and from one neighbourhood.
//!
//! Whoever has a seat in a session keeps their connection. Of the others the one that has been there longest is shown out when
//! the room is full, so that a crowd at the door keeps nobody out for long: whoever comes back to their session says so at once.
//! Refuses to know what is said on a connection.

use super::{ClientAddress, Neighbourhood, WIDER};
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// Counts connections. Clones count together.
#[derive(Debug, Clone)]
pub struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_of_one: Option<usize>,
    here: Mutex<Here>,
}

#[derive(Debug, Default)]
struct Here {
    next: u64,
    seated: usize,
    /// The longest there first.
    standing: BTreeMap<u64, CancellationToken>,
    by_address: HashMap<ClientAddress, usize>,
    by_neighbourhood: HashMap<Neighbourhood, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// Everybody who is there has a seat.
    Full,
    /// So many are there from this address already, or from around it.
    OfThisAddress,
}

/// A place in the room, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Inner>,
    number: u64,
    address: Option<ClientAddress>,
    shown_out: CancellationToken,
}

impl Room {
    /// Room for so many in all, and from one address; from one neighbourhood for so many times as many.
    pub fn new(most: usize, most_of_one: Option<usize>) -> Self {
        Self(Arc::new(Inner { most, most_of_one, here: Mutex::default() }))
    }

    /// A place for a new connection. `address` is `None` where it is not to be counted by address.
    pub fn enter(&self, address: Option<ClientAddress>) -> Result<Place, NoPlace> {
        let Inner { most, most_of_one, .. } = *self.0;
        let mut here = self.0.lock();
        let address = address.filter(|_| most_of_one.is_some());
        let around = address.and_then(Neighbourhood::of);
        let most_around = most_of_one.map(|most| most.saturating_mul(WIDER as usize));
        if address.is_some_and(|address| here.by_address.get(&address).copied() >= most_of_one)
            || around.is_some_and(|around| here.by_neighbourhood.get(&around).copied() >= most_around)
        {
            return Err(NoPlace::OfThisAddress);
        }
        if here.seated + here.standing.len() >= most {
            let (_, longest) = here.standing.pop_first().ok_or(NoPlace::Full)?;
            longest.cancel();
        }
        if let Some(address) = address {
            *here.by_address.entry(address).or_default() += 1;
        }
        if let Some(around) = around {
            *here.by_neighbourhood.entry(around).or_default() += 1;
        }
        let (number, shown_out) = (here.next, CancellationToken::new());
        here.next += 1;
        here.standing.insert(number, shown_out.clone());
        Ok(Place { room: Arc::clone(&self.0), number, address, shown_out })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whoever is here has a seat now, and is not shown out any more.
    pub fn sit_down(&self) {
        let mut here = self.room.lock();
        if here.standing.remove(&self.number).is_some() {
            here.seated += 1;
        }
    }

    /// Done once somebody else needs the place.
    pub fn shown_out(&self) -> &CancellationToken {
        &self.shown_out
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut here = self.room.lock();
        let stood = here.standing.remove(&self.number).is_some();
        // Whoever was shown out is not counted any more.
        if !stood && !self.shown_out.is_cancelled() {
            here.seated = here.seated.saturating_sub(1);
        }
        if let Some(address) = self.address {
            one_less(&mut here.by_address, &address);
            if let Some(around) = Neighbourhood::of(address) {
                one_less(&mut here.by_neighbourhood, &around);
            }
        }
    }
}

/// Whoever has none left is not kept in mind.
fn one_less<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    let left = counts.get_mut(key).map(|count| {
        *count -= 1;
        *count
    });
    if left == Some(0) {
        counts.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[expect(clippy::unnecessary_wraps, reason = "as it is passed in")]
    fn address(last: u8) -> Option<ClientAddress> {
        Some(IpAddr::from([192, 0, 2, last]).into())
    }

    #[test]
    fn who_sits_stays_and_who_stood_longest_goes() {
        let room = Room::new(3, None);
        let host = room.enter(address(1)).unwrap();
        host.sit_down();
        let idle: Vec<_> = (0..2).map(|_| room.enter(address(2)).unwrap()).collect();
        let guest = room.enter(address(3)).unwrap();
        guest.sit_down();
        let told = |places: &[Place]| places.iter().map(|place| place.shown_out().is_cancelled()).collect::<Vec<_>>();
        assert_eq!(told(&idle), [true, false]);
        let third = room.enter(address(3)).unwrap();
        assert_eq!((told(&idle), third.shown_out().is_cancelled()), (vec![true, true], false));
        third.sit_down();
        assert_eq!(room.enter(address(9)).unwrap_err(), NoPlace::Full);
        assert!(!host.shown_out().is_cancelled() && !guest.shown_out().is_cancelled());
        drop((idle, guest));
        assert!(room.enter(address(9)).is_ok(), "a seat that is given up is a place again");
    }

    #[test]
    fn an_address_has_so_many_places_until_it_gives_one_back() {
        let room = Room::new(100, Some(2));
        let first = room.enter(address(1)).unwrap();
        let _second = room.enter(address(1)).unwrap();
        assert_eq!(room.enter(address(1)).unwrap_err(), NoPlace::OfThisAddress);
        let _other = room.enter(address(2)).unwrap();
        let _uncounted: Vec<_> = (0..5).map(|_| room.enter(None).unwrap()).collect();
        drop(first);
        assert!(room.enter(address(1)).is_ok());
        assert_eq!(room.0.lock().by_address.len(), 2, "who has left is not kept in mind");
    }

    #[test]
    fn a_neighbourhood_has_the_places_of_eight_addresses() {
        let near = |network: u16| Some(ClientAddress::from(IpAddr::from([0x2001, 0xdb8, 1, network, 0, 0, 0, 1])));
        let room = Room::new(1_000, Some(2));
        let mut there: Vec<_> = (0..100).filter_map(|network| room.enter(near(network)).ok()).collect();
        assert_eq!(there.len(), 16);
        assert_eq!(room.enter(near(200)).unwrap_err(), NoPlace::OfThisAddress);
        drop(there.pop());
        assert!(room.enter(near(200)).is_ok() && room.enter(address(1)).is_ok());
        drop(there);
        let here = room.0.lock();
        assert!(here.by_address.is_empty() && here.by_neighbourhood.is_empty());
    }

    #[test]
    fn who_sits_down_too_late_has_no_seat() {
        let room = Room::new(1, None);
        let late = room.enter(None).unwrap();
        let next = room.enter(None).unwrap();
        late.sit_down();
        drop(late);
        assert_eq!(room.0.lock().seated, 0);
        next.sit_down();
        assert_eq!(room.0.lock().seated, 1);
        assert_eq!(room.enter(None).unwrap_err(), NoPlace::Full);
    }
}
