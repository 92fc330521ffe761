//! How the answer to a form stands.

use super::{Icon, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label};
use crate::stream::{LinkView, Phase, SessionAction};
use leptos::prelude::*;

/// Says that the answer is awaited, or that the server is away; announced politely.
#[component]
pub fn Presence() -> impl IntoView {
    let session = use_session();
    let words = session.part(words::entering);
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

/// Reaches for the server at once.
#[component]
pub fn TryNow() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    view! {
        <button
            class="button small"
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::TryNow)
        >
            <Icon sign=Sign::Again />
            {label::TRY_NOW}
        </button>
    }
}
