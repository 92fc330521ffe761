//! What is on the host's stage: a film from their disk, their screen, or their camera. One at a time.

pub mod canvas;
pub mod capture;
pub mod film;
pub mod live;
pub mod loudspeaker;
pub mod size;
pub mod stage;

use super::event::Events;
use super::peer::Tracks;
use super::sys;
use crate::stream::Abilities;
use film::Film;
use live::Live;
use stage::Stage;
use web_sys::MediaStreamTrack;

/// What is on the stage.
pub enum Source {
    /// A film.
    Film(Film),
    /// Screen or camera.
    Live(Live),
}

impl Source {
    /// The tracks that are being sent.
    pub fn tracks(&self) -> Tracks {
        match self {
            Self::Film(film) => film.tracks(),
            Self::Live(live) => live.tracks(),
        }
    }

    /// The element fired an event: what the core is to know, and the tracks to send now, where they changed.
    pub fn heard(&mut self, event: &str, stage: &Stage, events: &Events) -> Option<Tracks> {
        match self {
            Self::Film(film) => {
                film.heard(event, stage, events);
                film.new_tracks(stage)
            }
            // Only now its size is known, and what is sent follows it.
            Self::Live(live) => (event == "loadedmetadata").then(|| live.tracks()),
        }
    }

    /// Goes on where it was, on another element.
    pub fn move_to(self, stage: &Stage, position: f64) -> Option<Self> {
        match self {
            Self::Film(film) => film.move_to(stage, position).map(Self::Film),
            Self::Live(live) => {
                live.show(stage);
                Some(Self::Live(live))
            }
        }
    }
}

/// What this browser can show to others.
pub fn abilities() -> Abilities {
    let has = |path: &[&str]| sys::global(path).is_some();
    Abilities {
        film: capture::is_possible(),
        screen: has(&["navigator", "mediaDevices", "getDisplayMedia"]),
        camera: has(&["navigator", "mediaDevices", "getUserMedia"]),
        open_from_disk: has(&["showOpenFilePicker"]),
        secure: sys::global(&["isSecureContext"]).is_some_and(|secure| secure.is_truthy()),
    }
}

/// What matters in this picture when the line is thin: movement, or detail (W3C mst-content-hint).
fn hint(track: &MediaStreamTrack, matters: &str) {
    sys::set_property(track, "contentHint", &matters.into());
}
