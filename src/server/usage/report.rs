//! What a usage report must look like before it is counted.
//!
//! Checks shape and size only; who may report is the caller's business.

use crate::protocol::{UsageReport, limits};
use serde::{Deserialize, Serialize};

/// The longest name that a browser gives a candidate pair, in characters.
const PAIR_NAME_CHARS: usize = 64;

/// The largest counter that a browser can count exactly: 2^53 - 1.
const LARGEST_COUNTER: u64 = (1 << 53) - 1;

/// Why a usage report is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReportError {
    /// More pairs than a browser ever keeps.
    #[error("a usage report has at most {} candidate pairs; this one has {count}", limits::PAIRS_PER_REPORT)]
    TooManyPairs {
        /// How many it has.
        count: usize,
    },
    /// A pair without a name, or with one that no browser gives.
    #[error("the name of a candidate pair has 1 to {PAIR_NAME_CHARS} characters; this one has {chars}")]
    PairName {
        /// How long it is.
        chars: usize,
    },
    /// A counter that no browser can have counted.
    #[error("a counter is at most {LARGEST_COUNTER}; this one is {value}")]
    Counter {
        /// What it claims.
        value: u64,
    },
    /// Sequence numbers begin at 1.
    #[error("the first usage report of a connection has sequence number 1, not 0")]
    NoSequence,
}

/// Checks a report that came from a browser. [`Usage::report`](super::Usage::report) relies on it.
pub fn check(report: &UsageReport) -> Result<(), ReportError> {
    if report.sequence == 0 {
        return Err(ReportError::NoSequence);
    }
    let seen = report.other_end.unwrap_or_default();
    let of_other_end = [seen.bytes_received, seen.bytes_sent, seen.packets_received, seen.packets_sent];
    if let Some(value) = std::iter::once(report.sequence).chain(of_other_end).find(|value| *value > LARGEST_COUNTER) {
        return Err(ReportError::Counter { value });
    }
    let count = report.pairs.len();
    if count > limits::PAIRS_PER_REPORT {
        return Err(ReportError::TooManyPairs { count });
    }
    for pair in &report.pairs {
        let chars = pair.pair.chars().count();
        if !(1..=PAIR_NAME_CHARS).contains(&chars) {
            return Err(ReportError::PairName { chars });
        }
        let packets = [pair.packets_received, pair.packets_sent, pair.packets_indicated];
        let counters = [pair.bytes_received, pair.bytes_sent].into_iter().chain(packets);
        if let Some(value) = { counters }.find(|value| *value > LARGEST_COUNTER) {
            return Err(ReportError::Counter { value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ConnectionId;
    use crate::protocol::{OtherEndCounters, PairCounters, Path};

    fn pair(name: &str) -> PairCounters {
        PairCounters::of(name, "cloudflare".parse().unwrap())
    }

    fn report(pairs: Vec<PairCounters>) -> UsageReport {
        UsageReport {
            connection: ConnectionId::from_random(1),
            sequence: 1,
            path: Path::Relayed,
            pairs,
            other_end: None,
            seen: None,
        }
    }

    #[test]
    fn what_a_browser_sends_passes() {
        assert_eq!(check(&report(vec![])), Ok(()));
        assert_eq!(check(&report(vec![pair("CPxyz_abc"); limits::PAIRS_PER_REPORT])), Ok(()));
        assert_eq!(check(&report(vec![pair(&"é".repeat(64))])), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let many = check(&report(vec![pair("a"); 201])).unwrap_err();
        assert_eq!(many.to_string(), "a usage report has at most 200 candidate pairs; this one has 201");
        assert_eq!(check(&report(vec![pair(&"a".repeat(65))])), Err(ReportError::PairName { chars: 65 }));
        assert_eq!(check(&report(vec![pair("")])), Err(ReportError::PairName { chars: 0 }));
        assert_eq!(check(&UsageReport { sequence: 0, ..report(vec![]) }), Err(ReportError::NoSequence));
        let other_end = OtherEndCounters { bytes_sent: 1 << 53, ..OtherEndCounters::default() };
        let of_other_end = UsageReport { other_end: Some(other_end), ..report(vec![]) };
        assert_eq!(check(&of_other_end), Err(ReportError::Counter { value: 1 << 53 }));
        let far_ahead = UsageReport { sequence: u64::MAX, ..report(vec![]) };
        assert_eq!(check(&far_ahead), Err(ReportError::Counter { value: u64::MAX }));
        let absurd = PairCounters { packets_sent: 1 << 53, ..pair("a") };
        assert_eq!(check(&report(vec![absurd])), Err(ReportError::Counter { value: 1 << 53 }));
    }
}
