//! What flows through one connection in a second, from counters that run from its beginning.

use crate::domain::Now;
use crate::protocol::Path;
use crate::stream::peer::Sample;
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
        path: sample.path,
        sent_bits: bits(before.media_sent, sample.media_sent),
        received_bits: bits(before.media_received, sample.media_received),
        line: sample.line,
        round_trip: sample.round_trip,
        encoded,
        decoded,
    }
}
