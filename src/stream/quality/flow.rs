//! What flows through one connection in a second, from counters that run from its beginning.

use crate::domain::Now;
use crate::protocol::{CandidateType, Path};
use crate::stream::peer::Sample;
use crate::stream::relaying::MEDIA_BYTES;
use std::time::Duration;

/// Two looks that are closer together say nothing.
const SHORTEST: Duration = Duration::from_millis(800);

/// The last look at a connection's counters.
#[derive(Debug, Default)]
pub(super) struct Flow {
    last: Option<(Sample, Now)>,
}

/// What flows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rates {
    /// Relayed as soon as it runs over the relay of either end.
    pub(super) path: Path,
    /// Bits sent in a second, sound and picture.
    pub(super) sent_bits: u64,
    /// Bits received in a second.
    pub(super) received_bits: u64,
    /// What the browser believes that the line carries.
    pub(super) line: Option<u64>,
    pub(super) round_trip: Option<Duration>,
    pub(super) encoded: Option<Encoded>,
    pub(super) decoded: Option<Decoded>,
}

/// Of a picture that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Encoded {
    pub(super) fps: u16,
    /// How much of one processor encoding takes, in thousandths.
    pub(super) load_permille: u32,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) source: Option<(u16, u16)>,
    pub(super) source_fps: u16,
    pub(super) lost_permille: u16,
    pub(super) codec: String,
}

/// Of a picture that arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Decoded {
    /// Since the connection came to be.
    pub(super) frames: u32,
    pub(super) fps: u16,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) codec: String,
}

impl Flow {
    /// Takes a look; gives what flowed since the one before.
    pub(super) fn look(&mut self, sample: &Sample, now: Now) -> Option<Rates> {
        let Some((before, then)) = &self.last else {
            self.last = Some((sample.clone(), now));
            return None;
        };
        let elapsed = now.since(*then);
        if elapsed < SHORTEST {
            return None;
        }
        let rates = rates(before, sample, elapsed);
        self.last = Some((sample.clone(), now));
        Some(rates)
    }
}

fn rates(before: &Sample, sample: &Sample, elapsed: Duration) -> Rates {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let bits = |before: u64, after: u64| after.saturating_sub(before).saturating_mul(8000) / millis;
    let fps = |before: u32, after: u32| {
        let frames = u64::from(after.saturating_sub(before)) * 1000;
        u16::try_from((frames + millis / 2) / millis).unwrap_or(u16::MAX)
    };
    let encoded = sample.sent.as_ref().map(|sent| {
        let earlier = before.sent.as_ref();
        let spent = sent.encoding.saturating_sub(earlier.map_or(Duration::ZERO, |earlier| earlier.encoding));
        Encoded {
            fps: fps(earlier.map_or(0, |earlier| earlier.frames), sent.frames),
            load_permille: u32::try_from(spent.as_millis() * 1000 / u128::from(millis)).unwrap_or(u32::MAX),
            width: sent.width,
            height: sent.height,
            source: sent.source,
            source_fps: sent.source_fps,
            lost_permille: sent.lost_permille,
            codec: sent.codec.clone(),
        }
    });
    let decoded = sample.received.as_ref().map(|received| Decoded {
        frames: received.frames,
        fps: fps(before.received.as_ref().map_or(0, |earlier| earlier.frames), received.frames),
        width: received.width,
        height: received.height,
        codec: received.codec.clone(),
    });
    Rates {
        path: path(before, sample),
        sent_bits: bits(before.media_sent, sample.media_sent),
        received_bits: bits(before.media_received, sample.media_received),
        line: sample.line,
        round_trip: sample.round_trip,
        encoded,
        decoded,
    }
}

/// The selected pair alone does not tell: its relay may be the other end's, and media can run over a pair that is not selected.
fn path(before: &Sample, sample: &Sample) -> Path {
    let over_relays = |sample: &Sample| {
        let pairs = sample.relayed.iter().chain(&sample.other_end);
        pairs.map(|pair| pair.bytes_sent + pair.bytes_received).sum::<u64>()
    };
    let grown = over_relays(sample).saturating_sub(over_relays(before));
    let relayed = sample.candidates.1 == Some(CandidateType::Relay) || grown > MEDIA_BYTES;
    if sample.path == Path::Direct && relayed { Path::Relayed } else { sample.path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::peer::PairSample;

    /// The way between two looks, a second apart.
    fn way(before: Sample, sample: Sample) -> Path {
        let at = |secs| Now::since_start(Duration::from_secs(secs));
        let mut flow = Flow::default();
        assert_eq!(flow.look(&before, at(1)), None);
        flow.look(&sample, at(2)).unwrap().path
    }

    #[test]
    fn a_relay_at_either_end_is_a_relay_whichever_pair_is_selected() {
        let direct = || Sample { path: Path::Direct, ..Sample::default() };
        let carried = |bytes_received| vec![PairSample { bytes_received, ..PairSample::default() }];
        assert_eq!(way(direct(), direct()), Path::Direct);
        let theirs = (Some(CandidateType::Host), Some(CandidateType::Relay), None);
        assert_eq!(way(direct(), Sample { candidates: theirs, ..direct() }), Path::Relayed);
        for (bytes, path) in [(MEDIA_BYTES, Path::Direct), (MEDIA_BYTES + 1, Path::Relayed)] {
            assert_eq!(way(direct(), Sample { other_end: carried(bytes), ..direct() }), path);
            assert_eq!(way(direct(), Sample { relayed: carried(bytes), ..direct() }), path);
        }
        let before = Sample { other_end: carried(9_000_000), ..direct() };
        assert_eq!(way(before.clone(), before), Path::Direct, "what a relay carried before it was left");
        let gone = Sample { other_end: carried(9_000_000), ..Sample::default() };
        assert_eq!(way(direct(), gone), Path::NotConnected);
    }
}
