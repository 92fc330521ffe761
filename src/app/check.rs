//! The one thing that the page of a check knows: how far it is, and what can be done.

use crate::stream::check::{CheckAction, CheckView};
use leptos::prelude::*;

/// Provided as context above the router: inert on the server, the real one in the browser.
#[derive(Clone, Copy)]
pub struct CheckHandle {
    /// What to show.
    pub state: Signal<CheckView>,
    /// What a person does.
    pub act: Callback<CheckAction>,
}

impl CheckHandle {
    /// A handle that shows one state for ever, and does nothing.
    pub fn showing(view: CheckView) -> Self {
        Self { state: Signal::stored(view), act: Callback::new(|_| ()) }
    }

    /// One part of the state; what depends on it runs again only when that part changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(self, read: fn(&CheckView) -> T) -> Memo<T> {
        Memo::new(move |_| self.state.with(read))
    }
}

/// The checks of this page.
pub fn use_check() -> CheckHandle {
    use_context::<CheckHandle>().unwrap_or_else(|| CheckHandle::showing(CheckView::default()))
}
