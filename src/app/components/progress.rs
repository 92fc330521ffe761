//! How far the film is.

use crate::app::session::use_session;
use crate::app::words::{clock, label};
use crate::stream::Phase;
use leptos::prelude::*;

/// The film's title, and its clock, which moves once a second.
#[component]
pub fn Progress() -> impl IntoView {
    let session = use_session();
    let title = session.part(|view| view.film.as_ref().map(|film| film.title.clone()));
    let shown = session.part(|view| view.phase == Phase::Inside && view.film.is_some());
    view! {
        <Show when=move || shown.get()>
            <div class="progress">
                <p class="title">{move || title.get().unwrap_or_default()}</p>
                <Clock />
            </div>
        </Show>
    }
    .into_any()
}

#[component]
fn Clock() -> impl IntoView {
    let session = use_session();
    let position = session.part(|view| view.film.as_ref().map_or(0, |film| film.position_ms / 1000));
    let length = session.part(|view| view.film.as_ref().and_then(|film| film.duration_ms).map_or(0, |ms| ms / 1000));
    let of_length = move || match length.get() {
        0 => String::new(),
        seconds => format!(" / {}", clock(seconds * 1000)),
    };
    view! {
        <p class="clock">
            <span>{move || clock(position.get() * 1000)}</span>
            <span>{of_length}</span>
        </p>
        <progress
            aria-label=label::POSITION
            max=move || length.get().max(1).to_string()
            value=move || position.get().to_string()
            hidden=move || length.get() == 0
        ></progress>
    }
    .into_any()
}
