//! Connections that are open.

use super::question::Ask;
use crate::app::admin::use_admin;
use crate::app::charts::spark;
use crate::app::language::use_language;
use crate::app::words::{Text, admin, say};
use crate::domain::{ConnectionId, Language};
use crate::protocol::{AdminAction, ConnectionNow, PathNow};
use leptos::prelude::*;

/// The youngest first.
#[component]
pub fn Connections(
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let ids = handle.part(|page| {
        let ids = |view: &crate::protocol::AdminView| view.connections.iter().map(|one| one.connection).collect();
        page.view.as_ref().map_or_else(Vec::<ConnectionId>::new, ids)
    });
    let more = handle.part(|page| page.view.as_ref().map_or(0, |view| view.connections_left_out));
    view! {
        <section class="panel" aria-labelledby="connections-heading">
            <h2 id="connections-heading" tabindex="-1">
                {say(admin::CONNECTIONS)}
            </h2>
            <p class="quiet" hidden=move || !ids.with(Vec::is_empty)>
                {say(admin::NO_CONNECTIONS)}
            </p>
            <ul role="list" class="admin-list">
                <For each=move || ids.get() key=|id| *id children=move |id| view! { <One id asked /> } />
            </ul>
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
    id: ConnectionId,
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let now = handle.part(move |page| page.view.as_ref()?.connections.iter().find(|one| one.connection == id).cloned());
    let line = handle.part(move |page| {
        let rates = page.rates.get(&id);
        spark(&rates.map(|rates| rates.iter().copied().collect::<Vec<_>>()).unwrap_or_default())
    });
    let read = move |read: fn(&ConnectionNow, Language) -> String| {
        Memo::new(move |_| {
            let language = language.get();
            now.with(|now| now.as_ref().map(|now| read(now, language)).unwrap_or_default())
        })
    };
    let path = Memo::new(move |_| now.with(|now| now.as_ref().map(|now| now.path)));
    let relays_for = Memo::new(move |_| now.with(|now| now.as_ref().and_then(|now| now.relays_for)));
    let row = |label: Text, words: Memo<String>| {
        view! {
            <div hidden=move || words.with(String::is_empty)>
                <dt>{say(label)}</dt>
                <dd>{move || words.get()}</dd>
            </div>
        }
    };
    let end = move || {
        relays_for.get().map(|participant| {
            let words = Signal::derive(move || admin::END_RELAY.to(language.get()).to_owned());
            let name = Signal::derive(move || format!("{}: {}", words.get(), admin::short(&participant.to_string())));
            let action = Signal::stored(AdminAction::EndRelay { participant });
            view! { <Ask action words name danger=true asked /> }
        })
    };
    let names = read(names);
    view! {
        <li class="admin-item">
            <div class="admin-card-head">
                <h3 class="ids">{move || names.get()}</h3>
                <p class="chip" data-path=move || path_word(path.get())>
                    {move || path.get().map(|path| admin::path(path).to(language.get()))}
                </p>
            </div>
            <div class="with-spark">
                <dl class="admin-rows">
                    {row(admin::BITRATE, read(bitrate))}
                    {row(admin::ROUND_TRIP, read(round_trip))}
                    {row(admin::PATH, read(way))}
                </dl>
                <span inner_html=move || line.get()></span>
            </div>
            {end}
        </li>
    }
    .into_any()
}

fn path_word(path: Option<PathNow>) -> &'static str {
    match path {
        None | Some(PathNow::Unknown | PathNow::Connecting) => "open",
        Some(PathNow::Direct) => "direct",
        Some(PathNow::Relayed) => "relayed",
    }
}

fn names(now: &ConnectionNow, language: Language) -> String {
    let (session, guest) = (admin::short(&now.session.to_string()), admin::short(&now.guest.to_string()));
    format!("{} {session} · {} {guest}", admin::SESSION.to(language), admin::GUEST.to(language))
}

fn bitrate(now: &ConnectionNow, language: Language) -> String {
    now.bits_per_second.map_or_else(|| admin::NOT_KNOWN.to(language).to_owned(), |bits| admin::rate(bits, language))
}

fn round_trip(now: &ConnectionNow, language: Language) -> String {
    now.round_trip_ms.map_or_else(|| admin::NOT_KNOWN.to(language).to_owned(), |ms| format!("{ms} ms"))
}

fn way(now: &ConnectionNow, _: Language) -> String {
    let provider = now.provider.as_ref().map(ToString::to_string);
    let transport = now.transport.map(|transport| admin::transport(transport).to_owned());
    let candidates = now.candidates.map(|(local, remote)| format!("{} → {}", local.word(), remote.word()));
    provider.into_iter().chain(transport).chain(candidates).collect::<Vec<_>>().join(" · ")
}
