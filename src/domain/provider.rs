//! Who can mint credentials, and the name under which an operator configured one.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest label; longer ones would only bloat reports and logs.
const LABEL_BYTES: usize = 20;

/// Every service that Tessro takes relay credentials from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderKind {
    /// Cloudflare Realtime TURN.
    Cloudflare,
    /// Twilio Network Traversal Service.
    Twilio,
    /// Xirsys.
    Xirsys,
    /// Metered, whose free account is Open Relay.
    Metered,
    /// A relay of the operator's that shares a secret with us: coturn, eturnal and others.
    Coturn,
    /// A relay with one login for everybody.
    Static,
    /// The relay that is part of Tessro.
    Relay,
}

impl ProviderKind {
    /// All of them, in the order in which they are asked where the operator set none.
    pub const ALL: [Self; 7] =
        [Self::Cloudflare, Self::Twilio, Self::Xirsys, Self::Metered, Self::Coturn, Self::Static, Self::Relay];

    /// The word for it in settings, reports and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Twilio => "twilio",
            Self::Xirsys => "xirsys",
            Self::Metered => "metered",
            Self::Coturn => "coturn",
            Self::Static => "static",
            Self::Relay => "relay",
        }
    }

    /// How people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cloudflare => "Cloudflare",
            Self::Twilio => "Twilio",
            Self::Xirsys => "Xirsys",
            Self::Metered => "Metered",
            Self::Coturn => "coturn",
            Self::Static => "Static",
            Self::Relay => "Built-in relay",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A provider as configured: its kind, or kind and label where there are several of a kind (`cloudflare`, `cloudflare:eu`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName {
    kind: ProviderKind,
    label: Option<String>,
}

/// A text that names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a provider's name is cloudflare, twilio, xirsys, metered, coturn, static or relay, with an optional label: \
     `cloudflare` or `cloudflare:eu`"
)]
pub struct ParseProviderError;

impl ProviderName {
    /// Who it is.
    pub const fn kind(&self) -> ProviderKind {
        self.kind
    }

    /// What tells it from others of its kind.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// How people write the provider's kind: `Cloudflare`.
    pub const fn title(&self) -> &'static str {
        self.kind.title()
    }
}

impl From<ProviderKind> for ProviderName {
    fn from(kind: ProviderKind) -> Self {
        Self { kind, label: None }
    }
}

impl FromStr for ProviderName {
    type Err = ParseProviderError;

    fn from_str(text: &str) -> Result<Self, ParseProviderError> {
        let (word, label) = text.split_once(':').map_or((text, None), |(word, label)| (word, Some(label)));
        let plain = |label: &str| label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if label.is_some_and(|label| !plain(label) || !(1..=LABEL_BYTES).contains(&label.len())) {
            return Err(ParseProviderError);
        }
        let kind = ProviderKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or(ParseProviderError)?;
        Ok(Self { kind, label: label.map(str::to_owned) })
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        match &self.label {
            Some(label) => write!(f, ":{label}"),
            None => Ok(()),
        }
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
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_kind_may_carry_a_label() {
        let eu: ProviderName = "cloudflare:eu".parse().unwrap();
        assert_eq!((eu.kind(), eu.label(), eu.title()), (ProviderKind::Cloudflare, Some("eu"), "Cloudflare"));
        let plain: ProviderName = "coturn".parse().unwrap();
        assert_eq!((plain.kind(), plain.label(), plain.title()), (ProviderKind::Coturn, None, "coturn"));
        let long = format!("twilio:{}", "x".repeat(LABEL_BYTES + 1));
        for text in ["", ":", "Cloudflare", "cloudflare:", "cloudflare:EU", "a b", "acme", "twilio:y:z", &long] {
            assert_eq!(text.parse::<ProviderName>(), Err(ParseProviderError), "{text}");
        }
    }

    #[test]
    fn every_kind_is_listed_once_and_has_a_word_of_its_own() {
        let mut words: Vec<_> = ProviderKind::ALL.iter().map(|kind| kind.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProviderKind::ALL.len());
    }

    proptest! {
        #[test]
        fn a_name_reads_back(kind in prop::sample::select(&ProviderKind::ALL), label in prop::option::of("[a-z0-9]{1,20}")) {
            let text = label.map_or_else(|| kind.to_string(), |label| format!("{kind}:{label}"));
            prop_assert_eq!(text.parse::<ProviderName>().map(String::from), Ok(text));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<ProviderName>();
        }
    }
}
