//! The host's film as the guests hear of it: when its state is worth telling, and where it is meanwhile.

use super::return_to_film::KeptFilm;
use crate::domain::Now;
use crate::protocol::{FilmState, FilmStatus, SourceKind, limits};
use std::time::Duration;

/// While the film plays its position is told this often.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// A position this far from where it should be is a seek.
const SEEK: Duration = Duration::from_millis(1500);

/// The host's film.
#[derive(Debug, Default)]
pub struct HostFilm {
    number: u32,
    status: Option<FilmStatus>,
    /// What the guests know, and since when.
    told: Option<(Option<FilmStatus>, Now)>,
}

/// What the host's `<video>` says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// `currentTime`.
    pub position_ms: u64,
    /// `duration`, where it is finite.
    pub duration_ms: Option<u64>,
    /// From `paused` and `ended`.
    pub state: FilmState,
    /// `playbackRate` in thousandths.
    pub rate_permille: u16,
}

impl HostFilm {
    /// Another film, by its file's name.
    pub fn chosen(&mut self, file: &str, progress: Progress) {
        self.number += 1;
        self.status = Some(FilmStatus {
            number: self.number,
            title: title(file),
            position_ms: progress.position_ms,
            duration_ms: progress.duration_ms,
            state: progress.state,
            kind: SourceKind::Film,
            returning: false,
        });
    }

    /// Something live instead of a film.
    pub fn shared(&mut self, kind: SourceKind) {
        self.number += 1;
        let title = match kind {
            SourceKind::Film => "",
            SourceKind::Screen => "Screen",
            SourceKind::Camera => "Camera",
        };
        self.status = Some(FilmStatus {
            number: self.number,
            title: title.to_owned(),
            position_ms: 0,
            duration_ms: None,
            state: FilmState::Playing,
            kind,
            returning: false,
        });
    }

    /// The page was loaded anew, and this is the film that the host has to bring back.
    pub fn awaited(&mut self, kept: &KeptFilm) {
        self.number = kept.number;
        self.status = Some(FilmStatus {
            number: kept.number,
            title: title(&kept.name),
            position_ms: kept.position_ms,
            duration_ms: kept.duration_ms,
            state: FilmState::Paused,
            kind: SourceKind::Film,
            returning: true,
        });
    }

    /// The film moved on, was paused, or jumped.
    pub fn progressed(&mut self, progress: Progress) {
        // What is live has no position, and an element that is paused here holds nothing for the guests.
        if let Some(status) = self.status.as_mut().filter(|status| !status.kind.is_live() && !status.returning) {
            status.position_ms = progress.position_ms;
            status.duration_ms = progress.duration_ms;
            status.state = progress.state;
        }
    }

    /// Nothing plays any more; the next film gets the next number.
    pub fn stopped(&mut self) {
        self.status = None;
    }

    /// What the guests are to be told now, if anything: the film, or that there is none any more.
    pub fn news(&mut self, now: Now) -> Option<Option<FilmStatus>> {
        let stale = match (&self.told, &self.status) {
            (None, None) => self.number > 0,
            (None, Some(_)) => true,
            (Some((told, when)), status) => match (told, status) {
                (None, None) => false,
                (Some(told), Some(status)) => is_news(told, status, now.since(*when)),
                (None, Some(_)) | (Some(_), None) => true,
            },
        };
        stale.then(|| {
            self.told = Some((self.status.clone(), now));
            self.status.clone()
        })
    }

    /// The line to the server is back: the next `news` tells everything.
    pub fn forget_told(&mut self) {
        self.told = None;
    }

    /// The film now.
    pub fn status(&self) -> Option<&FilmStatus> {
        self.status.as_ref()
    }
}

/// Whether guests who were told this so long ago see something else than what is.
fn is_news(told: &FilmStatus, status: &FilmStatus, elapsed: Duration) -> bool {
    let changed = told.number != status.number
        || told.state != status.state
        || told.duration_ms != status.duration_ms
        || told.returning != status.returning;
    let due = status.state == FilmState::Playing && !status.kind.is_live() && elapsed >= TELL_EVERY;
    let drift = Duration::from_millis(told.position_after(elapsed).abs_diff(status.position_ms));
    changed || due || drift > SEEK
}

/// A title that people recognise: the file's name without its ending.
pub(super) fn title(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, ending)| {
        let is_ending = (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_ending && !stem.is_empty() { stem } else { file }
    });
    stem.chars().filter(|c| !c.is_control()).take(limits::TITLE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Now {
        Now::since_start(Duration::from_millis(millis))
    }

    fn playing(position_ms: u64) -> Progress {
        Progress { position_ms, duration_ms: Some(60_000), state: FilmState::Playing, rate_permille: 1000 }
    }

    #[test]
    fn a_playing_film_is_told_every_five_seconds_and_a_seek_at_once() {
        let mut film = HostFilm::default();
        film.chosen("A film.mp4", playing(0));
        assert_eq!(film.news(at(0)).flatten().map(|news| news.title), Some("A film".to_owned()));
        film.progressed(playing(1000));
        assert_eq!(film.news(at(1000)), None);
        film.progressed(playing(30_000));
        assert!(film.news(at(1200)).is_some(), "a seek");
        film.progressed(playing(35_000));
        assert!(film.news(at(6200)).is_some(), "five seconds on");
    }

    #[test]
    fn a_pause_and_another_film_are_told_at_once() {
        let mut film = HostFilm::default();
        film.chosen("one.mp4", playing(0));
        film.news(at(0));
        film.progressed(Progress { state: FilmState::Paused, ..playing(100) });
        assert_eq!(film.news(at(100)).flatten().map(|news| news.state), Some(FilmState::Paused));
        film.progressed(Progress { state: FilmState::Paused, ..playing(100) });
        assert_eq!(film.news(at(60_000)), None, "a paused film has no news");
        film.chosen("two.mp4", playing(0));
        assert_eq!(film.news(at(60_000)).flatten().map(|news| news.number), Some(2));
    }

    #[test]
    fn a_film_that_breaks_is_told_once() {
        let mut film = HostFilm::default();
        assert_eq!(film.news(at(0)), None, "no film yet is no news");
        film.chosen("one.mp4", playing(0));
        film.news(at(0));
        film.stopped();
        assert_eq!(film.news(at(10)), Some(None));
        assert_eq!(film.news(at(20)), None);
        film.forget_told();
        assert_eq!(film.news(at(30)), Some(None), "a line that was away may have missed it");
    }

    #[test]
    fn what_is_live_is_told_once_and_has_no_position() {
        let mut film = HostFilm::default();
        film.shared(SourceKind::Screen);
        assert_eq!(
            film.news(at(0)).flatten().map(|news| (news.kind, news.title)),
            Some((SourceKind::Screen, "Screen".to_owned()))
        );
        film.progressed(Progress { state: FilmState::Paused, ..playing(9_000) });
        assert_eq!(film.news(at(60_000)), None);
        film.stopped();
        assert_eq!(film.news(at(60_000)), Some(None));
    }

    #[test]
    fn titles_lose_only_real_endings() {
        for (file, expected) in
            [("a.b.mkv", "a.b"), (".hidden", ".hidden"), ("no ending", "no ending"), ("St. Elsewhere", "St. Elsewhere")]
        {
            assert_eq!(title(file), expected);
        }
    }

    #[test]
    fn a_position_stops_at_the_end() {
        let status = FilmStatus {
            number: 1,
            title: String::new(),
            position_ms: 59_000,
            duration_ms: Some(60_000),
            state: FilmState::Playing,
            kind: SourceKind::Film,
            returning: false,
        };
        assert_eq!(status.position_after(Duration::from_secs(10)), 60_000);
    }
}
