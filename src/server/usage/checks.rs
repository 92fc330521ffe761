//! Which checks of a connection may report what they sent over relays.
//!
//! Whoever checks is in no session, so nobody vouches for what they report. A check gets a name from the server before it
//! sends anything, may report under it for a while, and is believed up to
//! [`CHECK_BYTES`](crate::protocol::limits::CHECK_BYTES); how many begin is the guard's to say. So what all of them together
//! can make up is known beforehand. Names are kept in memory: a check that runs while the server restarts is not counted.
//! Pure: names and the time are passed in.

use crate::domain::{ConnectionId, Now, ParticipantId};
use crate::protocol::{CheckUsage, UsageReport};
use std::collections::BTreeMap;
use std::time::Duration;

/// Who reports in the books: nobody in any session. Participants have 64 random bits, so none of them is this one.
pub(super) const NOBODY: ParticipantId = ParticipantId::from_random(0);

/// A check lasts a minute at most; the rest is for reports that take several tries.
const REPORTS_FOR: Duration = Duration::from_mins(10);

/// Every check that may still report.
#[derive(Debug, Default)]
pub(super) struct Checks {
    begun: BTreeMap<ConnectionId, Now>,
}

impl Checks {
    /// A check begins under this name, which nobody can guess.
    pub(super) fn begin(&mut self, check: ConnectionId, now: Now) {
        self.begun.retain(|_, begun| now.since(*begun) < REPORTS_FOR);
        self.begun.insert(check, now);
    }

    /// Whether the check may report.
    pub(super) fn is_open(&self, check: ConnectionId, now: Now) -> bool {
        self.begun.get(&check).is_some_and(|begun| now.since(*begun) < REPORTS_FOR)
    }
}

/// The reports as those of one connection, so that one bound holds for all of them: a pair is known by its own connection's
/// name and its own.
pub(super) fn as_one_connection(usage: CheckUsage) -> impl Iterator<Item = UsageReport> {
    let check = usage.check;
    usage.reports.into_iter().map(move |report| {
        let mut pairs = report.pairs;
        for pair in &mut pairs {
            pair.pair = format!("{}/{}", report.connection, pair.pair);
        }
        UsageReport { connection: check, pairs, ..report }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_may_report_for_a_while_and_a_stranger_s_name_never() {
        let at = |seconds| Now::since_start(Duration::from_secs(seconds));
        let (mut checks, check) = (Checks::default(), ConnectionId::from_random(1));
        assert!(!checks.is_open(check, at(0)));
        checks.begin(check, at(5));
        assert!(checks.is_open(check, at(604)) && !checks.is_open(check, at(605)));
        checks.begin(ConnectionId::from_random(2), at(700));
        assert_eq!(checks.begun.len(), 1, "what is over is forgotten");
    }
}
