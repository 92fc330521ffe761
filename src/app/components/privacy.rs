//! Whether others may see this person's network address.

use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label};
use crate::stream::SessionAction;
use leptos::prelude::*;

/// The switch, with what it does.
#[component]
pub fn Privacy() -> impl IntoView {
    let session = use_session();
    let hidden = session.part(|view| view.hide_address);
    let asleep = asleep();
    view! {
        <section class="panel privacy">
            <button
                class="switch"
                type="button"
                role="switch"
                aria-checked=move || if hidden.get() { "true" } else { "false" }
                aria-describedby="hide-address-hint"
                disabled=move || asleep.get()
                on:click=move |_| session.act.run(SessionAction::HideAddress(!hidden.get_untracked()))
            >
                <span>{label::HIDE_ADDRESS}</span>
                <span class="track" aria-hidden="true"></span>
            </button>
            <p id="hide-address-hint" class="hint">
                {words::HIDE_ADDRESS_HINT}
            </p>
        </section>
    }
    .into_any()
}
