//! A session's password, compared in constant time. Held in memory only, for as long as the session lives.

use crate::protocol::{Password, limits};
use std::fmt;
use subtle::ConstantTimeEq;

/// Four bytes a character at most, and the length in front so that trailing zeros count.
const BYTES: usize = 2 + 4 * limits::PASSWORD_CHARS;

/// A password of any length in a field of one size, so that comparing tells nothing about either length.
#[derive(Clone)]
pub(super) struct PaddedPassword([u8; BYTES]);

impl PaddedPassword {
    /// Pads what was typed; no password at all is the empty one.
    pub(super) fn of(password: Option<&Password>) -> Self {
        let typed = password.map(Password::as_bytes).unwrap_or_default();
        let mut padded = [0; BYTES];
        let length = u16::try_from(typed.len()).unwrap_or(u16::MAX).to_be_bytes();
        for (place, byte) in padded.iter_mut().zip(length.iter().chain(typed)) {
            *place = *byte;
        }
        Self(padded)
    }

    /// Whether both are the same, in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for PaddedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaddedPassword(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(typed: &str) -> PaddedPassword {
        PaddedPassword::of(Password::typed(typed).unwrap().as_ref())
    }

    #[test]
    fn only_the_very_same_password_is_the_same() {
        let longest = "\u{1F37F}".repeat(limits::PASSWORD_CHARS);
        for typed in ["", "popcorn", "popcorn\0", "Popcorn", longest.as_str()] {
            for other in ["", "popcorn", "popcorn\0", "Popcorn", longest.as_str()] {
                assert_eq!(padded(typed).is(&padded(other)), typed == other, "{typed:?} {other:?}");
            }
        }
    }
}
