//! Who is behind a pseudonym: what a relay counts is told under the name that we gave, and the participant is to be found again.
//!
//! Bounded, and in memory alone: whoever was not here for long, or came before a restart and has not asked since, is not known.
//! That costs the name beside the bytes and no byte.

use super::Whom;
use crate::domain::ParticipantId;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Twice as many are known at most. One takes about 50 bytes.
const HALF: usize = 25_000;

/// Remembers participants. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Halves>>);

/// Those noted lately, and those before them. When the young ones are too many, the old ones are forgotten.
#[derive(Debug, Default)]
struct Halves {
    young: HashMap<u128, ParticipantId>,
    old: HashMap<u128, ParticipantId>,
}

impl Known {
    /// Somebody asks for a credential.
    pub(super) fn note(&self, whom: &Whom) {
        if let Whom::Participant((_, participant)) = whom {
            self.halves().note(whom.bits(), *participant, HALF);
        }
    }

    /// Whose pseudonym this is.
    pub(super) fn who(&self, bits: u128) -> Option<ParticipantId> {
        let halves = self.halves();
        halves.young.get(&bits).or_else(|| halves.old.get(&bits)).copied()
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn note(&mut self, bits: u128, participant: ParticipantId, half: usize) {
        if self.young.len() >= half && !self.young.contains_key(&bits) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(bits, participant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SessionCode;

    #[test]
    fn a_participant_is_found_by_the_pseudonym_and_a_stranger_is_not() {
        let known = Known::default();
        let participant = ParticipantId::from_random(7);
        let (whom, stranger) = (Whom::Participant((SessionCode::from_random(1), participant)), Whom::stranger());
        known.note(&whom);
        known.note(&stranger);
        let bits = |whom: &Whom| u128::from_str_radix(whom.pseudonym().as_str(), 16).unwrap();
        assert_eq!(known.who(bits(&whom)), Some(participant));
        assert_eq!(known.who(bits(&stranger)), None);
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
