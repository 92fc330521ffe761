//! How far one end of a connection is believed, and how far whoever is there.
//!
//! Reports come from browsers, and whoever writes their own could claim any number and use up everybody's month. Nobody
//! can have relayed more than their line carries in the time that there was, so that is as much as one end can add to the
//! books. A line is a person's and not a connection's, so all connections of a participant together are bounded by the time since they
//! were first heard of: new connections buy nothing. Pure: refuses to know where anything is kept.

use crate::domain::{ByteCount, ConnectionId};
use crate::protocol::limits;
use std::time::Duration;

/// The fastest that one end is believed to relay, in bytes a second: 200 Mbit/s, both directions together. Cloudflare's own
/// limit is 100 Mbit/s an allocation, and a film takes less than a tenth of that.
const BYTES_PER_SECOND: u64 = 25_000_000;

/// Time on top of what is known: bytes may pass before anyone here hears of the connection, and where nothing is known of
/// its age this is all there is.
const HEAD_START: Duration = Duration::from_secs(10);

/// The same of a participant, over all of their connections, none of which may be known here any more when they are reported: a host
/// with seven guests at 8 Mbit/s fills it in more than two minutes, and reports come every 5 s.
const HEAD_START_OF_A_PARTICIPANT: Duration = Duration::from_secs(40);

/// The most that a check of a connection is believed to have relayed, whatever its age.
pub(super) const OF_A_CHECK: ByteCount = ByteCount::new(limits::CHECK_BYTES);

/// The most candidate pairs that are kept for one end of a connection. Only pairs that carried something are kept, a few
/// for each network that a page passes through.
pub(super) const PAIRS_KEPT: usize = 400;

/// A part of a report that is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ignored {
    /// Bytes beyond [`believable`] or [`believable_of_all`].
    Bytes(ConnectionId),
    /// Pairs beyond [`PAIRS_KEPT`].
    Pairs(ConnectionId),
}

/// The most that one end can have relayed over a connection that is so old.
pub(super) fn believable(age: Duration) -> ByteCount {
    carried_in(age.saturating_add(HEAD_START))
}

/// The most that one participant can have relayed over all of their connections, since they were first heard of so long ago.
pub(super) fn believable_of_all(known_for: Duration) -> ByteCount {
    carried_in(known_for.saturating_add(HEAD_START_OF_A_PARTICIPANT))
}

/// What a line carries.
fn carried_in(time: Duration) -> ByteCount {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    ByteCount::new(millis.saturating_mul(BYTES_PER_SECOND / 1_000))
}

impl Ignored {
    /// What the operator should know.
    pub(super) fn warn(self) {
        match self {
            Self::Bytes(connection) => tracing::warn!(
                "A usage report of connection {connection} claims more than can have been relayed since it opened, or \
                 over all connections of this participant since they came; the excess is not counted"
            ),
            Self::Pairs(connection) => tracing::warn!(
                "Usage reports of connection {connection} name more than {PAIRS_KEPT} candidate pairs; further ones are \
                 not counted"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_what_one_is_believed_by() {
        assert_eq!(believable(Duration::ZERO), ByteCount::new(250_000_000));
        assert_eq!(believable(Duration::from_secs(90)), ByteCount::new(2_500_000_000));
        assert_eq!(believable(Duration::MAX), ByteCount::new(u64::MAX));
        assert_eq!(believable_of_all(Duration::ZERO), ByteCount::new(1_000_000_000));
        assert_eq!(believable_of_all(Duration::from_mins(1)), ByteCount::new(2_500_000_000));
        assert_eq!(believable_of_all(Duration::MAX), ByteCount::new(u64::MAX));
    }
}
