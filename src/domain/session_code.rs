//! The code that people read out to each other to meet in a session.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Letters and digits that nobody takes for one another: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V.
const ALPHABET: &[u8; 24] = b"34679ACDEFGHJKMNPQRTVWXY";
const LENGTH: usize = 6;

/// Six characters out of 24 that cannot be mistaken for each other, 1.9 x 10^8 codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionCode([u8; LENGTH]);

/// A text that is no session code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session code has six characters such as K7M3QX, none of them B, I, L, O, S, U, Z, 0, 1, 2, 5 or 8")]
pub struct ParseSessionCodeError;

impl SessionCode {
    /// The code made of these random bits. The bias of the modulo is below 10^-10.
    pub fn from_random(mut bits: u64) -> Self {
        let mut code = [0; LENGTH];
        for place in &mut code {
            let index = usize::try_from(bits % 24).unwrap_or_default();
            *place = ALPHABET[index];
            bits /= 24;
        }
        Self(code)
    }

    /// Takes what was typed, in any case, with spaces or hyphens anywhere.
    pub fn parse(typed: &str) -> Result<Self, ParseSessionCodeError> {
        let mut code = [0; LENGTH];
        let mut places = code.iter_mut();
        for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let letter = u8::try_from(c.to_ascii_uppercase()).map_err(|_| ParseSessionCodeError)?;
            let place = places.next().ok_or(ParseSessionCodeError)?;
            if !ALPHABET.contains(&letter) {
                return Err(ParseSessionCodeError);
            }
            *place = letter;
        }
        if places.next().is_some() {
            return Err(ParseSessionCodeError);
        }
        Ok(Self(code))
    }
}

impl fmt::Display for SessionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl FromStr for SessionCode {
    type Err = ParseSessionCodeError;

    fn from_str(typed: &str) -> Result<Self, ParseSessionCodeError> {
        Self::parse(typed)
    }
}

impl TryFrom<String> for SessionCode {
    type Error = ParseSessionCodeError;

    fn try_from(typed: String) -> Result<Self, ParseSessionCodeError> {
        Self::parse(&typed)
    }
}

impl From<SessionCode> for String {
    fn from(code: SessionCode) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_was_typed() {
        let code = SessionCode::parse("K7M3QX");
        assert!(code.is_ok());
        assert_eq!(SessionCode::parse(" k7m-3qx "), code);
        for text in ["", "K7M3Q", "K7M3QXX", "K7M3Q0", "K7M3Qé", "K7M3Q\u{1F600}"] {
            assert_eq!(SessionCode::parse(text), Err(ParseSessionCodeError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_made_code_reads_back(bits: u64) {
            let code = SessionCode::from_random(bits);
            prop_assert_eq!(SessionCode::parse(&code.to_string()), Ok(code));
            prop_assert_eq!(SessionCode::parse(&code.to_string().to_lowercase()), Ok(code));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,20}") {
            let _ = SessionCode::parse(&text);
        }
    }
}
