//! What one end tells of its selected pair, from report to report.

use super::peer::Sample;
use crate::domain::Now;
use crate::protocol::PathSeen;

/// Watches one connection.
#[derive(Debug, Default)]
pub struct PathWatch {
    seen: PathSeen,
    /// Sound and picture in and out, since the connection began.
    bytes: u64,
    /// What they were at the last report, and when that was.
    told: Option<(u64, Now)>,
}

impl PathWatch {
    /// The browser's counters.
    pub fn sampled(&mut self, sample: &Sample) {
        let (local, remote, transport) = sample.candidates;
        // A connection that is over has no pair any more; how it ran is what counts.
        if local.is_some() {
            (self.seen.local, self.seen.remote, self.seen.transport) = (local, remote, transport);
        }
        let millis = sample.round_trip.and_then(|time| u32::try_from(time.as_millis()).ok());
        self.seen.round_trip_ms = millis.or(self.seen.round_trip_ms);
        self.bytes = self.bytes.max(sample.media_received.saturating_add(sample.media_sent));
    }

    /// For a report that is made now; `None` while there is nothing to tell.
    pub fn report(&mut self, now: Now) -> Option<PathSeen> {
        let before = self.told.replace((self.bytes, now));
        let bits_per_second = before.and_then(|(bytes, at)| {
            let millis = u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX);
            self.bytes.saturating_sub(bytes).saturating_mul(8_000).checked_div(millis)
        });
        let seen = PathSeen { bits_per_second, ..self.seen };
        (seen != PathSeen::default()).then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CandidateType, RelayTransport};
    use std::time::Duration;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    #[test]
    fn the_bitrate_is_that_since_the_report_before() {
        let mut watch = PathWatch::default();
        assert_eq!(watch.report(at(0)), None);
        let sample = |media_received, media_sent| Sample {
            candidates: (Some(CandidateType::Relay), Some(CandidateType::Srflx), Some(RelayTransport::Tls)),
            round_trip: Some(Duration::from_millis(48)),
            media_received,
            media_sent,
            ..Sample::default()
        };
        watch.sampled(&sample(1_000_000, 250_000));
        let expected = PathSeen {
            local: Some(CandidateType::Relay),
            remote: Some(CandidateType::Srflx),
            transport: Some(RelayTransport::Tls),
            round_trip_ms: Some(48),
            bits_per_second: Some(2_000_000),
        };
        assert_eq!(watch.report(at(5)), Some(expected));
        assert_eq!(watch.report(at(5)).unwrap().bits_per_second, None, "two reports at once");
        watch.sampled(&sample(0, 0));
        assert_eq!(watch.report(at(10)).unwrap().bits_per_second, Some(0), "counters that fall stand still");
    }

    #[test]
    fn how_it_ran_is_told_after_the_end_too() {
        let mut watch = PathWatch::default();
        watch.sampled(&Sample { candidates: (Some(CandidateType::Host), None, None), ..Sample::default() });
        watch.sampled(&Sample::default());
        assert_eq!(watch.report(at(1)).unwrap().local, Some(CandidateType::Host));
    }
}
