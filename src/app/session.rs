//! The one thing that views know of a session: its state, what can be done, and the elements that hold media.

use super::language::use_language;
use super::words::Text;
use crate::domain::Language;
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
    /// Where the host adds films to the list.
    pub more_films: NodeRef<Input>,
    /// Where the host adds subtitles.
    pub subtitles: NodeRef<Input>,
}

impl SessionHandle {
    /// A handle that shows the state of a page before it is live, and does nothing.
    pub fn inert() -> Self {
        Self::showing(SessionView::default())
    }

    /// A handle that shows one state for ever, and does nothing.
    pub fn showing(view: SessionView) -> Self {
        Self {
            state: Signal::stored(view),
            act: Callback::new(|_| ()),
            stage: NodeRef::new(),
            film: NodeRef::new(),
            more_films: NodeRef::new(),
            subtitles: NodeRef::new(),
        }
    }

    /// One part of the state; what depends on it runs again only when that part changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(self, read: fn(&SessionView) -> T) -> Memo<T> {
        Memo::new(move |_| self.state.with(read))
    }

    /// What to say of the state, in the page's language.
    pub fn text(self, read: fn(&SessionView) -> Text) -> Memo<&'static str> {
        let language = use_language();
        Memo::new(move |_| self.state.with(read).to(language.get()))
    }

    /// What to say of the state, where numbers or names are in it.
    pub fn words(self, read: fn(&SessionView, Language) -> String) -> Memo<String> {
        let language = use_language();
        Memo::new(move |_| self.state.with(|view| read(view, language.get())))
    }
}

/// The session of this page.
pub fn use_session() -> SessionHandle {
    use_context::<SessionHandle>().unwrap_or_else(SessionHandle::inert)
}

/// True once the page acts on what people press. The server's HTML is there earlier: until then buttons are disabled.
#[derive(Clone, Copy)]
struct Awake(RwSignal<bool>);

/// Called once, above the router.
pub(super) fn provide_session() {
    if use_context::<SessionHandle>().is_none() {
        provide_context(SessionHandle::inert());
    }
    let awake = RwSignal::new(false);
    provide_context(Awake(awake));
    Effect::new(move || awake.set(true));
}

/// True while buttons have to wait for the page to wake up.
pub fn asleep() -> Signal<bool> {
    match use_context::<Awake>() {
        // It does not fall asleep again, so what comes later has nothing to wait for.
        Some(Awake(awake)) if awake.get_untracked() => Signal::stored(false),
        Some(Awake(awake)) => Signal::derive(move || !awake.get()),
        None => Signal::stored(true),
    }
}
