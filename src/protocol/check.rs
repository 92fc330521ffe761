//! "Check my connection": the leave to send data through a relay, and what it came to.
//!
//! Somebody who checks is in no session and has no token. So the server gives each check a name of its own, and believes
//! what is reported under it up to [`limits::CHECK_BYTES`](super::limits::CHECK_BYTES).

use super::usage::UsageReport;
use crate::domain::ConnectionId;
use serde::{Deserialize, Serialize};

/// The server's answer to somebody who asks to begin: data may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLeave {
    /// The check's name: 64 random bits that nobody else knows.
    pub check: ConnectionId,
}

/// What ran over relays in a check, cumulative, like every report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckUsage {
    /// Which check.
    pub check: ConnectionId,
    /// One report a connection; both ends of each are in the page.
    pub reports: Vec<UsageReport>,
}
