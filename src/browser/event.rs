//! What JavaScript tells the task: plain values, so that the queue can be handed to anyone.

use super::files::Found;
use super::queue::Inputs;
use crate::app::device::Wish;
use crate::domain::ConnectionId;
use crate::protocol::SourceKind;
use crate::stream::Input;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use web_sys::MediaStream;

/// Something happened.
#[expect(clippy::large_enum_variant, reason = "nearly every event is one for the core")]
#[derive(Debug)]
pub enum Event {
    /// For the core.
    Core(Input),
    /// The stage's `<video>` is in the page.
    StageMounted,
    /// The film input is in the page.
    FilmInputMounted,
    /// Files were chosen in the film input.
    FilmPicked,
    /// Files were chosen in one of the inputs that add to what is there.
    Added,
    /// Files were opened with their handles.
    Opened(SendWrapper<Vec<Found>>),
    /// The handle of a file that was dropped on the film input.
    Dropped(SendWrapper<JsValue>),
    /// The handle of the film of before a reload.
    HandleFound(SendWrapper<JsValue>),
    /// The person shares their screen or camera.
    Shared(SourceKind, SendWrapper<MediaStream>),
    /// The stage's `<video>` fired an event of this name.
    Stage(String),
    /// A person asks something of the browser.
    Wish(Wish),
    /// The page is seen again, or no longer.
    Seen,
    /// A remote track arrived on this connection.
    Track(ConnectionId),
    /// Somebody touched the page, and may ask for something soon.
    Attention,
}

/// The entry of the session's queue.
pub type Events = Inputs<Event>;

impl Events {
    /// Puts an input for the core into the queue.
    pub fn input(&self, input: Input) {
        self.push(Event::Core(input));
    }
}
