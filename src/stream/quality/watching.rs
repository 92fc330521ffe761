//! A guest's side: what it sees of the film, told to the host.

use super::flow::{Flow, Rates};
use crate::domain::{ConnectionId, Now};
use crate::protocol::Seen;
use crate::stream::peer::Sample;
use crate::stream::view::ConnectionView;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a guest tells what it sees.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What a guest sees on its one connection.
#[derive(Debug, Default)]
pub struct Watching {
    of: Option<ConnectionId>,
    flow: Flow,
    rates: Option<Rates>,
    told: Option<(Now, u32)>,
    frozen: Duration,
}

impl Watching {
    /// Takes a look; gives what the host is to hear, every two seconds and as soon as there is a first picture.
    pub fn look(&mut self, id: ConnectionId, sample: &Sample, now: Now) -> Option<Seen> {
        if self.of != Some(id) {
            *self = Self { of: Some(id), ..Self::default() };
        }
        if let Some(rates) = self.flow.look(sample, now) {
            self.rates = Some(rates);
        }
        let frames = sample.received.as_ref().map_or(0, |received| received.frames);
        let (since, before) = self.told.unwrap_or((now, 0));
        let elapsed = now.since(since);
        let first = before == 0 && frames > 0;
        if self.told.is_some() && elapsed < TELL_EVERY && !first {
            return None;
        }
        self.told = Some((now, frames));
        let received = sample.received.clone().unwrap_or_default();
        let frozen = received.frozen.saturating_sub(self.frozen);
        self.frozen = received.frozen;
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let fps = if millis < 500 { 0 } else { u64::from(frames.saturating_sub(before)) * 1000 / millis };
        Some(Seen {
            frames,
            fps: u8::try_from(fps).unwrap_or(u8::MAX),
            width: received.width,
            height: received.height,
            frozen_ms: u16::try_from(frozen.as_millis()).unwrap_or(u16::MAX),
            path: sample.path,
        })
    }

    /// How the picture of this connection comes, over these relays.
    pub fn connection(&self, id: ConnectionId, relays: BTreeSet<&'static str>) -> Option<ConnectionView> {
        let rates = self.rates.as_ref().filter(|_| self.of == Some(id))?;
        let picture = rates.decoded.clone().unwrap_or_default();
        Some(ConnectionView {
            path: rates.path,
            relays,
            width: picture.width,
            height: picture.height,
            fps: picture.fps,
            bits_per_second: rates.received_bits,
            round_trip_ms: rates.round_trip.and_then(|way| u32::try_from(way.as_millis()).ok()),
            codec: picture.codec,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::peer::Received;

    #[test]
    fn the_first_picture_is_told_at_once_and_then_every_two_seconds() {
        let mut watching = Watching::default();
        let at = |millis| Now::since_start(Duration::from_millis(millis));
        let mut look = |millis, frames| {
            let received = Some(Received { frames, width: 1280, height: 720, ..Received::default() });
            watching.look(ConnectionId::from_random(1), &Sample { received, ..Sample::default() }, at(millis))
        };
        assert_eq!(look(0, 0).map(|seen| seen.frames), Some(0), "nothing yet is worth telling too");
        assert_eq!(look(1000, 3).map(|seen| seen.frames), Some(3));
        assert_eq!(look(2000, 33), None);
        assert_eq!(look(3000, 63).map(|seen| (seen.fps, seen.height)), Some((30, 720)));
    }
}
