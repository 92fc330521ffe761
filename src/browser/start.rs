//! What every page has from its first moment: the queue, the handle, and somebody who minds the queue.
//!
//! Refuses to know what a session is made of: the [`task`](super::task) that does is loaded when it is first asked for,
//! and takes over the queue with everything in it. The start page alone never asks.

use super::event::{Event, Events};
use super::{breakage, device, storage, task};
use crate::app::{self, device::Wish, session::SessionHandle};
use crate::stream::{Input, Phase, Problem, SessionAction, SessionView};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::{Either, select};
use leptos::html::{Input as InputElement, Video};
use leptos::prelude::*;
use std::pin::pin;
use wasm_bindgen::prelude::*;

/// What in a page touches a person that may ask for something soon.
const TOUCHES: [&str; 2] = ["focusin", "pointerdown"];

/// What the task works on.
pub struct Page {
    /// What the views show.
    pub state: RwSignal<SessionView>,
    /// The one `<video>`.
    pub stage: NodeRef<Video>,
    /// The host's file input.
    pub film: NodeRef<InputElement>,
    /// The host's inputs for more films and for subtitles.
    pub additions: [NodeRef<InputElement>; 2],
    /// The entry of the page's queue.
    pub events: Events,
}

/// Waits until everything that the page at this address is made of is here. Where that cannot be had, people read so and
/// this is false.
pub async fn ready() -> bool {
    let path = web_sys::window().and_then(|window| window.location().pathname().ok()).unwrap_or_default();
    let loaded = app::load(&path).await.is_ok();
    if !loaded {
        breakage::show();
    }
    loaded
}

/// Starts to mind the queue, and gives the handle that the views know.
pub fn start() -> SessionHandle {
    let (events, queue) = Events::queue();
    let state = RwSignal::new(SessionView::default());
    let (stage, film) = (NodeRef::<Video>::new(), NodeRef::<InputElement>::new());
    let act = {
        let events = events.clone();
        Callback::new(move |action| events.input(Input::Act(action)))
    };
    let (more_films, subtitles) = (NodeRef::<InputElement>::new(), NodeRef::<InputElement>::new());
    let additions = [more_films, subtitles];
    provide_context(device::start(&events));
    watch_elements(stage, film, &events);
    watch_additions(additions, &events);
    leptos::task::spawn_local(mind(Page { state, stage, film, additions, events }, queue));
    SessionHandle { state: state.into(), act, stage, film, more_films, subtitles }
}

/// Keeps what comes until the task is needed, loads it and hands over.
async fn mind(page: Page, mut queue: UnboundedReceiver<Event>) {
    page.state.update(|view| view.profile.name = storage::name());
    let touches = Touches::watch(&page.events);
    let mut waiting = Vec::new();
    while let Some(event) = queue.next().await {
        // At once: browsers let a page copy only just after a press.
        if let Event::Wish(Wish::Copy(text)) = &event {
            device::copy(text);
            continue;
        }
        let idle = is_idle(&event);
        keep(event, &mut waiting, page.state);
        if idle {
            continue;
        }
        let mut loading = pin!(app::load_session());
        let loaded = loop {
            match select(queue.next(), &mut loading).await {
                Either::Left((Some(event), _)) => keep(event, &mut waiting, page.state),
                Either::Left((None, _)) => return,
                Either::Right((loaded, _)) => break loaded.is_ok(),
            }
        };
        if loaded {
            drop(touches);
            // It is in the part that was just loaded, so it comes.
            if let Ok(running) = task::drive(page, waiting, queue).await {
                running.await;
            }
            return;
        }
        // What was typed stays in its fields, and the next press asks again.
        if waiting.iter().any(is_entering) {
            waiting.retain(|event| !is_entering(event));
            page.state.update(|view| (view.phase, view.problem) = (Phase::Outside, Some(Problem::NotLoaded)));
        }
    }
}

/// Puts an event aside. People read at once that an answer is on its way.
fn keep(event: Event, waiting: &mut Vec<Event>, state: RwSignal<SessionView>) {
    if is_entering(&event) {
        state.update(|view| (view.phase, view.problem) = (Phase::Entering, None));
    }
    waiting.push(event);
}

/// The start page tells that it is there, and nobody has to answer.
fn is_idle(event: &Event) -> bool {
    matches!(event, Event::Core(Input::Act(SessionAction::HomeMounted)))
}

fn is_entering(event: &Event) -> bool {
    matches!(event, Event::Core(Input::Act(SessionAction::Create { .. } | SessionAction::Join { .. })))
}

fn watch_elements(stage: NodeRef<Video>, film: NodeRef<InputElement>, events: &Events) {
    let mounted = events.clone();
    Effect::new(move |_| {
        if stage.get().is_some() {
            mounted.push(Event::StageMounted);
        }
    });
    let mounted = events.clone();
    let picked = events.listener(|_| Some(Event::FilmPicked)).into_js_value();
    Effect::new(move |_| {
        if let Some(input) = film.get() {
            let _ = input.add_event_listener_with_callback("change", picked.unchecked_ref());
            mounted.push(Event::FilmInputMounted);
        }
    });
}

fn watch_additions(inputs: [NodeRef<InputElement>; 2], events: &Events) {
    let added = events.listener(|_| Some(Event::Added)).into_js_value();
    Effect::new(move |_| {
        for input in inputs.into_iter().filter_map(|input| input.get()) {
            let _ = input.add_event_listener_with_callback("change", added.unchecked_ref());
        }
    });
}

/// Says when somebody touches the page, as long as it is kept.
struct Touches(Closure<dyn FnMut(JsValue)>);

impl Touches {
    fn watch(events: &Events) -> Self {
        let touched = events.listener(|_| (!stays_outside()).then_some(Event::Attention));
        if let Some(document) = document() {
            for name in TOUCHES {
                let _ = document.add_event_listener_with_callback(name, touched.as_ref().unchecked_ref());
            }
            // Somebody was here before we were.
            if document.active_element().is_some_and(|element| element.tag_name() == "INPUT") {
                events.push(Event::Attention);
            }
        }
        Self(touched)
    }
}

impl Drop for Touches {
    fn drop(&mut self) {
        if let Some(document) = document() {
            for name in TOUCHES {
                let _ = document.remove_event_listener_with_callback(name, self.0.as_ref().unchecked_ref());
            }
        }
    }
}

/// Who checks a connection, or runs the server, asks for no session.
fn stays_outside() -> bool {
    web_sys::window()
        .and_then(|window| window.location().pathname().ok())
        .is_some_and(|path| path.starts_with("/check") || path.starts_with("/admin"))
}

fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}
