//! Reactions: six buttons, and what flies over the picture.

use super::Each;
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::protocol::Reaction;
use crate::stream::{Flying, SessionAction};
use leptos::prelude::*;

/// The buttons.
#[component]
pub fn Reactions() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let button = move |reaction: Reaction| {
        view! {
            <button
                type="button"
                aria-label=say(words::reaction(reaction))
                title=say(words::reaction(reaction))
                disabled=move || asleep.get()
                on:click=move |_| session.act.run(SessionAction::React(reaction))
            >
                <span aria-hidden="true">{words::glyph(reaction)}</span>
            </button>
        }
    };
    view! {
        <div class="reactions" role="group" aria-label=say(label::REACTIONS)>
            {Reaction::ALL.map(button).collect_view()}
        </div>
    }
    .into_any()
}

/// What flies. Seen only: the stage's words say once who began.
#[component]
pub fn Sky() -> impl IntoView {
    let session = use_session();
    let language = use_language();
    let flying = session.part(|view| view.reactions.clone());
    let one = move |flying: Flying| {
        // Side by side rather than on top of each other.
        let lane = format!("flying lane-{}", flying.key % 5);
        view! {
            <p class=lane>
                <span>{words::glyph(flying.reaction)}</span>
                <small>{words::called(&flying.name, language.get_untracked())}</small>
            </p>
        }
    };
    view! {
        <div class="sky" aria-hidden="true">
            <Each each=move || flying.get() key=|flying| flying.key children=one />
        </div>
    }
    .into_any()
}
