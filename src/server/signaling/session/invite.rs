//! The keys of invite links: one that the host is given, and the hashes of all that were given out.
//!
//! Only hashes outlive a restart. A host who comes back after one is given another key, and the links that were sent out
//! before go on working.

use super::secret::SecretHash;
use crate::domain::InviteKey;
use std::collections::VecDeque;

/// Keys that are valid at once. Each restart may add one.
const KEYS_KEPT: usize = 16;

/// The keys of one session.
#[derive(Debug)]
pub(super) struct Invites {
    /// For the host. Valid from the moment in which it is first given.
    key: InviteKey,
    valid: VecDeque<SecretHash>,
}

impl Invites {
    /// Keys that were given out before, and one that may be given from now on.
    pub(super) fn new(valid: impl IntoIterator<Item = SecretHash>, key: InviteKey) -> Self {
        Self { key, valid: valid.into_iter().collect() }
    }

    /// The key for the host, and whether it is valid only from now on.
    pub(super) fn give(&mut self) -> (InviteKey, bool) {
        let is_new = !self.admits(self.key);
        if is_new {
            if self.valid.len() == KEYS_KEPT {
                self.valid.pop_front();
            }
            self.valid.push_back(self.key.into());
        }
        (self.key, is_new)
    }

    /// Whether the key lets in.
    pub(super) fn admits(&self, key: InviteKey) -> bool {
        // All of them are looked at, whichever it is.
        self.valid.iter().fold(false, |known, hash| known | hash.is_of(key))
    }

    /// The hashes of the keys that let in.
    pub(super) fn valid(&self) -> impl Iterator<Item = SecretHash> {
        self.valid.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_before_a_restart_go_on_working() {
        let (old, new) = (InviteKey::from_random(1), InviteKey::from_random(2));
        let mut invites = Invites::new([], old);
        assert!(!invites.admits(old), "nobody has it yet");
        assert_eq!((invites.give(), invites.give()), ((old, true), (old, false)));
        let mut invites = Invites::new(invites.valid(), new);
        assert_eq!(invites.give(), (new, true));
        assert!(invites.admits(old) && invites.admits(new) && !invites.admits(InviteKey::from_random(3)));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut invites = Invites::new([], InviteKey::from_random(0));
        for bits in 1..100 {
            invites = Invites::new(invites.valid(), InviteKey::from_random(bits));
            invites.give();
        }
        assert_eq!(invites.valid().count(), KEYS_KEPT);
    }
}
