//! The host's film: a file on their disk, played by the one `<video>` and captured from it.

use super::canvas::Still;
use super::capture::Capture;
use super::stage::Stage;
use crate::browser::event::Events;
use crate::browser::peer::Tracks;
use crate::browser::sys;
use crate::protocol::FilmState;
use crate::stream::{FilmFault, FilmProblem, Input, Progress, Start};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlVideoElement, Url};

/// An object URL that is given back when its film goes.
struct ObjectUrl(String);

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// The film on the stage.
pub struct Film {
    file: File,
    _url: ObjectUrl,
    loaded: bool,
    capture: Option<Capture>,
    /// What is sent between its end and its next beginning.
    still: Option<Still>,
    tracks: Tracks,
}

impl Film {
    /// Puts a file on the stage in place of `former`, whose capture goes on, and starts to play it.
    pub fn start(file: File, start: Start, former: Option<Self>, stage: &Stage) -> Option<Self> {
        let url = ObjectUrl(Url::create_object_url_with_blob(&file).ok()?);
        let capture = former.and_then(|former| former.capture).map(Capture::before_another_film);
        let video = &stage.video;
        video.set_src_object(None);
        // A film that begins standing shows its picture all the same.
        video.set_preload("auto");
        video.set_src(&url.0);
        if start.at_ms > 0 {
            // Before the length is known this is where the element begins (HTML, default playback start position).
            #[expect(clippy::cast_precision_loss, reason = "a film's length in ms is far below 2^52")]
            video.set_current_time(start.at_ms as f64 / 1000.0);
        }
        if start.paused {
            let _ = video.pause();
        } else {
            play(video);
        }
        Some(Self { file, _url: url, loaded: false, capture, still: None, tracks: Tracks::default() })
    }

    /// Goes on where it was, on another element: a capture belongs to the one that it was taken from.
    pub fn move_to(self, stage: &Stage, position: f64) -> Option<Self> {
        let film = Self::start(self.file, Start::default(), None, stage);
        stage.video.set_current_time(position);
        film
    }

    /// The element fired an event: what the core is to know.
    pub fn heard(&mut self, event: &str, stage: &Stage, events: &Events) {
        let video = &stage.video;
        match event {
            "error" => {
                events.input(Input::FilmFailed(FilmProblem { file: self.file.name(), fault: fault(video) }));
            }
            "loadeddata" if !self.loaded => {
                self.capture = self.capture.take().or_else(|| Capture::of(stage, events));
                self.loaded = self.capture.is_some();
                events.input(if self.loaded {
                    Input::FilmChosen(self.file.name(), progress(video))
                } else {
                    Input::CannotCapture
                });
            }
            // On its way to another place the element names that place and still shows the old one.
            _ if self.loaded && !video.seeking() => events.input(Input::FilmProgress(progress(video))),
            _ => {}
        }
    }

    /// The tracks to send now, where they changed.
    pub fn new_tracks(&mut self, stage: &Stage) -> Option<Tracks> {
        if !self.loaded {
            return None;
        }
        // Whether the element's own tracks are over by the time that it says so is left to chance.
        let ended = stage.video.ended() && stage.video.video_width() > 0;
        let capture = self.capture.as_mut()?;
        let captured = capture.tracks();
        let tracks = if ended && capture.ends_with_film() {
            self.still = self.still.take().or_else(|| Still::of(&stage.video));
            self.still.as_ref()?.tracks()
        } else if captured.video.is_some() || captured.audio.is_some() {
            self.still = None;
            captured
        } else {
            // Sought after its end, and not played yet: the picture follows.
            self.still.as_ref()?.tracks()
        };
        if tracks == self.tracks {
            return None;
        }
        if self.still.is_none() {
            capture.keep_only(&tracks);
        }
        if let Some(video) = &tracks.video {
            super::hint(video, "motion");
        }
        self.tracks = tracks.clone();
        Some(tracks)
    }

    /// The tracks that are being sent.
    pub fn tracks(&self) -> Tracks {
        self.tracks.clone()
    }
}

/// Plays; where the browser demands a press before there is sound, the host's own loudspeaker is muted. The guests hear
/// the film all the same: captured tracks keep their sound.
fn play(video: &HtmlVideoElement) {
    let video = video.clone();
    leptos::task::spawn_local(async move {
        let Ok(playing) = video.play() else { return };
        let Err(refused) = JsFuture::from(playing).await else {
            return;
        };
        if sys::error_name(&refused) == "NotAllowedError" {
            video.set_muted(true);
            if let Ok(playing) = video.play() {
                let _ = JsFuture::from(playing).await;
            }
        }
    });
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a film's length in ms fits by far")]
fn progress(video: &HtmlVideoElement) -> Progress {
    let millis = |seconds: f64| (seconds.max(0.0) * 1000.0) as u64;
    let duration = video.duration();
    let state = if video.ended() {
        FilmState::Ended
    } else if video.paused() {
        FilmState::Paused
    } else {
        FilmState::Playing
    };
    Progress {
        position_ms: millis(video.current_time()),
        duration_ms: duration.is_finite().then(|| millis(duration)),
        state,
        rate_permille: (video.playback_rate().clamp(0.0, 16.0) * 1000.0) as u16,
    }
}

/// Why the element does not play the file (HTML, `MediaError`).
fn fault(video: &HtmlVideoElement) -> FilmFault {
    match video.error().map(|error| error.code()) {
        Some(2) => FilmFault::Unreadable,
        Some(3) => FilmFault::Damaged,
        _ => FilmFault::UnknownFormat,
    }
}
