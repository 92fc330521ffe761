//! How the answer to a form stands.

use super::{Icon, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::{LinkView, Phase, SessionAction};
use leptos::html::{ElementType, Main};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;

/// Says that the answer is awaited, or that the server is away; announced politely.
#[component]
pub fn Presence() -> impl IntoView {
    let session = use_session();
    let words = session.text(words::entering);
    let away = session.part(|view| view.link == LinkView::Away && !matches!(view.phase, Phase::Ended(_)));
    view! {
        <div class="presence" class:idle=move || words.get().is_empty() && !away.get()>
            <p role="status">{move || words.get()}</p>
            <Show when=move || away.get()>
                <TryNow />
            </Show>
        </div>
    }
}

const TRY_NOW: &str = "try-now";

/// The button goes as soon as the server is back. Whoever was on it stands at the head of the page's main part then.
fn hand_focus_on() {
    if !is_browser() || document().active_element().is_none_or(|element| element.id() != TRY_NOW) {
        return;
    }
    request_animation_frame(|| {
        if let Some(main) = document().get_element_by_id("main") {
            let _ = main.unchecked_into::<<Main as ElementType>::Output>().focus();
        }
    });
}

/// Reaches for the server at once.
#[component]
pub fn TryNow() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    on_cleanup(hand_focus_on);
    view! {
        <button
            id=TRY_NOW
            class="button small"
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::TryNow)
        >
            <Icon sign=Sign::Again />
            {say(label::TRY_NOW)}
        </button>
    }
}
