//! How many allocations there may be: for a participant, from an address, and altogether.
//!
//! Counts seats and hands them out; a seat gives itself back. Refuses to know what sits there. Asked when an allocation
//! begins and when it ends, never for a packet.

use super::{budget::network, credential::Holder};
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The most that there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// For one participant, whichever of their credentials they use.
    pub per_participant: u32,
    /// From one IPv4 address, or from one IPv6 network of 64 bits: a household, an office, a mobile operator's NAT.
    pub per_address: u32,
    /// Altogether. Each takes a port and a file descriptor.
    pub total: u32,
}

impl Quotas {
    /// A browser asks for an allocation for each connection, for each TURN URL, from each of its interfaces, and while its
    /// credential is being renewed it has both generations of them.
    pub const fn for_sessions(people: u32, urls: u32) -> Self {
        const GENERATIONS: u32 = 2;
        const INTERFACES: u32 = 4;
        const SESSIONS_BEHIND_ONE_ADDRESS: u32 = 4;
        let per_participant = people.saturating_sub(1) * urls * INTERFACES * GENERATIONS;
        Self { per_participant, per_address: per_participant * SESSIONS_BEHIND_ONE_ADDRESS, total: 8_000 }
    }
}

impl Default for Quotas {
    /// A session of eight, and TURN over UDP, TCP and TLS on both families.
    fn default() -> Self {
        Self::for_sessions(8, 6)
    }
}

/// Which of them is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Participant,
    Address,
    Total,
}

/// Counts who sits where.
#[derive(Debug)]
pub(super) struct Quota {
    limits: Quotas,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    participants: HashMap<Holder, u32>,
    addresses: HashMap<IpAddr, u32>,
    total: u32,
}

/// One allocation's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    quota: Arc<Quota>,
    holder: Holder,
    address: IpAddr,
}

impl Quota {
    pub(super) fn new(limits: Quotas) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A seat for this participant, who comes from this address.
    pub(super) fn take(self: &Arc<Self>, holder: Holder, address: IpAddr) -> Result<Seat, Reached> {
        let address = network(address);
        let mut taken = self.taken();
        let count = |number: Option<&u32>| number.copied().unwrap_or_default();
        if taken.total >= self.limits.total {
            return Err(Reached::Total);
        }
        if count(taken.participants.get(&holder)) >= self.limits.per_participant {
            return Err(Reached::Participant);
        }
        if count(taken.addresses.get(&address)) >= self.limits.per_address {
            return Err(Reached::Address);
        }
        taken.total += 1;
        *taken.participants.entry(holder).or_default() += 1;
        *taken.addresses.entry(address).or_default() += 1;
        Ok(Seat { quota: Arc::clone(self), holder, address })
    }

    /// How many are taken.
    pub(super) fn total(&self) -> u32 {
        self.taken().total
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.quota.taken();
        taken.total -= 1;
        one_less(&mut taken.participants, &self.holder);
        one_less(&mut taken.addresses, &self.address);
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParticipantId, SessionCode};
    use crate::server::relay::credential::Mint;

    fn holder(number: u64) -> Holder {
        Mint::new(b"").holder(SessionCode::from_random(1), ParticipantId::from_random(number))
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn each_limit_is_kept_and_seats_come_back() {
        let quota = Quota::new(Quotas { per_participant: 2, per_address: 3, total: 4 });
        let take = |holder_number, last| quota.take(holder(holder_number), address(last));
        let first = take(1, 1).unwrap();
        let _second = take(1, 2).unwrap();
        assert_eq!(take(1, 3).unwrap_err(), Reached::Participant);
        let _third = take(2, 1).unwrap();
        let fourth = take(3, 1).unwrap();
        assert_eq!(take(4, 4).unwrap_err(), Reached::Total);
        drop(first);
        let _again = take(4, 1).unwrap();
        drop(fourth);
        let _last = take(1, 1).unwrap();
        assert_eq!(quota.total(), 4);
    }

    #[test]
    fn an_address_has_its_own_limit() {
        let quota = Quota::new(Quotas { per_participant: 9, per_address: 1, total: 9 });
        let _first = quota.take(holder(1), address(1)).unwrap();
        assert_eq!(quota.take(holder(2), address(1)).unwrap_err(), Reached::Address);
        assert!(quota.take(holder(2), address(2)).is_ok());
    }

    #[test]
    fn nothing_is_left_of_those_who_are_gone() {
        let quota = Quota::new(Quotas::default());
        let seats: Vec<_> = (0..100).map(|number| quota.take(holder(number), address(1)).unwrap()).collect();
        drop(seats);
        let taken = quota.taken();
        assert_eq!((taken.total, taken.participants.len(), taken.addresses.len()), (0, 0, 0));
    }

    #[test]
    fn a_session_of_eight_fits_with_two_generations_of_credentials() {
        let quotas = Quotas::for_sessions(8, 4);
        assert_eq!(quotas.per_participant, 7 * 4 * 4 * 2);
        assert!(quotas.per_address >= 2 * quotas.per_participant);
    }
}
