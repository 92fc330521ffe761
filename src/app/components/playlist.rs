//! The host's films in their order.

use super::{Sign, SourceButton};
use crate::app::session::use_session;
use crate::app::words::{label, say};
use crate::stream::{Entry, SourceAction};
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
            <SourceButton sign=Sign::Play text=label::PLAY_NOW action=play title=title.clone() />
            <SourceButton sign=Sign::Close text=label::REMOVE action=remove title=title.clone() />
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
