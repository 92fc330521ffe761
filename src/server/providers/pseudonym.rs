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
        Self::from_digest(&Sha256::digest(format!("tessro participant {participant} {code}")))
    }

    /// That of a user of somebody else's app. The app may name people by what others know of them, such as a mail address, so
    /// a secret of the app is in it: a provider cannot find out whose it is by trying.
    pub fn of_user(secret_of_the_app: &[u8; 32], user: &str) -> Self {
        Self::from_digest(&Sha256::new().chain_update(secret_of_the_app).chain_update(user).finalize())
    }

    /// One that nobody had before, for someone who is in no session.
    pub fn of_a_stranger() -> Self {
        Self::from_bits(rand::random())
    }

    /// Half of it is plenty to tell people apart.
    fn from_digest(digest: &[u8]) -> Self {
        Self::from_bits(digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte)))
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
        let of_user = |secret, name| Pseudonym::of_user(&[secret; 32], name);
        let user = of_user(1, "ada@mail.example");
        assert_eq!(user, of_user(1, "ada@mail.example"));
        assert!(user != of_user(2, "ada@mail.example") && user != of_user(1, "ben@mail.example"));
        for pseudonym in [of(1, 2), user, Pseudonym::of_a_stranger()] {
            let text = pseudonym.as_str();
            assert!(text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
            assert!(!text.contains(&key(1, 2).1.to_string()));
        }
    }
}
