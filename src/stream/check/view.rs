//! What a page shows of a check, and what people do with it.

use super::line::Line;
use super::verdict::{NoRelay, Verdict};
use crate::domain::ProviderName;
use std::time::Duration;

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckAction {
    /// Begins, or begins anew.
    Start,
    /// Gives up, or leaves the page.
    Stop,
}

/// Why no data is sent through a relay that lets the browser in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// Too many checks: another may send after so long.
    TooMany(Duration),
    /// The server does not say that it may.
    Unreachable,
}

/// How far the check is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CheckStage {
    /// Nobody has asked for one, or it was stopped.
    #[default]
    Ready,
    /// The server is asked for ICE servers.
    Fetching,
    /// ICE servers are asked, and data is sent.
    Asking,
    /// It is over.
    Over(Verdict),
}

/// A check, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckView {
    /// How far it is.
    pub stage: CheckStage,
    /// Everyone who is asked, in the server's order; the first line is the browser's own.
    pub lines: Vec<Line>,
    /// Whose credentials are tried; `None` where there are none.
    pub provider: Option<ProviderName>,
    /// Why there is no relay to ask.
    pub no_relay: Option<NoRelay>,
    /// Why no data is sent.
    pub withheld: Option<Withheld>,
    /// What ran over relays so far, as both of the page's ends count it, in bytes.
    pub relayed_bytes: u64,
}

impl CheckView {
    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self.stage, CheckStage::Fetching | CheckStage::Asking)
    }

    /// The end of it.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.stage {
            CheckStage::Over(verdict) => Some(verdict),
            CheckStage::Ready | CheckStage::Fetching | CheckStage::Asking => None,
        }
    }
}
