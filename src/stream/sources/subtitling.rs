//! Subtitles between the host's library and everybody's reader, over the side channels of their connections.

use super::{Notice, Sources};
use crate::domain::{ConnectionId, Now};
use crate::protocol::{FilmState, SideMessage, limits};
use crate::stream::film::Progress;
use crate::stream::outbox::{Outbox, Output};
use crate::stream::peer::PeerCommand;
use crate::stream::playlist::Picked;
use crate::stream::sources::SourceOutput;
use crate::stream::subtitles::SubtitlesView;
use std::time::Duration;

/// While the film runs its clock is told this often.
const TELL_EVERY: Duration = Duration::from_millis(900);
/// A position this far from where it should be is told at once: a jump, or a film that stood still for want of data.
const JUMP_MS: u64 = 80;

/// What the guests know of the film's clock, and since when.
#[derive(Debug, Default)]
pub(super) struct Told {
    clock: Option<(Progress, Now)>,
}

impl Sources {
    /// A side channel is open: whoever is at its other end gets everything from the beginning.
    pub fn side_opened(&mut self, id: ConnectionId, now: Now, out: &mut Outbox) {
        self.open.retain(|other| *other != id);
        if !self.hosting {
            // A guest has one connection; what came over the former one is told again.
            self.open.clear();
        }
        self.open.push(id);
        if self.hosting {
            tell(id, &self.tracks(), out);
            if let Some((progress, when)) = &self.told.clock {
                tell(id, &clock(&moved_on(progress, now.since(*when)), now), out);
            }
        }
    }

    /// Something came over a side channel.
    pub fn side_told(&mut self, id: ConnectionId, text: &str, now: Now, out: &mut Outbox) {
        let sound = Some(text).filter(|text| text.len() <= limits::SIDE_MESSAGE_BYTES);
        // What another version says, or nobody should, is left out.
        let Some(message) = sound.and_then(|text| serde_json::from_str(text).ok()) else { return };
        if !self.hosting {
            if let Some(answer) = self.reader.told(message, now) {
                tell(id, &answer, out);
            }
        } else if let SideMessage::WantSubtitles { track } = message {
            for part in self.library.parts(track) {
                tell(id, &part, out);
            }
        }
    }

    /// Only these connections are left.
    pub fn keep_channels(&mut self, left: impl Fn(ConnectionId) -> bool) {
        self.open.retain(|id| left(*id));
    }

    pub(super) fn show_subtitles(&mut self, track: Option<u32>, now: Now, out: &mut Outbox) {
        let wanted = self.reader.choose(track, now);
        if self.hosting {
            self.read_own(now);
        } else if let (Some(message), Some(id)) = (wanted, self.open.last()) {
            tell(*id, &message, out);
        }
    }

    /// Reads these files; each belongs to the film of its name, otherwise to the one on the stage.
    pub(super) fn add_subtitles(&mut self, files: Vec<Picked>, out: &mut Outbox) {
        for file in files {
            let current = self.playlist.current().map(|film| film.id);
            if self.library.add(&file, self.playlist.items(), current) {
                out.push(Output::Source(SourceOutput::Read(file.id, None)));
            } else {
                self.notice = Some(Notice::TooManySubtitles);
                out.push(Output::Source(SourceOutput::Forget(file.id)));
            }
        }
    }

    pub(super) fn tell_tracks(&mut self, now: Now, out: &mut Outbox) {
        let tracks = self.tracks();
        for id in &self.open {
            tell(*id, &tracks, out);
        }
        if let Some((progress, when)) = &self.told.clock {
            let message = clock(&moved_on(progress, now.since(*when)), now);
            for id in &self.open {
                tell(*id, &message, out);
            }
        }
        // The host's own reader learns the same, by a shorter way.
        self.reader.told(tracks, now);
        self.read_own(now);
    }

    pub(super) fn tell_clock(&mut self, progress: Progress, now: Now, out: &mut Outbox) {
        // The host's own element is the clock: nothing lies between it and the host's eyes.
        self.reader.told_own_clock(&progress, now);
        let due = self.told.clock.as_ref().is_none_or(|(told, when)| {
            let elapsed = now.since(*when);
            let expected = moved_on(told, elapsed);
            told.state != progress.state
                || told.rate_permille != progress.rate_permille
                || expected.position_ms.abs_diff(progress.position_ms) > JUMP_MS
                || (progress.state == FilmState::Playing && elapsed >= TELL_EVERY)
        });
        if due {
            self.told.clock = Some((progress, now));
            // Without subtitles nobody asks what time it is.
            if self.library.has_any(self.playlist.current().map(|film| film.id)) {
                let message = clock(&progress, now);
                for id in &self.open {
                    tell(*id, &message, out);
                }
            }
        }
    }

    pub(super) fn subtitles_view(&self) -> SubtitlesView {
        let own = if self.hosting { self.library.own(self.current_film()) } else { Vec::new() };
        self.reader.view(own)
    }

    fn tracks(&self) -> SideMessage {
        SideMessage::SubtitleTracks { tracks: self.library.tracks(self.current_film()) }
    }

    /// The film whose subtitles are told: none while something live is on the stage.
    fn current_film(&self) -> Option<u32> {
        self.playlist.current().map(|film| film.id).filter(|_| self.live.is_none())
    }

    fn read_own(&mut self, now: Now) {
        if let Some(track) = self.reader.missing().filter(|_| self.hosting) {
            for part in self.library.parts(track) {
                self.reader.told(part, now);
            }
        }
    }
}

fn tell(id: ConnectionId, message: &SideMessage, out: &mut Outbox) {
    if let Ok(text) = serde_json::to_string(message) {
        out.peer(id, PeerCommand::Tell(text));
    }
}

fn clock(progress: &Progress, now: Now) -> SideMessage {
    SideMessage::FilmClock {
        position_ms: progress.position_ms,
        playing: progress.state == FilmState::Playing,
        rate_permille: progress.rate_permille,
        at_ms: millis(now.since(Now::default())),
    }
}

/// Where a film is this long after it said this of itself.
fn moved_on(progress: &Progress, elapsed: Duration) -> Progress {
    let moved = match progress.state {
        FilmState::Playing => millis(elapsed) * u64::from(progress.rate_permille) / 1000,
        FilmState::Paused | FilmState::Ended => 0,
    };
    Progress { position_ms: progress.position_ms.saturating_add(moved), ..*progress }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
