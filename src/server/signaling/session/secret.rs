//! Secrets as the server keeps them: hashed, so that neither memory nor disk gives one away.
//!
//! Tokens and invite keys are 128 random bits, which nobody can find by trying: a plain SHA-256 is enough for them.
//! Passwords are people's, and need more than that.

use crate::domain::{InviteKey, TokenSecret};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The hash of a token's secret or an invite's key.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecretHash([u8; 32]);

impl SecretHash {
    /// Whether it is this one's hash, in constant time.
    pub(super) fn is_of(self, secret: impl Into<Self>) -> bool {
        self.0.ct_eq(&secret.into().0).into()
    }
}

impl From<TokenSecret> for SecretHash {
    fn from(secret: TokenSecret) -> Self {
        Self(Sha256::digest(secret.to_bytes()).into())
    }
}

impl From<InviteKey> for SecretHash {
    fn from(key: InviteKey) -> Self {
        Self(Sha256::digest(key.to_bytes()).into())
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_secret_is_the_same() {
        let hash = SecretHash::from(TokenSecret::from_random(7));
        assert!(hash.is_of(TokenSecret::from_random(7)));
        assert!(!hash.is_of(TokenSecret::from_random(8)));
    }
}
