//! What a node is called: by a name that stays with its data directory, and by a number for each of its runs.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The name that the ledger keeps. What is counted is known by it, so two servers must not run under one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// A text that is no name of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a node has 16 hexadecimal digits")]
pub struct ParseNodeError;

impl FromStr for NodeName {
    type Err = ParseNodeError;

    fn from_str(text: &str) -> Result<Self, ParseNodeError> {
        let is_name = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_name { Ok(Self(text.to_ascii_lowercase())) } else { Err(ParseNodeError) }
    }
}

impl TryFrom<String> for NodeName {
    type Error = ParseNodeError;

    fn try_from(text: String) -> Result<Self, ParseNodeError> {
        text.parse()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run of one node, from its start to its end: random, so that a server which comes back is not taken for the one that went,
/// nor a copy for its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u64);

impl RunId {
    /// The run made of these random bits.
    pub const fn from_random(bits: u64) -> Self {
        Self(bits)
    }
}

impl FromStr for RunId {
    type Err = ParseNodeError;

    fn from_str(text: &str) -> Result<Self, ParseNodeError> {
        let digits = Some(text).filter(|text| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(Self).ok_or(ParseNodeError)
    }
}

impl TryFrom<String> for RunId {
    type Error = ParseNodeError;

    fn try_from(text: String) -> Result<Self, ParseNodeError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.to_string()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
