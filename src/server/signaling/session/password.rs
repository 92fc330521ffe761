//! A session's password as it is kept: hashed with argon2id, so that nobody who gets hold of memory or disk can read it.
//!
//! Hashing takes a core for 30 ms and 19 MiB on purpose. That is done outside of the session's core, which is only told
//! whether it was the right one.

use crate::protocol::Password;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// 19 MiB, twice over, one lane: the minimum that OWASP recommends
/// (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
const MEMORY_KIB: u32 = 19 * 1024;
/// See [`MEMORY_KIB`].
const PASSES: u32 = 2;

/// A password's hash and the salt that it was made with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    salt: [u8; 16],
    hash: [u8; 32],
}

/// The memory for hashing could not be had, or the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct CannotHash;

impl PasswordHash {
    /// Hashes what was typed. Takes its time: not for a thread that others wait for.
    pub fn of(password: &Password, salt: [u8; 16]) -> Result<Self, CannotHash> {
        Ok(Self { salt, hash: hash(password.as_bytes(), salt)? })
    }

    /// Whether it is what was typed. Takes as long whatever it is.
    pub fn is_of(&self, typed: Option<&Password>) -> Result<bool, CannotHash> {
        let typed = hash(typed.map(Password::as_bytes).unwrap_or_default(), self.salt)?;
        Ok(self.hash.ct_eq(&typed).into())
    }

    /// The hash of nothing that anybody can type: to do the same work where there is no session.
    pub const fn of_nothing() -> Self {
        Self { salt: [0; 16], hash: [0; 32] }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

fn hash(password: &[u8], salt: [u8; 16]) -> Result<[u8; 32], CannotHash> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| CannotHash)?;
    let mut memory = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| CannotHash)?;
    memory.resize(params.block_count(), Block::default());
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, &salt, &mut hash, &mut memory)
        .map_err(|_| CannotHash)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_password_is_the_same() {
        let typed = |text: &str| Password::typed(text).unwrap();
        let kept = PasswordHash::of(&typed("popcorn").unwrap(), [7; 16]).unwrap();
        assert_eq!(kept.is_of(typed("popcorn").as_ref()), Ok(true));
        for other in ["Popcorn", "popcorn\0", "pop", ""] {
            assert_eq!(kept.is_of(typed(other).as_ref()), Ok(false), "{other:?}");
        }
        assert_eq!(PasswordHash::of_nothing().is_of(None), Ok(false));
        assert_ne!(PasswordHash::of(&typed("popcorn").unwrap(), [8; 16]).unwrap(), kept, "salted");
        let longest = "\u{1F37F}".repeat(100);
        assert!(PasswordHash::of(&typed(&longest).unwrap(), [7; 16]).unwrap().is_of(typed(&longest).as_ref()).unwrap());
    }
}
