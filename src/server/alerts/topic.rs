//! What alerts are about: the things of which each is said once.

use crate::domain::ProviderName;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One thing that can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Topic {
    /// The month's limit in bytes.
    Limit,
    /// The month's budget in money.
    Budget,
    /// What one provider may relay in a month.
    ProviderLimit(ProviderName),
    /// More is relayed than usual.
    Burn,
    /// A provider gives no credentials, or its relay is silent.
    Provider(ProviderName),
    /// The provider counts something else than we do.
    Drift(ProviderName),
    /// A provider's own count is set up and does not come.
    Meter(ProviderName),
    /// Nothing can be counted.
    Counting,
    /// A trial.
    Test,
}

impl Topic {
    /// The word for it, without the provider.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Budget => "budget",
            Self::ProviderLimit(_) => "provider_limit",
            Self::Burn => "burn",
            Self::Provider(_) => "provider",
            Self::Drift(_) => "drift",
            Self::Meter(_) => "meter",
            Self::Counting => "counting",
            Self::Test => "test",
        }
    }

    /// Whom it is about, where it is about one provider.
    pub const fn provider(&self) -> Option<&ProviderName> {
        match self {
            Self::ProviderLimit(name) | Self::Provider(name) | Self::Drift(name) | Self::Meter(name) => Some(name),
            Self::Limit | Self::Budget | Self::Burn | Self::Counting | Self::Test => None,
        }
    }
}

/// `limit`, `provider.cloudflare:eu`.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self.provider() {
            Some(name) => write!(f, ".{name}"),
            None => Ok(()),
        }
    }
}

/// A text that is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such topic")]
pub struct ParseTopicError;

impl FromStr for Topic {
    type Err = ParseTopicError;

    fn from_str(text: &str) -> Result<Self, ParseTopicError> {
        let (word, name) = text.split_once('.').map_or((text, None), |(word, name)| (word, Some(name)));
        let name: Option<ProviderName> = name.map(str::parse).transpose().map_err(|_| ParseTopicError)?;
        Ok(match (word, name) {
            ("limit", None) => Self::Limit,
            ("budget", None) => Self::Budget,
            ("provider_limit", Some(name)) => Self::ProviderLimit(name),
            ("burn", None) => Self::Burn,
            ("provider", Some(name)) => Self::Provider(name),
            ("drift", Some(name)) => Self::Drift(name),
            ("meter", Some(name)) => Self::Meter(name),
            ("counting", None) => Self::Counting,
            ("test", None) => Self::Test,
            _ => return Err(ParseTopicError),
        })
    }
}

impl TryFrom<String> for Topic {
    type Error = ParseTopicError;

    fn try_from(text: String) -> Result<Self, ParseTopicError> {
        text.parse()
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_reads_back() {
        let eu: ProviderName = "cloudflare:eu".parse().unwrap();
        let topics = [
            Topic::Limit,
            Topic::Budget,
            Topic::ProviderLimit(eu.clone()),
            Topic::Burn,
            Topic::Provider(eu.clone()),
            Topic::Drift(eu.clone()),
            Topic::Meter(eu),
            Topic::Counting,
            Topic::Test,
        ];
        for topic in topics {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for wrong in ["", "limit.cloudflare", "provider", "provider.", "weather"] {
            assert_eq!(wrong.parse::<Topic>(), Err(ParseTopicError), "{wrong}");
        }
    }
}
