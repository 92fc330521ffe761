//! What the `<video>` plays, as tracks that can be sent.
//!
//! What Chromium does to captured tracks: at the film's end they end, and playing again brings new ones; after a change of
//! `src` the captured stream holds old and new ones side by side. So after each of the element's events the newest live
//! tracks are taken, and those before them are stopped.
//!
//! Browsers without `captureStream` go through a canvas and Web Audio; those tracks last as long as the element.

use super::canvas::{self, CanvasCapture, Pump};
use super::loudspeaker::Loudspeaker;
use super::stage::Stage;
use crate::browser::event::{Event, Events};
use crate::browser::peer::Tracks;
use crate::browser::sys;
use wasm_bindgen::prelude::*;
use web_sys::{MediaStream, MediaStreamTrack, MediaStreamTrackState};

/// What the element plays.
pub enum Capture {
    /// By the element itself.
    Element(ElementCapture),
    /// By way of a canvas, for as long as the pump works.
    Canvas(Tracks, Pump),
}

/// The stream that the element gives out, and the tracks in it that belong to the film before this one.
pub struct ElementCapture {
    stream: MediaStream,
    stale: Vec<String>,
    _loudspeaker: Option<Loudspeaker>,
    _listener: Closure<dyn FnMut(JsValue)>,
}

/// Whether this browser can capture films at all.
pub fn is_possible() -> bool {
    let has = |name| sys::global(&["HTMLMediaElement", "prototype", name]).is_some();
    has("captureStream") || has("mozCaptureStream") || canvas::is_possible()
}

impl Capture {
    /// Captures what the stage plays.
    pub fn of(stage: &Stage, events: &Events) -> Option<Self> {
        if let Some(captured) = sys::capture(&stage.video) {
            let stream = captured.stream;
            let listener = events.listener(|_| Some(Event::Stage("addtrack".to_owned())));
            stream.set_onaddtrack(Some(listener.as_ref().unchecked_ref()));
            let loudspeaker =
                captured.silences_element.then(|| Loudspeaker::of_stream(&stream, &stage.video).ok()).flatten();
            return Some(Self::Element(ElementCapture {
                stream,
                stale: Vec::new(),
                _loudspeaker: loudspeaker,
                _listener: listener,
            }));
        }
        let canvas = stage.canvas()?;
        Some(Self::Canvas(canvas.tracks(), CanvasCapture::pump(canvas)))
    }

    #[must_use]
    /// What plays now belongs to the film that goes.
    pub fn before_another_film(mut self) -> Self {
        if let Self::Element(capture) = &mut self {
            capture.stale = live_tracks(&capture.stream).map(|track| track.id()).collect();
        }
        self
    }

    /// The newest tracks.
    pub fn tracks(&self) -> Tracks {
        match self {
            Self::Canvas(tracks, _) => tracks.clone(),
            Self::Element(capture) => {
                let fresh: Vec<_> =
                    live_tracks(&capture.stream).filter(|track| !capture.stale.contains(&track.id())).collect();
                let newest = |kind: &str| fresh.iter().rev().find(|track| track.kind() == kind).cloned();
                Tracks { video: newest("video"), audio: newest("audio") }
            }
        }
    }

    /// Whether the tracks are over when the film is.
    pub fn ends_with_film(&self) -> bool {
        matches!(self, Self::Element(_))
    }

    /// These are sent from now on; all before them are over.
    pub fn keep_only(&mut self, tracks: &Tracks) {
        if let Self::Element(capture) = self {
            for track in live_tracks(&capture.stream) {
                if Some(&track) != tracks.video.as_ref() && Some(&track) != tracks.audio.as_ref() {
                    track.stop();
                    capture.stream.remove_track(&track);
                }
            }
            capture.stale.clear();
        }
    }
}

impl Drop for ElementCapture {
    fn drop(&mut self) {
        self.stream.set_onaddtrack(None);
        for track in live_tracks(&self.stream) {
            track.stop();
        }
    }
}

/// The tracks of a stream that still give something.
pub fn live_tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> + use<> {
    let tracks: Vec<MediaStreamTrack> = stream.get_tracks().iter().map(JsCast::unchecked_into).collect();
    tracks.into_iter().filter(|track| track.ready_state() == MediaStreamTrackState::Live)
}
