//! What people say to each other: texts that stay with the session, and reactions that pass.

use super::limits;
use crate::domain::{Nameless, ParticipantId, ParticipantName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something said: trimmed, 1 to 1000 characters, no control characters but line breaks. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChatText(String);

/// Why a text cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseChatTextError {
    /// Nothing in it.
    #[error("there is nothing to say in it")]
    Empty,
    /// More than 1000 characters.
    #[error("a message has at most {} characters", limits::CHAT_CHARS)]
    TooLong,
}

impl ChatText {
    /// Takes what was typed.
    pub fn parse(typed: &str) -> Result<Self, ParseChatTextError> {
        let kept: String = typed.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        let text = kept.trim();
        match text.chars().count() {
            0 => Err(ParseChatTextError::Empty),
            1..=limits::CHAT_CHARS => Ok(Self(text.to_owned())),
            _ => Err(ParseChatTextError::TooLong),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ChatText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatText(..)")
    }
}

impl TryFrom<String> for ChatText {
    type Error = ParseChatTextError;

    fn try_from(typed: String) -> Result<Self, ParseChatTextError> {
        Self::parse(&typed)
    }
}

impl From<ChatText> for String {
    fn from(text: ChatText) -> Self {
        text.0
    }
}

/// Something that was said in a session, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatEntry {
    /// Grows within the session, from 1; not always by one.
    pub id: u64,
    /// Who.
    pub from: ParticipantId,
    /// What they called themselves: they may be gone by now.
    pub name: ParticipantName,
    /// They gave no name: a page has its own words for what they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nameless: Option<Nameless>,
    /// When, by the server's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// What.
    pub text: ChatText,
    /// Made by whoever said it, so that saying it again after a lost line is recognised.
    pub nonce: u64,
}

/// A reaction to the picture, shown for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Love.
    Heart,
    /// Funny.
    Laugh,
    /// Surprise.
    Wow,
    /// Sadness.
    Sad,
    /// Applause.
    Clap,
    /// Comfort.
    Popcorn,
}

impl Reaction {
    /// Every reaction, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Heart, Self::Laugh, Self::Wow, Self::Sad, Self::Clap, Self::Popcorn];
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_tidied_and_bounded() {
        assert_eq!(ChatText::parse(" \u{7}a\tb\nc\r\n ").map(String::from), Ok("ab\nc".to_owned()));
        assert_eq!(ChatText::parse(" \n\u{1b} "), Err(ParseChatTextError::Empty));
        assert!(ChatText::parse(&"\u{1F37F}".repeat(limits::CHAT_CHARS)).is_ok());
        assert_eq!(ChatText::parse(&"x".repeat(limits::CHAT_CHARS + 1)), Err(ParseChatTextError::TooLong));
    }

    proptest! {
        #[test]
        fn a_text_parses_to_itself(typed in "\\PC{0,50}|.{0,20}\n.{0,20}") {
            if let Ok(text) = ChatText::parse(&typed) {
                prop_assert_eq!(ChatText::parse(text.as_str()), Ok(text));
            }
        }
    }
}
