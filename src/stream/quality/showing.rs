//! What the host is shown of all this: the upload, and how the picture goes out.

use super::Quality;
use super::guest::Guest;
use crate::domain::Now;
use crate::protocol::Path;
use crate::stream::view::{ConnectionView, Strain, UploadView};
use std::collections::BTreeSet;
use std::time::Duration;

/// In percent of what the line carries.
const TIGHT: u64 = 85;
/// A limit that was met is remembered for this long.
const REMEMBER: Duration = Duration::from_secs(20);

impl Quality {
    /// The upload, for the host.
    pub fn upload(&self, now: Now) -> Option<UploadView> {
        let rates: Vec<_> = self.guests.values().filter_map(|guest| guest.rates.as_ref()).collect();
        if rates.is_empty() {
            return None;
        }
        let used: u64 = rates.iter().map(|rates| rates.sent_bits).sum();
        // What one connection is believed to have left is left of the line that all of them share.
        let left = rates.iter().filter_map(|rates| Some(rates.line?.saturating_sub(rates.sent_bits))).max();
        let guests = || self.guests.values().filter(|guest| guest.rates.is_some());
        let lately = |guest: &Guest| guest.limited_at.is_some_and(|when| now.since(when) < REMEMBER);
        let strain = if self.moves() && guests().any(lately) {
            Strain::Full
        } else if guests().any(|guest| guest.strain_percent().is_some_and(|percent| percent >= TIGHT)) {
            Strain::Tight
        } else {
            Strain::Calm
        };
        Some(UploadView {
            used_bits: round(used),
            carries_bits: left.map(|left| round(used + left)),
            strain,
            busy: self.machine.is_busy(),
            lines: self.guests.values().map(|guest| guest.rung().min(self.top()).lines()).min(),
        })
    }

    /// How the picture goes out, over these relays.
    pub fn connection(&self, relays: BTreeSet<&'static str>) -> Option<ConnectionView> {
        let rates: Vec<_> = self.guests.values().filter_map(|guest| guest.rates.as_ref()).collect();
        // The largest picture that is sent stands for all.
        let picture =
            rates.iter().filter_map(|rates| rates.encoded.as_ref()).max_by_key(|sent| (sent.height, sent.fps))?;
        let path = |path| rates.iter().any(|rates| rates.path == path);
        Some(ConnectionView {
            path: if path(Path::Relayed) {
                Path::Relayed
            } else if path(Path::Direct) {
                Path::Direct
            } else {
                Path::NotConnected
            },
            relays,
            width: picture.width,
            height: picture.height,
            fps: picture.fps,
            bits_per_second: rates.iter().map(|rates| rates.sent_bits).sum(),
            round_trip_ms: rates
                .iter()
                .filter_map(|rates| rates.round_trip)
                .max()
                .and_then(|way| u32::try_from(way.as_millis()).ok()),
            codec: picture.codec.clone(),
        })
    }
}

/// To a tenth of a megabit: a meter that trembles tells nothing more.
fn round(bits: u64) -> u64 {
    (bits + 50_000) / 100_000 * 100_000
}
