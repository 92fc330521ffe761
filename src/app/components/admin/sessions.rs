//! Sessions: those that are open, and those of the month that used the most.

use super::question::Ask;
use crate::app::admin::use_admin;
use crate::app::language::use_language;
use crate::app::words::{admin, say};
use crate::domain::{Language, ParticipantId};
use crate::protocol::{AdminAction, SessionUse};
use leptos::prelude::*;

/// A table with a row each.
#[component]
pub fn Sessions(
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let ids = handle.part(|page| {
        let ids = |view: &crate::protocol::AdminView| view.sessions.iter().map(|one| one.session).collect();
        page.view.as_ref().map_or_else(Vec::<ParticipantId>::new, ids)
    });
    let more = handle.part(|page| page.view.as_ref().map_or(0, |view| view.sessions_left_out));
    let priced =
        handle.part(|page| page.view.as_ref().is_some_and(|view| view.sessions.iter().any(|one| one.cost.is_some())));
    let none = move || ids.with(Vec::is_empty);
    view! {
        <section class="panel" aria-labelledby="sessions-heading">
            <h2 id="sessions-heading" tabindex="-1">
                {say(admin::SESSIONS)}
            </h2>
            <p class="hint">{say(admin::SESSIONS_HINT)}</p>
            <p class="quiet" hidden=move || !none()>
                {say(admin::NO_SESSIONS)}
            </p>
            <table class="sessions" hidden=none>
                <thead>
                    <tr>
                        <th scope="col">{say(admin::SESSION)}</th>
                        <th scope="col">{say(admin::PEOPLE)}</th>
                        <th scope="col">{say(admin::RELAYED)}</th>
                        <th scope="col" hidden=move || !priced.get()>
                            {say(admin::PROVIDER_COST)}
                        </th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || ids.get()
                        key=|id| *id
                        children=move |id| view! { <One id priced asked /> }
                    />
                </tbody>
            </table>
            <p class="quiet" hidden=move || more.get() == 0>
                {move || admin::left_out(more.get(), language.get())}
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn One(
    /// Which.
    id: ParticipantId,
    /// Whether there is a column for money.
    priced: Memo<bool>,
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let now = handle.part(move |page| page.view.as_ref()?.sessions.iter().find(|one| one.session == id).cloned());
    let read = move |read: fn(&SessionUse, Language) -> String| {
        Memo::new(move |_| {
            let language = language.get();
            now.with(|now| now.as_ref().map(|now| read(now, language)).unwrap_or_default())
        })
    };
    let (people, relayed, cost) = (read(people), read(relayed), read(cost));
    let open = Memo::new(move |_| now.with(|now| now.as_ref().is_some_and(|now| now.people.is_some())));
    let name = admin::short(&id.to_string());
    let words = Signal::derive(move || admin::END_SESSION.to(language.get()).to_owned());
    let whole = {
        let name = name.clone();
        Signal::derive(move || format!("{}: {name}", words.get()))
    };
    let action = Signal::stored(AdminAction::EndSession { session: id });
    view! {
        <tr>
            <th scope="row" class="ids">
                {name}
            </th>
            <td>{move || people.get()}</td>
            <td>{move || relayed.get()}</td>
            <td hidden=move || !priced.get()>{move || cost.get()}</td>
            <td class="deeds">
                <Show when=move || open.get()>
                    <Ask action words name=whole danger=true asked />
                </Show>
            </td>
        </tr>
    }
    .into_any()
}

fn people(now: &SessionUse, language: Language) -> String {
    now.people.map_or_else(|| admin::OVER.to(language).to_owned(), |people| people.to_string())
}

fn relayed(now: &SessionUse, language: Language) -> String {
    now.relayed.map_or_else(|| admin::NOT_KNOWN.to(language).to_owned(), |bytes| admin::amount(bytes, language))
}

fn cost(now: &SessionUse, language: Language) -> String {
    now.cost.as_ref().map(|cost| admin::money(cost, language)).unwrap_or_default()
}
