//! What a person calls themselves in a session.

use super::Role;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest name, in characters.
const LONGEST: usize = 40;

/// A name that can be shown: trimmed, one line, 1 to 40 characters, no control or direction-changing characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParticipantName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseNameError {
    /// Nothing visible in it.
    #[error("a name needs at least one visible character")]
    Empty,
    /// More than 40 characters.
    #[error("a name has at most {LONGEST} characters")]
    TooLong,
}

impl ParticipantName {
    /// Takes what was typed: invisible characters are dropped, runs of white space become one space.
    pub fn parse(typed: &str) -> Result<Self, ParseNameError> {
        // Bidirectional overrides and zero-width characters let one name pose as another.
        let visible: String = typed
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
            .collect();
        let name = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match name.chars().count() {
            0 => Err(ParseNameError::Empty),
            1..=LONGEST => Ok(Self(name)),
            _ => Err(ParseNameError::TooLong),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody who gave no name: told from others by what they came as and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nameless {
    /// What they were when they came; they may be the other by now, and keep what they are called.
    pub came_as: Role,
    /// Of three digits.
    pub number: u16,
}

impl Nameless {
    /// Of any number the last three digits count.
    pub const fn new(came_as: Role, number: u16) -> Self {
        Self { came_as, number: number % 1000 }
    }

    /// For whoever has no words of their own for it: `Host` or `Guest` and three digits.
    pub fn name(self) -> ParticipantName {
        let role = match self.came_as {
            Role::Host => "Host",
            Role::Guest => "Guest",
        };
        ParticipantName(format!("{role}{:03}", self.number))
    }
}

impl fmt::Display for ParticipantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ParticipantName {
    type Error = ParseNameError;

    fn try_from(typed: String) -> Result<Self, ParseNameError> {
        Self::parse(&typed)
    }
}

impl From<ParticipantName> for String {
    fn from(name: ParticipantName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_and_invisible_characters_are_tidied() {
        assert_eq!(ParticipantName::parse("  Ada \t\n L. ").map(String::from), Ok("Ada L.".to_owned()));
        assert_eq!(ParticipantName::parse("A\u{202e}da\u{200b}").map(String::from), Ok("Ada".to_owned()));
        assert_eq!(ParticipantName::parse(" \u{200b} "), Err(ParseNameError::Empty));
        assert_eq!(ParticipantName::parse(&"x".repeat(41)), Err(ParseNameError::TooLong));
    }

    #[test]
    fn somebody_without_a_name_gets_three_digits() {
        assert_eq!(Nameless::new(Role::Guest, 7).name().as_str(), "Guest007");
        assert_eq!(Nameless::new(Role::Host, 65_432).name().as_str(), "Host432");
        let told = serde_json::to_value(Nameless::new(Role::Guest, 7)).unwrap();
        assert_eq!(told, serde_json::json!({ "came_as": "guest", "number": 7 }));
    }

    proptest! {
        #[test]
        fn a_name_parses_to_itself(typed in "\\PC{0,50}") {
            if let Ok(name) = ParticipantName::parse(&typed) {
                prop_assert_eq!(ParticipantName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
