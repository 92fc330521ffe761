//! The host's film: a file on their disk, played by the one `<video>` and captured from it.
//!
//! What Chromium does to captured tracks: at the film's end they end, and playing again brings new ones; after a change of
//! `src` the captured stream holds old and new ones side by side. So after each of the element's events the newest live
//! tracks are taken, and those before them are stopped.

use super::event::{Event, Events};
use super::peer::Tracks;
use super::sys;
use crate::protocol::FilmState;
use crate::stream::{FilmFault, FilmProblem, Input, Progress};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlVideoElement, MediaStream, MediaStreamTrack, MediaStreamTrackState, Url};

/// The element's events that say something about the film.
const SAYS: [&str; 10] = [
    "loadedmetadata",
    "loadeddata",
    "playing",
    "play",
    "pause",
    "seeked",
    "ended",
    "timeupdate",
    "durationchange",
    "error",
];

/// The stage's `<video>` and its listeners.
pub struct Stage {
    /// The element.
    pub video: HtmlVideoElement,
    listener: Closure<dyn FnMut(JsValue)>,
}

impl Stage {
    /// Listens to the element.
    pub fn mount(video: HtmlVideoElement, events: &Events) -> Self {
        let listener = events.listener(|event| Some(Event::Stage(event.dyn_into::<web_sys::Event>().ok()?.type_())));
        for name in SAYS {
            let _ = video.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
        Self { video, listener }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for name in SAYS {
            let _ = self.video.remove_event_listener_with_callback(name, self.listener.as_ref().unchecked_ref());
        }
    }
}

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
    tracks: Tracks,
}

/// What the element plays, and the tracks in it that belong to the film before this one.
struct Capture {
    stream: MediaStream,
    stale: Vec<String>,
    _listener: Closure<dyn FnMut(JsValue)>,
}

impl Film {
    /// Puts a file on the stage in place of `former` and starts to play it.
    pub fn start(file: File, former: Option<Self>, stage: &Stage) -> Option<Self> {
        let url = ObjectUrl(Url::create_object_url_with_blob(&file).ok()?);
        let capture = former.and_then(|former| former.capture).map(|mut capture| {
            capture.stale = live_tracks(&capture.stream).map(|track| track.id()).collect();
            capture
        });
        stage.video.set_src_object(None);
        stage.video.set_src(&url.0);
        play(&stage.video);
        Some(Self { file, _url: url, loaded: false, capture, tracks: Tracks::default() })
    }

    /// Goes on where it was, on another element: a capture belongs to the one that it was taken from.
    pub fn move_to(self, stage: &Stage, position: f64) -> Option<Self> {
        let film = Self::start(self.file, None, stage);
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
                self.capture = self.capture.take().or_else(|| capture(video, events));
                self.loaded = self.capture.is_some();
                events.input(if self.loaded {
                    Input::FilmChosen(self.file.name(), progress(video))
                } else {
                    Input::CannotCapture
                });
            }
            _ if self.loaded => events.input(Input::FilmProgress(progress(video))),
            _ => {}
        }
    }

    /// The tracks to send now, where they changed.
    pub fn new_tracks(&mut self) -> Option<Tracks> {
        if !self.loaded {
            return None;
        }
        let capture = self.capture.as_mut()?;
        let fresh: Vec<_> = live_tracks(&capture.stream).filter(|track| !capture.stale.contains(&track.id())).collect();
        let newest = |kind: &str| fresh.iter().rev().find(|track| track.kind() == kind).cloned();
        let tracks = Tracks { video: newest("video"), audio: newest("audio") };
        // Between the end of a film and its next beginning there is nothing to send, and nothing to change.
        if tracks == self.tracks || (tracks.video.is_none() && tracks.audio.is_none()) {
            return None;
        }
        for track in live_tracks(&capture.stream) {
            if Some(&track) != tracks.video.as_ref() && Some(&track) != tracks.audio.as_ref() {
                track.stop();
                capture.stream.remove_track(&track);
            }
        }
        capture.stale.clear();
        self.tracks = tracks.clone();
        Some(tracks)
    }

    /// The tracks that are being sent.
    pub fn tracks(&self) -> Tracks {
        self.tracks.clone()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stream.set_onaddtrack(None);
        for track in live_tracks(&self.stream) {
            track.stop();
        }
    }
}

fn capture(video: &HtmlVideoElement, events: &Events) -> Option<Capture> {
    let stream = sys::capture(video)?;
    let listener = events.listener(|_| Some(Event::Stage("addtrack".to_owned())));
    stream.set_onaddtrack(Some(listener.as_ref().unchecked_ref()));
    Some(Capture { stream, stale: Vec::new(), _listener: listener })
}

fn live_tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> + use<> {
    let tracks: Vec<MediaStreamTrack> = stream.get_tracks().iter().map(JsCast::unchecked_into).collect();
    tracks.into_iter().filter(|track| track.ready_state() == MediaStreamTrackState::Live)
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
        if sys::property(&refused, "name").and_then(|name| name.as_string()).as_deref() == Some("NotAllowedError") {
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
