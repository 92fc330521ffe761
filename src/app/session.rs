//! The one thing that views know of a session: its state, what can be done, and the two elements that hold media.

use crate::stream::{SessionAction, SessionView};
use leptos::html::{Input, Video};
use leptos::prelude::*;

/// Provided as context above the router: inert on the server, the real one in the browser.
#[derive(Clone, Copy)]
pub struct SessionHandle {
    /// What to show.
    pub state: Signal<SessionView>,
    /// What a person does.
    pub act: Callback<SessionAction>,
    /// The one `<video>`: the host's own film, or the guest's picture.
    pub stage: NodeRef<Video>,
    /// The host's file input.
    pub film: NodeRef<Input>,
}

impl SessionHandle {
    /// A handle that shows the state of a page before it is live, and does nothing.
    pub fn inert() -> Self {
        Self {
            state: Signal::stored(SessionView::default()),
            act: Callback::new(|_| ()),
            stage: NodeRef::new(),
            film: NodeRef::new(),
        }
    }
}
