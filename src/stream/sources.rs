//! What the host shows and where it comes from: films in their order, screen and camera, the film to go back to after a
//! reload, and everybody's subtitles.
//!
//! Files, tracks and file handles stay with the driver, which knows them by number. What the guests are told of the film
//! itself is `film`'s business.

mod subtitling;

use super::film::{HostFilm, Progress};
use super::outbox::{Keep, Outbox, Output};
use super::playlist::{Choice, Entry, Picked, Playlist};
use super::return_to_film::KeptFilm;
use super::subtitles::{Encoding, Library, Reader, SubtitlesView};
use crate::domain::{ConnectionId, Now, Role};
use crate::protocol::{FilmState, SourceKind};
use std::time::Duration;

/// What this browser can show to others.
#[expect(clippy::struct_excessive_bools, reason = "each is an ability of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Films from disk.
    pub film: bool,
    /// Screen, window or tab.
    pub screen: bool,
    /// Camera.
    pub camera: bool,
    /// Choosing a file so that the page can find it again after a reload.
    pub open_from_disk: bool,
    /// The page came over HTTPS, or from this machine: without that there is neither screen nor camera.
    pub secure: bool,
}

/// How a film begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// Here.
    pub at_ms: u64,
    /// Standing.
    pub paused: bool,
}

/// What a person does about sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceAction {
    /// "Share screen", "Use camera".
    Share(SourceKind),
    /// "Stop sharing".
    StopSharing,
    /// "Play now".
    PlayNow(u32),
    /// "Remove" from the list.
    Remove(u32),
    /// "Open from disk…".
    OpenFromDisk,
    /// "Go on with", after a reload.
    GoOn,
    /// Shows these subtitles to this person, or none.
    ShowSubtitles(Option<u32>),
    /// The host says how a subtitle file is written.
    WrittenIn(u32, Encoding),
    /// The host takes subtitles away.
    RemoveSubtitles(u32),
}

/// What the driver reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceInput {
    /// What this browser can do.
    Abilities(Abilities),
    /// Files that take the stage.
    Chosen {
        /// The first of these at once.
        films: Vec<Picked>,
        /// Found among them.
        subtitles: Vec<Picked>,
    },
    /// Files that wait in the list, or subtitles.
    Added {
        /// At the end of the list.
        films: Vec<Picked>,
        /// For the film of their name, otherwise for the one on the stage.
        subtitles: Vec<Picked>,
    },
    /// Screen or camera is on the stage.
    Shared(SourceKind),
    /// Screen or camera could not be had.
    Refused(SourceKind, Refusal),
    /// Screen or camera ended by itself: the browser's own bar, or a device that was pulled out.
    SharingEnded,
    /// A subtitle file as text.
    SubtitleRead {
        /// Which file.
        id: u32,
        /// As it was read.
        encoding: Encoding,
        /// What stands in it.
        text: String,
    },
    /// A subtitle file that cannot be read.
    SubtitleUnreadable(u32),
    /// A handle on this file outlived the reload.
    HandleKept(String),
    /// The handle leads nowhere any more, or may not be used.
    HandleLost,
    /// How long a guest's frames wait between their arrival and the screen.
    Playout(Duration),
}

/// Why screen or camera could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The person, the browser or the system said no.
    Denied,
    /// There is no such device.
    NoDevice,
    /// Another program has it.
    Busy,
    /// The page came over plain HTTP.
    Insecure,
    /// This browser cannot do it.
    Unsupported,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceOutput {
    /// Put this film on the stage.
    Play(u32, Start),
    /// Ask the person for their screen or camera.
    Open(SourceKind),
    /// Take screen or camera off the stage.
    Stop,
    /// Let go of this file.
    Forget(u32),
    /// Ask the person for a file, with a handle.
    OpenFromDisk,
    /// Use the handle that outlived the reload.
    GoOn,
    /// Look for a handle that outlived the reload.
    FindHandle,
    /// Read a subtitle file; without an encoding as it seems to be written.
    Read(u32, Option<Encoding>),
}

/// Something that the host should know about what they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Screen or camera could not be had.
    Refused(SourceKind, Refusal),
    /// Screen or camera ended.
    SharingEnded(SourceKind),
    /// The list holds no more films.
    ListFull,
    /// A subtitle file cannot be read, or is too large.
    SubtitleUnreadable(String),
    /// A subtitle file in which there are no subtitles.
    SubtitleEmpty(String),
    /// A film has no more room for subtitles.
    TooManySubtitles,
    /// The film of before the reload is not where it was, or may not be read.
    HandleLost,
}

/// What the pages show of all this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourcesView {
    /// What this browser can do.
    pub abilities: Abilities,
    /// What is live on the stage.
    pub live: Option<SourceKind>,
    /// The host's films, where there are several.
    pub playlist: Vec<Entry>,
    /// The title of the film that starts in a moment.
    pub upcoming: Option<String>,
    /// The film to go back to after a reload.
    pub returning: Option<ReturnView>,
    /// For the host.
    pub notice: Option<Notice>,
    /// For the host: this browser has no way to stream a film.
    pub cannot_stream: bool,
    /// For everybody.
    pub subtitles: SubtitlesView,
}

/// The film to go back to after a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnView {
    /// The file's name without its ending.
    pub title: String,
    /// Where it goes on.
    pub position_ms: u64,
    /// One press brings it back.
    pub has_handle: bool,
}

/// What the host shows, and everybody's subtitles.
#[derive(Debug, Default)]
pub struct Sources {
    /// `None` until the driver has looked.
    abilities: Option<Abilities>,
    playlist: Playlist,
    live: Option<SourceKind>,
    /// Where films were when screen or camera took their place.
    left_at: Vec<(u32, Start)>,
    back: Option<KeptFilm>,
    has_handle: bool,
    kept: Option<KeptFilm>,
    notice: Option<Notice>,
    library: Library,
    reader: Reader,
    /// Whether the library is this person's own.
    hosting: bool,
    /// The side channels that are open.
    open: Vec<ConnectionId>,
    told: subtitling::Told,
}

impl Sources {
    /// Takes what a person did.
    pub fn act(&mut self, action: SourceAction, film: &mut HostFilm, now: Now, out: &mut Outbox) {
        if let SourceAction::ShowSubtitles(track) = action {
            self.show_subtitles(track, now, out);
            return;
        }
        if !self.hosting {
            return;
        }
        match action {
            SourceAction::Share(kind) => {
                self.notice = None;
                out.push(Output::Source(SourceOutput::Open(kind)));
            }
            SourceAction::StopSharing => self.sharing_ended(None, film, now, out),
            SourceAction::PlayNow(id) => {
                if self.playlist.play(id) {
                    self.play(id, out);
                }
            }
            SourceAction::Remove(id) => {
                if self.playlist.remove(id) {
                    self.forget([id], out);
                }
            }
            SourceAction::OpenFromDisk => out.push(Output::Source(SourceOutput::OpenFromDisk)),
            SourceAction::GoOn => out.push(Output::Source(SourceOutput::GoOn)),
            SourceAction::WrittenIn(id, encoding) => out.push(Output::Source(SourceOutput::Read(id, Some(encoding)))),
            SourceAction::RemoveSubtitles(id) => {
                self.library.remove(id);
                out.push(Output::Source(SourceOutput::Forget(id)));
                self.tell_tracks(now, out);
            }
            SourceAction::ShowSubtitles(_) => {}
        }
    }

    /// Takes what the driver reports.
    pub fn take(&mut self, input: SourceInput, film: &mut HostFilm, now: Now, out: &mut Outbox) {
        match input {
            SourceInput::Abilities(abilities) => self.abilities = Some(abilities),
            SourceInput::Playout(delay) => self.reader.playout(delay),
            SourceInput::HandleKept(name) => {
                self.has_handle = self.back.as_ref().is_some_and(|back| back.name == name);
            }
            SourceInput::HandleLost => {
                self.has_handle = false;
                self.notice = Some(Notice::HandleLost);
            }
            SourceInput::Chosen { films, subtitles } => {
                self.notice = None;
                let choice = self.playlist.choose(films);
                self.chosen(choice, out);
                self.add_subtitles(subtitles, out);
            }
            SourceInput::Added { films, subtitles } => {
                self.notice = None;
                let choice =
                    if self.live.is_some() { self.playlist.add_waiting(films) } else { self.playlist.add(films, now) };
                self.chosen(choice, out);
                self.add_subtitles(subtitles, out);
            }
            SourceInput::Shared(kind) => {
                self.leave_film(film);
                self.playlist.rest();
                (self.live, self.notice, self.back) = (Some(kind), None, None);
                film.shared(kind);
                self.keep(None, out);
                self.tell_tracks(now, out);
            }
            SourceInput::Refused(kind, refusal) => self.notice = Some(Notice::Refused(kind, refusal)),
            SourceInput::SharingEnded => {
                let notice = self.live.map(Notice::SharingEnded);
                self.sharing_ended(notice, film, now, out);
            }
            SourceInput::SubtitleRead { id, encoding, text } => {
                self.notice = self.library.read(id, encoding, &text).err();
                self.tell_tracks(now, out);
            }
            SourceInput::SubtitleUnreadable(id) => {
                self.notice = self.library.name(id).map(Notice::SubtitleUnreadable);
                self.library.remove(id);
                out.push(Output::Source(SourceOutput::Forget(id)));
            }
        }
    }

    /// A film from the list is on the stage.
    pub fn film_started(&mut self, film: &HostFilm, now: Now, out: &mut Outbox) {
        (self.live, self.back, self.has_handle) = (None, None, false);
        self.playlist.goes_on();
        self.keep_film(film, out);
        self.tell_tracks(now, out);
    }

    /// The film on the stage moved on, was paused, or is over.
    pub fn film_progressed(&mut self, progress: Progress, film: &HostFilm, now: Now, out: &mut Outbox) {
        if self.live.is_some() || self.back.is_some() {
            return;
        }
        match progress.state {
            FilmState::Ended => self.playlist.over(now),
            FilmState::Playing => self.playlist.goes_on(),
            FilmState::Paused => {}
        }
        let stale = self.kept.as_ref().is_none_or(|kept| {
            kept.position_ms.abs_diff(progress.position_ms) >= 1000
                || kept.playing != (progress.state == FilmState::Playing)
        });
        if stale {
            self.keep_film(film, out);
        }
        self.tell_clock(progress, now, out);
    }

    /// The film on the stage does not play.
    pub fn film_failed(&mut self, now: Now, out: &mut Outbox) {
        self.live = None;
        self.playlist.over(now);
        self.keep(None, out);
    }

    /// This page came back as the host's after a reload, and this is what its tab kept.
    pub fn came_back(&mut self, kept: Option<KeptFilm>, film: &mut HostFilm, out: &mut Outbox) {
        if let Some(kept) = kept {
            film.awaited(&kept);
            self.back = Some(kept);
            out.push(Output::Source(SourceOutput::FindHandle));
        }
    }

    /// What this person is in the session.
    pub fn is(&mut self, role: Option<Role>) {
        self.hosting = role == Some(Role::Host);
    }

    /// The session is over for them.
    pub fn over(&mut self, out: &mut Outbox) {
        let abilities = self.abilities;
        *self = Self { abilities, ..Self::default() };
        out.push(Output::Keep(Keep::Film(None)));
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, out: &mut Outbox) {
        if let Some(id) = self.playlist.tick(now) {
            self.play(id, out);
        }
        self.reader.tick(now);
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        [self.playlist.next_timeout(), self.reader.next_timeout()].into_iter().flatten().min()
    }

    /// What the pages show.
    pub fn view(&self) -> SourcesView {
        let playlist = self.playlist.entries();
        let returning = self.back.as_ref().map(|back| ReturnView {
            title: super::film::title(&back.name),
            position_ms: back.position_ms,
            has_handle: self.has_handle,
        });
        SourcesView {
            abilities: self.abilities.unwrap_or_default(),
            cannot_stream: self.hosting && self.abilities.is_some_and(|abilities| !abilities.film),
            live: self.live,
            // One film alone is no list, unless something else is on the stage.
            playlist: if playlist.len() > 1 || self.live.is_some() { playlist } else { Vec::new() },
            upcoming: self.playlist.upcoming(),
            returning,
            notice: self.notice.clone(),
            subtitles: self.subtitles_view(),
        }
    }

    fn chosen(&mut self, choice: Choice, out: &mut Outbox) {
        if choice.full {
            self.notice = Some(Notice::ListFull);
        }
        if let Some(id) = choice.play {
            self.play(id, out);
        }
        self.forget(choice.forget, out);
    }

    fn play(&mut self, id: u32, out: &mut Outbox) {
        let same = self.back.as_ref().filter(|back| self.playlist.current().is_some_and(|film| back.is(film)));
        let back = same.map(|back| Start { at_ms: back.position_ms, paused: !back.playing });
        let left = self.left_at.iter().position(|(other, _)| *other == id).map(|at| self.left_at.remove(at).1);
        out.push(Output::Source(SourceOutput::Play(id, back.or(left).unwrap_or_default())));
    }

    fn forget(&mut self, ids: impl IntoIterator<Item = u32>, out: &mut Outbox) {
        for id in ids {
            self.left_at.retain(|(other, _)| *other != id);
            for track in self.library.remove_film(id) {
                out.push(Output::Source(SourceOutput::Forget(track)));
            }
            out.push(Output::Source(SourceOutput::Forget(id)));
        }
    }

    /// The film makes room for something live, and keeps its place.
    fn leave_film(&mut self, film: &HostFilm) {
        let status = film.status().filter(|status| !status.kind.is_live() && status.state != FilmState::Ended);
        if let (Some(current), Some(status)) = (self.playlist.current(), status) {
            self.left_at.push((current.id, Start { at_ms: status.position_ms, paused: false }));
        }
    }

    fn sharing_ended(&mut self, notice: Option<Notice>, film: &mut HostFilm, now: Now, out: &mut Outbox) {
        if self.live.take().is_some() {
            self.notice = notice;
            film.stopped();
            out.push(Output::Source(SourceOutput::Stop));
            self.tell_tracks(now, out);
        }
    }

    fn keep_film(&mut self, film: &HostFilm, out: &mut Outbox) {
        let kept = self.playlist.current().zip(film.status()).map(|(item, status)| KeptFilm {
            name: item.name.clone(),
            size: item.size,
            number: status.number,
            position_ms: if status.state == FilmState::Ended { 0 } else { status.position_ms },
            duration_ms: status.duration_ms,
            playing: status.state == FilmState::Playing,
        });
        self.keep(kept, out);
    }

    fn keep(&mut self, kept: Option<KeptFilm>, out: &mut Outbox) {
        self.kept.clone_from(&kept);
        out.push(Output::Keep(Keep::Film(kept)));
    }
}

#[cfg(test)]
mod tests;
