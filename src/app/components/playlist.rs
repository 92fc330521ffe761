//! The host's films in their order.

use super::{Icon, Sign};
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{Text, label, say};
use crate::stream::{Entry, SessionAction, SourceAction};
use leptos::prelude::*;

/// The list, where there is more than one film.
#[component]
pub fn Playlist() -> impl IntoView {
    let session = use_session();
    let films = session.part(|view| view.sources.playlist.clone());
    view! {
        <ol class="playlist" aria-label=say(label::FILMS) hidden=move || films.with(Vec::is_empty)>
            {move || films.get().into_iter().map(|film| view! { <Film film /> }).collect_view()}
        </ol>
    }
    .into_any()
}

#[component]
fn Film(
    /// Which.
    film: Entry,
) -> impl IntoView {
    let Entry { id, title, playing } = film;
    let buttons = if playing {
        view! { <span class="hint">{say(label::ON_STAGE)}</span> }.into_any()
    } else {
        let (play, remove) = (SourceAction::PlayNow(id), SourceAction::Remove(id));
        view! {
            <Act sign=Sign::Play text=label::PLAY_NOW action=play title=title.clone() />
            <Act sign=Sign::Close text=label::REMOVE action=remove title=title.clone() />
        }
        .into_any()
    };
    view! {
        <li aria-current=playing.then_some("true")>
            <span class="title">{title}</span>
            {buttons}
        </li>
    }
    .into_any()
}

/// A button whose name says which film it is about.
#[component]
pub(super) fn Act(
    /// Its drawing.
    sign: Sign,
    /// What it does, in words.
    text: Text,
    /// What it does.
    action: SourceAction,
    /// To whom.
    title: String,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let language = use_language();
    let name = move || format!("{}: {title}", text.to(language.get()));
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
