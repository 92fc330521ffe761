//! A button for what the host shows.

use super::{Icon, Sign};
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{Text, say};
use crate::stream::{SessionAction, SourceAction};
use leptos::prelude::*;

/// One that is about a single film or file has that in its name.
#[component]
pub fn SourceButton(
    /// Its drawing.
    sign: Sign,
    /// What it does, in words.
    text: Text,
    /// What it does.
    action: SourceAction,
    /// What it is about.
    #[prop(optional)]
    title: Option<String>,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let language = use_language();
    let name = move || title.as_ref().map(|title| format!("{}: {title}", text.to(language.get())));
    view! {
        <button
            class="button small quiet"
            type="button"
            aria-label=name
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::Source(action.clone()))
        >
            <Icon sign />
            {say(text)}
        </button>
    }
    .into_any()
}
