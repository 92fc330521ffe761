//! A switch with its name and what it does.

use crate::app::session::asleep;
use crate::app::words::{Text, say};
use leptos::prelude::*;

/// On or off.
#[component]
pub fn Switch(
    /// Of the hint; unique in the page.
    id: &'static str,
    /// Its name.
    label: Text,
    /// What it does.
    hint: Text,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// Called with what it is to be.
    on_turn: Callback<bool>,
) -> impl IntoView {
    let asleep = asleep();
    view! {
        <div class="setting">
        <button
            class="switch"
            type="button"
            role="switch"
            aria-checked=move || if on.get() { "true" } else { "false" }
            aria-describedby=id
            disabled=move || asleep.get()
            on:click=move |_| on_turn.run(!on.get_untracked())
        >
            <span>{say(label)}</span>
            <span class="track" aria-hidden="true"></span>
        </button>
        <p id=id class="hint">
            {say(hint)}
        </p>
        </div>
    }
    .into_any()
}
