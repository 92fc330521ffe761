//! Whom credentials are for, and what providers call them.
//!
//! A pseudonym stands in TURN user names, which travel in the clear, and in providers' dashboards, so it says nothing about
//! anybody. It is the same whenever the participant asks, on every server and after a restart, so that quotas and usage are
//! one person's.

use super::ParticipantKey;
use crate::domain::ParticipantId;
use sha2::{Digest, Sha256};
use std::fmt;

/// For whom a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// A participant that has proved itself.
    Participant(ParticipantKey),
    /// Someone who is in no session, or a user of somebody else's app, by a number that nobody else has.
    Stranger(u128),
}

/// 32 hexadecimal digits: fits coturn's rule for user ids, `[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Whom {
    /// Someone who is in no session, and was never here before.
    pub fn stranger() -> Self {
        Self::Stranger(rand::random())
    }

    /// A user of somebody else's app. The app may name people by what others know of them, such as a mail address, so a secret of
    /// the app is in it: a provider cannot find out whose it is by trying.
    pub fn user(secret_of_the_app: &[u8; 32], name: &str) -> Self {
        Self::Stranger(half(&Sha256::new().chain_update(secret_of_the_app).chain_update(name).finalize()))
    }

    /// The number that their bytes are counted under: a participant's own, or one that nobody else has.
    pub fn counted_as(&self) -> ParticipantId {
        match self {
            Self::Participant((_, participant)) => *participant,
            Self::Stranger(number) => {
                let [_, _, _, _, _, _, _, _, rest @ ..] = number.to_be_bytes();
                ParticipantId::from_random(u64::from_be_bytes(rest))
            }
        }
    }

    /// What providers call them. A participant's id has 64 random bits, so nobody finds the session by trying codes.
    pub fn pseudonym(&self) -> Pseudonym {
        Pseudonym(format!("{:032x}", self.bits()))
    }

    /// The pseudonym as a number.
    pub(super) fn bits(&self) -> u128 {
        match self {
            Self::Participant((code, participant)) => {
                half(&Sha256::digest(format!("tessro participant {participant} {code}")))
            }
            Self::Stranger(number) => *number,
        }
    }
}

/// Half of a digest is plenty to tell people apart.
fn half(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

impl Pseudonym {
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
        let of = |code, id| Whom::Participant(key(code, id)).pseudonym();
        assert_eq!(of(1, 2), of(1, 2));
        assert!(of(1, 2) != of(1, 3) && of(1, 2) != of(2, 2));
        assert_ne!(Whom::stranger().pseudonym(), Whom::stranger().pseudonym());
        let of_user = |secret, name| Whom::user(&[secret; 32], name).pseudonym();
        let user = of_user(1, "ada@mail.example");
        assert_eq!(user, of_user(1, "ada@mail.example"));
        assert!(user != of_user(2, "ada@mail.example") && user != of_user(1, "ben@mail.example"));
        for pseudonym in [of(1, 2), user, Whom::stranger().pseudonym()] {
            let text = pseudonym.as_str();
            assert!(text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
            assert!(!text.contains(&key(1, 2).1.to_string()));
        }
    }
}
