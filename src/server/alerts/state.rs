//! All that has to outlive the process: what was said, how much was relayed lately, and what is still to be sent.

use super::{Topic, outbox::Outbox, pace::Pace};
use crate::domain::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What alerts remember.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What was said of each topic that is not well.
    pub(super) said: BTreeMap<Topic, Kept>,
    /// What was relayed in the last hours.
    pub(super) pace: Pace,
    /// What is still to be sent.
    pub(super) outbox: Outbox,
}

impl State {
    /// Whether it has to be on disk before anything is said; what is relayed within a minute can be counted again.
    pub(super) fn is_news_to(&self, kept: &Self) -> bool {
        let minute = |state: &Self| state.pace.last_minute();
        self.said != kept.said || self.outbox != kept.outbox || minute(self) != minute(kept)
    }
}

/// What is kept of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The level that was said.
    pub(super) level: u8,
    /// Since when it is worse than that.
    pub(super) worse_since: Option<UnixMillis>,
    /// Since when it does not hold any more.
    pub(super) better_since: Option<UnixMillis>,
}
