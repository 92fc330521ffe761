//! The ports for relayed addresses: which are free, and who has the others.
//!
//! A table with one atomic for each port, which the threads of the relay share: taking one never waits, and a packet for an
//! address of ours finds its allocation by one load. The same number is never used on two addresses, so a port names an
//! allocation, and the rest of the address need not be looked at. Knows nothing of sockets.

use rand::Rng;
use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Which of the relay's threads has an allocation, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    /// The thread.
    pub(super) shard: u16,
    /// The place of the allocation in its core.
    pub(super) slot: u32,
}

impl Owner {
    /// Never zero, which means free.
    fn pack(self) -> u64 {
        (u64::from(self.shard) << 32 | u64::from(self.slot)) + 1
    }

    #[expect(clippy::cast_possible_truncation, reason = "taken apart as it was put together")]
    fn unpack(packed: u64) -> Option<Self> {
        let packed = packed.checked_sub(1)?;
        Some(Self { shard: (packed >> 32) as u16, slot: packed as u32 })
    }
}

/// Who has which port.
#[derive(Debug)]
pub(super) struct Ports {
    first: u16,
    owners: Box<[AtomicU64]>,
}

/// A port, until it is dropped.
#[derive(Debug)]
pub(super) struct Port {
    ports: Arc<Ports>,
    number: u16,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>) -> Arc<Self> {
        let (first, count) = (*range.start(), range.count());
        Arc::new(Self { first, owners: (0..count).map(|_| AtomicU64::new(0)).collect() })
    }

    /// A free port: a random one, so that nobody can tell which is the next
    /// (<https://www.rfc-editor.org/rfc/rfc8656#section-7.2>), or the one after it that is free. `None` if there is none.
    pub(super) fn take(self: &Arc<Self>, owner: Owner, even: bool, random: &mut impl Rng) -> Option<Port> {
        let count = self.owners.len();
        if count == 0 {
            return None;
        }
        let start = random.random_range(0..count);
        (0..count).map(|step| (start + step) % count).find_map(|place| {
            let number = self.first + u16::try_from(place).ok()?;
            if even && !number.is_multiple_of(2) {
                return None;
            }
            let taken =
                self.owners[place].compare_exchange(0, owner.pack(), Ordering::AcqRel, Ordering::Relaxed).is_ok();
            taken.then(|| Port { ports: Arc::clone(self), number })
        })
    }

    /// Who has this port now.
    pub(super) fn owner(&self, number: u16) -> Option<Owner> {
        let place = number.checked_sub(self.first)?;
        Owner::unpack(self.owners.get(usize::from(place))?.load(Ordering::Acquire))
    }
}

impl Port {
    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.ports.owners[usize::from(self.number - self.ports.first)].store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng as _, rngs::StdRng};

    const OWNER: Owner = Owner { shard: 3, slot: 70_000 };

    fn random() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    #[test]
    fn every_port_of_the_range_is_given_once() {
        let ports = Ports::new(50_000..=50_009);
        let mut random = random();
        let taken: Vec<_> = (0..10).map(|_| ports.take(OWNER, false, &mut random).unwrap()).collect();
        let mut numbers: Vec<_> = taken.iter().map(Port::number).collect();
        assert!(!numbers.is_sorted(), "{numbers:?} can be guessed");
        numbers.sort_unstable();
        assert_eq!(numbers, (50_000..=50_009).collect::<Vec<_>>());
        assert!(ports.take(OWNER, false, &mut random).is_none());
        drop(taken);
        assert!(ports.take(OWNER, false, &mut random).is_some());
    }

    #[test]
    fn a_port_leads_to_its_owner_until_it_is_given_back() {
        let ports = Ports::new(65_530..=65_535);
        let port = ports.take(OWNER, true, &mut random()).unwrap();
        let number = port.number();
        assert_eq!((number % 2, ports.owner(number)), (0, Some(OWNER)));
        assert_eq!((ports.owner(1), ports.owner(65_529)), (None, None));
        drop(port);
        assert_eq!(ports.owner(number), None);
    }

    #[test]
    fn the_first_owner_is_not_mistaken_for_nobody() {
        let nobody = Owner { shard: 0, slot: 0 };
        assert_eq!(Owner::unpack(nobody.pack()), Some(nobody));
    }
}
