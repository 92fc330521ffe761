//! Who is here.

use crate::app::session::use_session;
use crate::app::words::label;
use crate::domain::Role;
use crate::stream::Person;
use leptos::prelude::*;

/// The host first, then guests in the order in which they came.
#[component]
pub fn People() -> impl IntoView {
    let session = use_session();
    let people = session.part(|view| view.people.clone());
    view! {
        <section class="panel people">
            <h2 id="participants">
                {label::PARTICIPANTS} " " <span class="count">{move || people.with(Vec::len)}</span>
            </h2>
            <ul role="list" aria-label=label::PARTICIPANTS>
                {move || people.get().into_iter().map(one).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

fn one(person: Person) -> impl IntoView {
    let initial = person.name.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let mark = |shown: bool, word: &'static str| shown.then(|| view! { <span class="mark">{word}</span> });
    view! {
        <li class:away=!person.connected class:host=person.role == Role::Host>
            <span class="tile" aria-hidden="true">
                {initial}
            </span>
            <span class="name">{person.name}</span>
            {mark(person.role == Role::Host, "Host")}
            {mark(person.you, "you")}
            {mark(!person.connected, "away")}
        </li>
    }
    .into_any()
}
