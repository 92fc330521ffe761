//! The way out.

use super::{Icon, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::{label, say};
use crate::stream::SessionAction;
use leptos::prelude::*;

/// Leaves the session; as its host, ends it.
#[component]
pub fn Leave() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    view! {
        <button
            class="button quiet leave"
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::Leave)
        >
            <Icon sign=Sign::Leave />
            {say(label::LEAVE)}
        </button>
    }
}
