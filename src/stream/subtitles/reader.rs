//! One person's subtitles: which track they chose, its cues as they arrive, and the lines of this moment.
//!
//! # In time with the picture
//! The host tells where its film is; the guest moves that on by itself. What the guest sees is older than what the host
//! sees, by the way (which the clock's messages take as well, so it cancels out) and by the time that frames wait
//! at the guest before they are shown. So the line of a moment is that of
//! *position told + time since then − the wait for frames*. A message that was held up on the way, lost and sent again
//! for example, would set the clock back; the host's time in it shows that, against the fastest message lately.

use super::encoding::Encoding;
use super::library::OwnTrack;
use super::parser::END_OF_TIME;
use super::text::{Span, spans};
use crate::domain::Now;
use crate::protocol::{Cue, FilmState, SideMessage, SubtitleTrack, limits};
use crate::stream::film::Progress;
use std::time::Duration;

/// Until the browser says how long frames wait: what most of them wait on a quiet line.
const PLAYOUT: Duration = Duration::from_millis(100);
/// No estimate beyond this is believed.
const LONGEST_PLAYOUT: Duration = Duration::from_secs(2);
/// The fastest way is forgotten so much with every message, so that two clocks may drift apart.
const FORGET_MS: i64 = 3;
/// The most lines at once, the newest of those that overlap.
const AT_ONCE: usize = 4;

/// What one person sees of subtitles.
#[derive(Debug, Default)]
pub struct Reader {
    tracks: Vec<SubtitleTrack>,
    /// By name, so that the choice outlives a reload of the host and goes on with the next film of a series.
    wanted: Option<String>,
    track: Option<u32>,
    cues: Vec<Cue>,
    /// The part that comes next; `None` when all are here.
    next_part: Option<u32>,
    clock: Option<Clock>,
    playout: Option<Duration>,
    fastest_ms: Option<i64>,
    shown: Vec<usize>,
    change_at: Option<Now>,
}

#[derive(Debug, Clone, Copy)]
struct Clock {
    position_ms: u64,
    at: Now,
    playing: bool,
    rate_permille: u16,
    /// The host sees its own element: nothing waits.
    own: bool,
}

/// What the pages show of subtitles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubtitlesView {
    /// What there is to choose from.
    pub tracks: Vec<SubtitleTrack>,
    /// What this person chose.
    pub chosen: Option<u32>,
    /// What is said now, each with its lines.
    pub lines: Vec<Vec<Span>>,
    /// The host's files.
    pub own: Vec<OwnTrack>,
}

impl OwnTrack {
    /// Whether it was read like this.
    pub fn is_written_in(&self, encoding: Encoding) -> bool {
        self.encoding == encoding
    }
}

impl Reader {
    /// This person chooses a track, or none; what is to be said to the host.
    pub fn choose(&mut self, track: Option<u32>, now: Now) -> Option<SideMessage> {
        let track = self.tracks.iter().find(|known| Some(known.id) == track);
        self.wanted = track.map(|track| track.name.clone());
        let id = track.map(|track| track.id);
        self.take_track(id, now)
    }

    /// Something from the host; what is to be said to it.
    pub fn told(&mut self, message: SideMessage, now: Now) -> Option<SideMessage> {
        match message {
            SideMessage::SubtitleTracks { mut tracks } => {
                tracks.truncate(limits::SUBTITLE_TRACKS);
                for track in &mut tracks {
                    track.name = track.name.chars().take(limits::TITLE_CHARS).collect();
                }
                self.tracks = tracks;
                let track = self.wanted.as_ref().and_then(|wanted| self.like(wanted)).map(|track| track.id);
                self.take_track(track, now)
            }
            SideMessage::Cues { track, part, parts, cues } => {
                self.take_part(track, part, parts, cues);
                self.refresh(now);
                None
            }
            SideMessage::FilmClock { position_ms, playing, rate_permille, at_ms } => {
                let held_up = self.held_up(at_ms, now);
                let position_ms = position_ms.min(END_OF_TIME) + if playing { held_up } else { 0 };
                self.set_clock(Clock { position_ms, at: now, playing, rate_permille, own: false });
                self.refresh(now);
                None
            }
            // Guests ask, hosts answer.
            SideMessage::WantSubtitles { .. } => None,
        }
    }

    /// The host's own element says where it is.
    pub fn told_own_clock(&mut self, progress: &Progress, now: Now) {
        self.set_clock(Clock {
            position_ms: progress.position_ms.min(END_OF_TIME),
            at: now,
            playing: progress.state == FilmState::Playing,
            rate_permille: progress.rate_permille,
            own: true,
        });
        self.refresh(now);
    }

    /// So long frames wait before they are shown.
    pub fn playout(&mut self, wait: Duration) {
        let wait = wait.min(LONGEST_PLAYOUT);
        self.playout = Some(self.playout.map_or(wait, |known| (known * 3 + wait) / 4));
    }

    /// The track whose cues are missing altogether.
    pub fn missing(&self) -> Option<u32> {
        self.track.filter(|_| self.cues.is_empty())
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now) {
        if self.change_at.is_some_and(|at| at <= now) {
            self.refresh(now);
        }
    }

    /// When other lines are due.
    pub fn next_timeout(&self) -> Option<Now> {
        self.change_at
    }

    /// What the pages show; `own` are the host's files.
    pub fn view(&self, own: Vec<OwnTrack>) -> SubtitlesView {
        let lines = self.shown.iter().filter_map(|place| self.cues.get(*place)).map(|cue| spans(&cue.text)).collect();
        SubtitlesView { tracks: self.tracks.clone(), chosen: self.track, lines, own }
    }

    /// The track of this name, or the one in the same language: names of a series differ before their last ending.
    fn like(&self, wanted: &str) -> Option<&SubtitleTrack> {
        let language = |name: &str| name.rsplit_once('.').map(|(_, language)| language.to_lowercase());
        let same_language = || {
            let wanted = language(wanted)?;
            self.tracks.iter().find(|track| language(&track.name).as_ref() == Some(&wanted))
        };
        self.tracks
            .iter()
            .find(|track| track.name == wanted)
            .or_else(same_language)
            .or_else(|| self.tracks.first().filter(|_| self.tracks.len() == 1))
    }

    fn take_track(&mut self, track: Option<u32>, now: Now) -> Option<SideMessage> {
        self.track = track;
        self.cues.clear();
        self.next_part = track.map(|_| 0);
        self.refresh(now);
        track.map(|track| SideMessage::WantSubtitles { track })
    }

    fn take_part(&mut self, track: u32, part: u32, parts: u32, mut cues: Vec<Cue>) {
        if self.track != Some(track) {
            return;
        }
        if part == 0 {
            self.cues.clear();
        } else if self.next_part != Some(part) {
            return;
        }
        cues.retain(|cue| cue.start_ms < cue.end_ms && cue.end_ms <= END_OF_TIME);
        let bytes: usize = self.cues.iter().map(|cue| cue.text.len()).sum();
        cues.truncate(limits::SUBTITLE_CUES.saturating_sub(self.cues.len()));
        if bytes <= limits::SUBTITLE_BYTES {
            self.cues.append(&mut cues);
        }
        // The host sorts them; a host that does not costs nobody a panic.
        if !self.cues.is_sorted_by_key(|cue| cue.start_ms) {
            self.cues.sort_by_key(|cue| cue.start_ms);
        }
        self.next_part = (part + 1 < parts).then_some(part + 1);
    }

    /// By how much a message took longer than the fastest one lately.
    fn held_up(&mut self, sent_ms: u64, now: Now) -> u64 {
        let took = whole_ms(now.since(Now::default())).saturating_sub(ms(sent_ms));
        let fastest = self.fastest_ms.map_or(took, |fastest| took.min(fastest.saturating_add(FORGET_MS)));
        self.fastest_ms = Some(fastest);
        // Another host's clock, after a reload, is no delay of a minute.
        let late = u64::try_from(took.saturating_sub(fastest)).unwrap_or(0);
        if late > 10_000 {
            self.fastest_ms = Some(took);
            return 0;
        }
        late
    }

    fn set_clock(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    fn refresh(&mut self, now: Now) {
        self.shown.clear();
        self.change_at = None;
        let Some(clock) = self.clock.filter(|_| !self.cues.is_empty()) else { return };
        let position = clock.position(now, self.playout.unwrap_or(PLAYOUT));
        let begun = self.cues.partition_point(|cue| ms(cue.start_ms) <= position);
        let running = |place: &usize| ms(self.cues[*place].end_ms) > position;
        self.shown.extend((0..begun).filter(running));
        let ends = self.shown.iter().map(|place| self.cues[*place].end_ms);
        let change = ends.chain(self.cues.get(begun).map(|cue| cue.start_ms)).min();
        let first = self.shown.len().saturating_sub(AT_ONCE);
        self.shown.drain(..first);
        if let Some(change) = change.filter(|_| clock.playing && clock.rate_permille > 0) {
            let film = Duration::from_millis(ms(change).saturating_sub(position).unsigned_abs());
            // One more millisecond, since the division rounds down.
            self.change_at = Some(now + film * 1000 / u32::from(clock.rate_permille) + Duration::from_millis(1));
        }
    }
}

impl Clock {
    /// What is on the screen; before the beginning while the first frames are on their way.
    fn position(&self, now: Now, playout: Duration) -> i64 {
        let position = ms(self.position_ms);
        if !self.playing {
            return position;
        }
        let wait = if self.own { Duration::ZERO } else { playout };
        let real = whole_ms(now.since(self.at)).saturating_sub(whole_ms(wait));
        position.saturating_add(real.saturating_mul(i64::from(self.rate_permille)) / 1000)
    }
}

fn ms(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
