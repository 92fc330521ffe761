//! What proves that a browser is the participant it says it is.

use super::{ParticipantId, SessionCode};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// 128 random bits that only the server and one browser know. Never shown, not even by `Debug`.
#[derive(Clone, Copy, Hash)]
pub struct TokenSecret(u128);

impl TokenSecret {
    /// The secret made of these random bits.
    pub const fn from_random(bits: u128) -> Self {
        Self(bits)
    }

    /// The bytes, for a comparison in constant time. There is no `PartialEq` on purpose.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(..)")
    }
}

/// A participant's token, `CODE.PARTICIPANT.SECRET`: the first two parts find the participant, the third proves it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParticipantToken {
    /// The session.
    pub code: SessionCode,
    /// The participant in it.
    pub participant: ParticipantId,
    /// The proof.
    pub secret: TokenSecret,
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a participant's token")]
pub struct ParseTokenError;

impl ParticipantToken {
    /// The token as it is sent and stored by the browser. Named, rather than `Display`, so that none ends in a log by
    /// accident.
    pub fn expose(&self) -> String {
        format!("{}.{}.{:032x}", self.code, self.participant, self.secret.0)
    }
}

impl FromStr for ParticipantToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let mut parts = text.split('.');
        let (Some(code), Some(participant), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseTokenError);
        };
        if secret.len() != 32 || !secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseTokenError);
        }
        Ok(Self {
            code: code.parse().map_err(|_| ParseTokenError)?,
            participant: participant.parse().map_err(|_| ParseTokenError)?,
            secret: TokenSecret(u128::from_str_radix(secret, 16).map_err(|_| ParseTokenError)?),
        })
    }
}

impl TryFrom<String> for ParticipantToken {
    type Error = ParseTokenError;

    fn try_from(text: String) -> Result<Self, ParseTokenError> {
        text.parse()
    }
}

impl From<ParticipantToken> for String {
    fn from(token: ParticipantToken) -> Self {
        token.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_reads_back_and_never_shows_its_secret(code: u64, participant: u64, secret: u128) {
            let token = ParticipantToken {
                code: SessionCode::from_random(code),
                participant: ParticipantId::from_random(participant),
                secret: TokenSecret::from_random(secret),
            };
            let read: ParticipantToken = token.expose().parse().unwrap();
            prop_assert_eq!(read.expose(), token.expose());
            let (shown, digits) = (format!("{token:?}"), format!("{secret:032x}"));
            prop_assert!(!shown.contains(&digits));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
            let _ = text.parse::<ParticipantToken>();
        }
    }
}
