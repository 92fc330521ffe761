//! The browser beyond the session: small pictures, the clipboard, a screen that stays on, the keys of a keyboard or headset.
//!
//! Does what views wish and what the session's state asks for; decides nothing. What a browser lacks is left out.

use super::event::{Event, Events};
use super::{storage, sys, timer};
use crate::app::device::{Able, Device, Wish};
use crate::domain::Role;
use crate::protocol::FilmState;
use crate::stream::{Phase, SessionView};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlVideoElement;

/// What the views know.
pub fn start(events: &Events) -> Device {
    let wishes = events.clone();
    let device = Device {
        able: RwSignal::new(Able::default()),
        wish: Callback::new(move |wish| wishes.push(Event::Wish(wish))),
        single_keys: RwSignal::new(storage::single_keys()),
        clock: Callback::new(timer::local_time),
    };
    // After the first rendering, which has to be the server's.
    Effect::new(move || device.able.set(able()));
    device
}

fn able() -> Able {
    let Some(window) = web_sys::window() else { return Able::default() };
    let is = |object: &JsValue, name| sys::property(object, name).is_some_and(|value| value.is_truthy());
    let document = sys::property(&window, "document").unwrap_or_default();
    Able {
        full_screen: is(&document, "fullscreenEnabled"),
        picture_in_picture: is(&document, "pictureInPictureEnabled"),
        insecure: !is(&window, "isSecureContext"),
    }
}

/// Owned by the page's task.
pub struct Driver {
    /// What the last view meant for the screen and for the keys of a headset.
    followed: Option<Followed>,
    awake: UnboundedSender<bool>,
}

#[derive(Debug, PartialEq)]
struct Followed {
    host: bool,
    playing: bool,
    title: String,
}

impl Driver {
    /// Listens to the keys of keyboards and headsets, and for the page to be seen again.
    pub fn new(events: &Events) -> Self {
        for (action, wish) in [
            ("play", Wish::Play),
            ("pause", Wish::Pause),
            ("seekbackward", Wish::SeekBy(-5)),
            ("seekforward", Wish::SeekBy(5)),
        ] {
            // A guest's wish is not granted; without a listener the browser would stop their picture.
            let listener = events.listener(move |_| Some(Event::Wish(wish.clone()))).into_js_value();
            media_session(|session| drop(sys::invoke(session, "setActionHandler", &[action.into(), listener])));
        }
        let seen = events.listener(|_| Some(Event::Seen)).into_js_value();
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            let _ = document.add_event_listener_with_callback("visibilitychange", seen.unchecked_ref());
        }
        let (awake, wanted) = unbounded();
        leptos::task::spawn_local(keep_awake(wanted));
        Self { followed: None, awake }
    }

    /// Does what a person or a headset asks for.
    pub fn grant(&self, wish: Wish, video: Option<&HtmlVideoElement>) {
        let host = self.followed.as_ref().is_some_and(|followed| followed.host);
        match (wish, video) {
            (Wish::SingleKeys(on), _) => storage::keep_single_keys(on),
            (Wish::Copy(text), _) => copy(&text),
            (Wish::Play, Some(video)) if host => forget(video.play().ok().map(JsValue::from)),
            (Wish::Pause, Some(video)) if host => drop(video.pause()),
            (Wish::SeekBy(seconds), Some(video)) if host => {
                video.set_current_time((video.current_time() + f64::from(seconds)).max(0.0));
            }
            (Wish::PictureInPicture, Some(video)) => picture_in_picture(video),
            (Wish::Play | Wish::Pause | Wish::SeekBy(_) | Wish::PictureInPicture, _) => {}
        }
    }

    /// Keeps the screen on while the film plays, and tells the system what plays.
    pub fn follow(&mut self, view: &SessionView) {
        let film = view.film.as_ref().filter(|_| view.phase == Phase::Inside);
        let now = Followed {
            host: view.role == Some(Role::Host),
            playing: film.is_some_and(|film| film.state == FilmState::Playing),
            title: film.map(|film| film.title.clone()).unwrap_or_default(),
        };
        if self.followed.as_ref() != Some(&now) {
            media_session(|session| announce(session, &now));
            let _ = self.awake.unbounded_send(now.playing);
            self.followed = Some(now);
        }
    }

    /// The page is seen again: browsers take the lock away from a page that is not.
    pub fn seen(&self) {
        let _ = self.awake.unbounded_send(self.followed.as_ref().is_some_and(|followed| followed.playing));
    }
}

fn announce(session: &JsValue, now: &Followed) {
    let metadata = (!now.title.is_empty()).then(|| sys::media_metadata(&now.title)).flatten();
    sys::set_property(session, "metadata", &metadata.unwrap_or(JsValue::NULL));
    let state = match (now.title.is_empty(), now.playing) {
        (true, _) => "none",
        (false, true) => "playing",
        (false, false) => "paused",
    };
    sys::set_property(session, "playbackState", &state.into());
}

fn media_session(act: impl FnOnce(&JsValue)) {
    if let Some(session) = navigator().and_then(|navigator| sys::property(&navigator, "mediaSession")) {
        act(&session);
    }
}

fn navigator() -> Option<JsValue> {
    web_sys::window().map(|window| window.navigator().into())
}

/// One lock at a time, taken and given back in the order in which it was asked for (W3C screen-wake-lock).
async fn keep_awake(mut wanted: UnboundedReceiver<bool>) {
    let mut lock: Option<JsValue> = None;
    while let Some(want) = wanted.next().await {
        lock = lock.filter(|lock| !sys::property(lock, "released").is_some_and(|released| released.is_truthy()));
        if !want {
            forget(lock.take().and_then(|lock| sys::invoke(&lock, "release", &[]).ok()));
        } else if lock.is_none() {
            let source = navigator().and_then(|navigator| sys::property(&navigator, "wakeLock"));
            if let Some(asked) = source.and_then(|source| sys::invoke(&source, "request", &["screen".into()]).ok()) {
                lock = JsFuture::from(js_sys::Promise::resolve(&asked)).await.ok();
            }
        }
    }
}

fn picture_in_picture(video: &HtmlVideoElement) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let asked = match sys::property(&document, "pictureInPictureElement") {
        Some(_) => sys::invoke(&document, "exitPictureInPicture", &[]),
        None => sys::invoke(video, "requestPictureInPicture", &[]),
    };
    forget(asked.ok());
}

/// Puts a text on the clipboard, where there is one.
pub(super) fn copy(text: &str) {
    let clipboard = navigator().and_then(|navigator| sys::property(&navigator, "clipboard"));
    forget(clipboard.and_then(|clipboard| sys::invoke(&clipboard, "writeText", &[text.into()]).ok()));
}

/// Whether it worked out is seen in the page; a refusal is no fault of the page's.
fn forget(promise: Option<JsValue>) {
    if let Some(promise) = promise {
        leptos::task::spawn_local(async move {
            let _ = JsFuture::from(js_sys::Promise::resolve(&promise)).await;
        });
    }
}
