//! The secret of an invite link, which lets in without the password.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// 128 random bits, written as 32 hexadecimal digits. Stands in the fragment of a link, which browsers send to nobody.
/// Never shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InviteKey(u128);

/// A text that is no key of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of an invite has 32 hexadecimal digits")]
pub struct ParseInviteKeyError;

impl InviteKey {
    /// The key made of these random bits.
    pub const fn from_random(bits: u128) -> Self {
        Self(bits)
    }

    /// The bytes, to be hashed: the server compares hashes, in constant time.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The key as it stands in a link. Named, rather than `Display`, so that none ends in a log by accident.
    pub fn expose(self) -> String {
        format!("{:032x}", self.0)
    }

    /// The key in the fragment of an address, `#k=KEY`; `None` where there is none.
    pub fn in_fragment(fragment: &str) -> Option<Self> {
        fragment.strip_prefix('#').unwrap_or(fragment).strip_prefix("k=")?.parse().ok()
    }
}

impl fmt::Debug for InviteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteKey(..)")
    }
}

impl FromStr for InviteKey {
    type Err = ParseInviteKeyError;

    fn from_str(text: &str) -> Result<Self, ParseInviteKeyError> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseInviteKeyError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| ParseInviteKeyError)
    }
}

impl TryFrom<String> for InviteKey {
    type Error = ParseInviteKeyError;

    fn try_from(text: String) -> Result<Self, ParseInviteKeyError> {
        text.parse()
    }
}

impl From<InviteKey> for String {
    fn from(key: InviteKey) -> Self {
        key.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_reads_back_from_its_link_and_is_never_shown(bits: u128) {
            let key = InviteKey::from_random(bits);
            prop_assert_eq!(InviteKey::in_fragment(&format!("#k={}", key.expose())), Some(key));
            let shown = format!("{key:?}");
            prop_assert!(!shown.contains(&key.expose()));
        }

        #[test]
        fn any_other_fragment_holds_none(text in "\\PC{0,40}") {
            let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(text.parse::<InviteKey>().is_ok(), is_key);
            prop_assert_eq!(InviteKey::in_fragment(&text), None);
        }
    }
}
