//! The name under which an operator configured a credential provider.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A provider as configured: its kind, or kind and label (`cloudflare`, `cloudflare:eu`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName(String);

/// A text that names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a provider's name is its kind in lower case, with an optional label: `cloudflare` or `cloudflare:eu`")]
pub struct ParseProviderError;

impl ProviderName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How people write the provider's kind: `Cloudflare`.
    pub fn title(&self) -> String {
        let kind = self.0.split(':').next().unwrap_or_default();
        let mut letters = kind.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

impl FromStr for ProviderName {
    type Err = ParseProviderError;

    fn from_str(text: &str) -> Result<Self, ParseProviderError> {
        let (kind, label) = text.split_once(':').map_or((text, None), |(kind, label)| (kind, Some(label)));
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if text.len() > 40 || !word(kind) || !label.is_none_or(word) {
            return Err(ParseProviderError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProviderName {
    type Error = ParseProviderError;

    fn try_from(text: String) -> Result<Self, ParseProviderError> {
        text.parse()
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_carry_a_label() {
        assert_eq!("cloudflare".parse::<ProviderName>().map(|name| name.title()), Ok("Cloudflare".to_owned()));
        assert_eq!("cloudflare:eu".parse::<ProviderName>().map(|name| name.title()), Ok("Cloudflare".to_owned()));
        for text in ["", ":", "Cloudflare", "cloudflare:", "a b", "x:y:z"] {
            assert_eq!(text.parse::<ProviderName>(), Err(ParseProviderError), "{text}");
        }
    }
}
