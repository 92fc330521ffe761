//! Whose number relayed bytes are counted under: relays tell what they count by the names in credentials, and whom a credential was
//! made for is to be found again.
//!
//! Bounded: whoever was not here for long is not known. That costs the name beside the bytes and no byte. In memory; whom a process
//! before this one gave credentials the books tell at the start.

use crate::domain::ParticipantId;
use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Twice as many are known at most. One takes about 50 bytes.
const HALF: usize = 50_000;

/// Remembers participants by what a relay knows them as. Clones are the same.
#[derive(Debug)]
pub struct Known<Name>(Arc<Mutex<Halves<Name>>>);

/// Those noted lately, and those before them. When the young ones are too many, the old ones are forgotten.
#[derive(Debug)]
struct Halves<Name> {
    young: HashMap<Name, ParticipantId>,
    old: HashMap<Name, ParticipantId>,
}

impl<Name: Hash + Eq> Known<Name> {
    /// A credential with this name is made for them.
    pub(super) fn note(&self, name: Name, participant: ParticipantId) {
        self.halves().note(name, participant, HALF);
    }

    /// Whose name this is.
    pub(super) fn who(&self, name: &Name) -> Option<ParticipantId> {
        let halves = self.halves();
        halves.young.get(name).or_else(|| halves.old.get(name)).copied()
    }

    fn halves(&self) -> MutexGuard<'_, Halves<Name>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Name> Clone for Known<Name> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Name> Default for Known<Name> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Name> Default for Halves<Name> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<Name: Hash + Eq> Halves<Name> {
    fn note(&mut self, name: Name, participant: ParticipantId, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&name) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(name, participant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::SessionCode, server::providers::Whom};

    #[test]
    fn whoever_was_given_a_credential_is_found_by_its_name_and_nobody_else_is() {
        let known = Known::default();
        let participant = ParticipantId::from_random(7);
        let (whom, stranger) = (Whom::Participant((SessionCode::from_random(1), participant)), Whom::stranger());
        for whom in [&whom, &stranger] {
            known.note(whom.bits(), whom.counted_as());
        }
        let bits = |whom: &Whom| u128::from_str_radix(whom.pseudonym().as_str(), 16).unwrap();
        assert_eq!(known.who(&bits(&whom)), Some(participant));
        assert_eq!(known.who(&bits(&stranger)), Some(stranger.counted_as()));
        assert_eq!(known.who(&bits(&Whom::stranger())), None);
    }

    #[test]
    fn the_ones_who_ask_again_are_kept_and_memory_is_bounded() {
        let mut halves = Halves::default();
        let regular = ParticipantId::from_random(1);
        for passer_by in 0..1_000 {
            halves.note(1, regular, 10);
            halves.note(1_000 + passer_by, ParticipantId::from_random(2), 10);
            assert!(halves.young.len() <= 10 && halves.old.len() <= 10);
            assert!(halves.young.contains_key(&1) || halves.old.contains_key(&1));
        }
    }
}
