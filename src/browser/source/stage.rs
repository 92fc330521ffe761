//! The stage's `<video>` and its listeners.

use super::canvas::CanvasCapture;
use crate::browser::event::{Event, Events};
use std::cell::OnceCell;
use wasm_bindgen::prelude::*;
use web_sys::HtmlVideoElement;

/// The element's events that say something about the film.
const SAYS: [&str; 11] = [
    "loadedmetadata",
    "loadeddata",
    "playing",
    "play",
    "pause",
    "seeked",
    "ended",
    "timeupdate",
    "durationchange",
    "ratechange",
    "error",
];

/// The element, for as long as it is in the page.
pub struct Stage {
    /// The element.
    pub video: HtmlVideoElement,
    /// Where the browser needs one: an element can be wired to Web Audio only once, so this stays as long as it does.
    canvas: OnceCell<Option<CanvasCapture>>,
    listener: Closure<dyn FnMut(JsValue)>,
}

impl Stage {
    /// Listens to the element.
    pub fn mount(video: HtmlVideoElement, events: &Events) -> Self {
        let element = video.clone();
        let listener = events.listener(move |event| {
            let name = event.dyn_into::<web_sys::Event>().ok()?.type_();
            // The clock of a stream moves four times a second, and says nothing of a film.
            let is_news = name != "timeupdate" || element.src_object().is_none();
            is_news.then_some(Event::Stage(name))
        });
        for name in SAYS {
            let _ = video.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
        Self { video, canvas: OnceCell::new(), listener }
    }

    /// The way through canvas and Web Audio, if the browser has that.
    pub fn canvas(&self) -> Option<&CanvasCapture> {
        self.canvas.get_or_init(|| CanvasCapture::attach(&self.video).ok()).as_ref()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for name in SAYS {
            let _ = self.video.remove_event_listener_with_callback(name, self.listener.as_ref().unchecked_ref());
        }
    }
}
