//! What providers call a participant.
//!
//! It stands in TURN user names, which travel in the clear, and in providers' dashboards, so it says nothing about anybody. It
//! is the same whenever the participant asks, on every server and after a restart, so that quotas and usage are one person's.

use super::ParticipantKey;
use sha2::{Digest, Sha256};
use std::fmt;

/// 32 hexadecimal digits: fits coturn's rule for user ids, `[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// The participant's. Its id has 64 random bits, so nobody finds the session by trying codes.
    pub fn of((code, participant): &ParticipantKey) -> Self {
        let digest = Sha256::digest(format!("tessro participant {participant} {code}"));
        // Half of it is plenty to tell people apart.
        Self::from_bits(digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte)))
    }

    /// One that nobody had before, for someone who is in no session.
    pub fn of_a_stranger() -> Self {
        Self::from_bits(rand::random())
    }

    fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ParticipantId, SessionCode};

    #[test]
    fn a_participant_has_one_and_nobody_else_has_it() {
        let key = |code, id| (SessionCode::from_random(code), ParticipantId::from_random(id));
        let of = |code, id| Pseudonym::of(&key(code, id));
        assert_eq!(of(1, 2), of(1, 2));
        assert!(of(1, 2) != of(1, 3) && of(1, 2) != of(2, 2));
        assert_ne!(Pseudonym::of_a_stranger(), Pseudonym::of_a_stranger());
        for pseudonym in [of(1, 2), Pseudonym::of_a_stranger()] {
            let text = pseudonym.as_str();
            assert!(text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
            assert!(!text.contains(&key(1, 2).1.to_string()));
        }
    }
}
