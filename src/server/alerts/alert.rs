//! What is said, as people and programs get it.

use super::Topic;
use crate::domain::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same whenever and however often it is sent.
    pub id: String,
    /// When it was found.
    pub at: UnixMillis,
    /// What it is about.
    pub topic: Topic,
    /// How bad it is.
    pub severity: Severity,
    /// The stage that was reached, in percent, where it is about one.
    pub stage: Option<u8>,
    /// What is the matter, in one sentence.
    pub message: String,
    /// What to do, in one sentence; empty where there is nothing to do.
    pub advice: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is over.
    Over,
    /// Worth knowing.
    Notice,
    /// Somebody should look.
    Warning,
    /// People notice it, or money is lost.
    Critical,
}

impl Severity {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Alert {
    /// A name that it keeps.
    pub(super) fn name(topic: &Topic, severity: Severity, stage: Option<u8>, at: UnixMillis) -> String {
        let stage = stage.map(|stage| format!("-{stage}")).unwrap_or_default();
        format!("{topic}{stage}-{}-{}", severity.word(), at.0)
    }

    /// For programs. `server` is the public address, where one is set.
    pub fn to_json(&self, server: Option<&str>) -> Value {
        let millis = i64::try_from(self.at.0).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        json!({
            "id": self.id,
            "at": at.to_string(),
            "server": server,
            "topic": self.topic.word(),
            "provider": self.topic.provider().map(ToString::to_string),
            "severity": self.severity.word(),
            "stage": self.stage,
            "message": self.message,
            "advice": self.advice,
        })
    }

    /// The line that a mail is headed with.
    pub fn subject(&self) -> String {
        format!("[Tessro] {}", self.message.trim_end_matches('.'))
    }
}

/// Message and advice.
impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, " {}", self.advice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_fields_and_people_sentences() {
        let topic: Topic = "provider_limit.coturn:fra".parse().unwrap();
        let (at, severity, stage) = (UnixMillis(1_794_787_200_000), Severity::Warning, Some(90));
        let id = Alert::name(&topic, severity, stage, at);
        let alert = Alert { id, at, topic, severity, stage, message: "Much.".into(), advice: "Look.".into() };
        let expected = json!({
            "id": "provider_limit.coturn:fra-90-warning-1794787200000", "at": "2026-11-16T00:00:00Z",
            "server": "https://tessro.example", "topic": "provider_limit", "provider": "coturn:fra",
            "severity": "warning", "stage": 90, "message": "Much.", "advice": "Look.",
        });
        assert_eq!(alert.to_json(Some("https://tessro.example")), expected);
        assert_eq!((alert.to_string().as_str(), alert.subject().as_str()), ("Much. Look.", "[Tessro] Much"));
    }
}
