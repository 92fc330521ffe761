//! Each provider: whether it is asked, how its relay was, and whose count says what.

use super::chart::style_of;
use super::places;
use super::question::Ask;
use crate::app::admin::use_admin;
use crate::app::charts::swatch;
use crate::app::language::use_language;
use crate::app::words::{Text, admin, say};
use crate::domain::{Language, ProviderName};
use crate::protocol::{AdminAction, MeterNow, ProviderNow, ProviderStanding};
use leptos::prelude::*;

/// All of them, in the order in which they are asked, and last those that are in the settings no more.
#[component]
pub fn Providers(
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let names = handle.part(|page| {
        let names = |view: &crate::protocol::AdminView| view.providers.iter().map(|one| one.name.clone()).collect();
        page.view.as_ref().map_or_else(Vec::<ProviderName>::new, names)
    });
    view! {
        <section class="panel" aria-labelledby="providers-heading">
            <h2 id="providers-heading">{say(admin::PROVIDERS)}</h2>
            <p class="quiet" hidden=move || !names.with(Vec::is_empty)>
                {say(admin::NO_PROVIDERS)}
            </p>
            <ul role="list" class="admin-cards">
                <For each=move || names.get() key=Clone::clone children=move |name| view! { <One name asked /> } />
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn One(
    /// Which.
    name: ProviderName,
    /// Where questions are put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let which = name.clone();
    let now = handle.part(move |page| {
        let view = page.view.as_ref()?;
        let now = view.providers.iter().find(|one| one.name == which)?.clone();
        // By the minute: a page that counts seconds never stands still.
        Some((now, view.at_ms / 60_000 * 60_000))
    });
    let style = {
        let name = name.clone();
        handle.part(move |page| page.view.as_ref().map_or(0, |view| style_of(&places(view), Some(&name))))
    };
    let tile = {
        let id = format!("provider-{}", name.to_string().replace(':', "-"));
        move || swatch(&id, style.get())
    };
    let read = move |read: fn(&ProviderNow, u64, Language) -> String| {
        Memo::new(move |_| {
            let language = language.get();
            now.with(|now| now.as_ref().map(|(now, at)| read(now, *at, language)).unwrap_or_default())
        })
    };
    let state = Memo::new(move |_| now.with(|now| now.as_ref().map(|(now, _)| now.standing)));
    let paused = move || state.get() == Some(ProviderStanding::Paused);
    let gone = move || state.get() == Some(ProviderStanding::Gone);
    let action = {
        let provider = name.clone();
        Signal::derive(move || AdminAction::PauseProvider { provider: provider.clone(), paused: !paused() })
    };
    let words =
        Signal::derive(move || if paused() { admin::GO_ON } else { admin::PAUSE }.to(language.get()).to_owned());
    let title = name.to_string();
    let whole = {
        let title = title.clone();
        Signal::derive(move || format!("{}: {title}", words.get()))
    };
    let meter = read(meter);
    let trouble = Memo::new(move |_| {
        now.with(|now| now.as_ref().is_some_and(|(now, _)| now.meter.as_ref().is_some_and(MeterNow::is_trouble)))
    });
    let row = |label: Text, words: Memo<String>| {
        view! {
            <div hidden=move || words.with(String::is_empty)>
                <dt>{say(label)}</dt>
                <dd>{move || words.get()}</dd>
            </div>
        }
    };
    view! {
        <li class="admin-card" data-standing=move || standing_word(state.get())>
            <div class="admin-card-head">
                <h3>
                    <span class="legend-swatch" inner_html=tile></span>
                    {title}
                </h3>
                <p class="chip">{move || state.get().map(|state| admin::standing(state).to(language.get()))}</p>
            </div>
            <dl class="admin-rows">
                {row(admin::COUNTED, read(counted))}
                {row(admin::SAID, read(said))}
                {row(admin::DRIFT, read(drift))}
                <div
                    hidden=move || meter.with(String::is_empty)
                    class:fault=move || trouble.get()
                >
                    <dt>{say(admin::METER)}</dt>
                    <dd>{move || meter.get()}</dd>
                </div>
                {row(admin::LIMIT, read(limit))}
                {row(admin::PRICE, read(price))}
                {row(admin::PROVIDER_COST, read(cost))}
                {row(admin::RELAY, read(relay))}
                {row(admin::LAST_ERROR, read(last_error))}
            </dl>
            // There is nothing to pause of one that nobody asks.
            <div hidden=gone>
                <Ask action words name=whole danger=false asked />
            </div>
        </li>
    }
    .into_any()
}

fn standing_word(standing: Option<ProviderStanding>) -> &'static str {
    match standing {
        None | Some(ProviderStanding::Asked) => "asked",
        Some(ProviderStanding::LeftAlone | ProviderStanding::TriedAgain) => "trouble",
        Some(ProviderStanding::Paused) => "paused",
        Some(ProviderStanding::Gone) => "gone",
    }
}

fn counted(now: &ProviderNow, _: u64, language: Language) -> String {
    now.counted.map_or_else(|| admin::NOT_KNOWN.to(language).to_owned(), |bytes| admin::amount(bytes, language))
}

fn said(now: &ProviderNow, _: u64, language: Language) -> String {
    now.said.map_or_else(|| admin::NOT_KNOWN.to(language).to_owned(), |bytes| admin::amount(bytes, language))
}

fn drift(now: &ProviderNow, _: u64, language: Language) -> String {
    now.counted.zip(now.said).map(|(counted, said)| admin::drift(counted, said, language)).unwrap_or_default()
}

fn meter(now: &ProviderNow, at_ms: u64, language: Language) -> String {
    now.meter.as_ref().map(|meter| admin::meter(meter, at_ms, language)).unwrap_or_default()
}

fn limit(now: &ProviderNow, _: u64, language: Language) -> String {
    now.limit.map(|limit| admin::amount(limit, language)).unwrap_or_default()
}

fn price(now: &ProviderNow, _: u64, language: Language) -> String {
    now.price_per_gb.as_ref().map(|price| admin::money(price, language)).unwrap_or_default()
}

fn cost(now: &ProviderNow, _: u64, language: Language) -> String {
    now.cost.as_ref().map(|cost| admin::money(cost, language)).unwrap_or_default()
}

fn relay(now: &ProviderNow, at_ms: u64, language: Language) -> String {
    let Some(tried) = &now.relay else { return admin::NOT_TRIED.to(language).to_owned() };
    let ways: Vec<_> = tried
        .ways
        .iter()
        .map(|way| {
            let time =
                way.round_trip_ms.map_or_else(|| admin::NO_ECHO.to(language).to_owned(), |ms| format!("{ms} ms"));
            format!("{} {time}", way.way.to_uppercase())
        })
        .collect();
    format!("{} · {}", ways.join(", "), admin::ago(tried.at_ms, at_ms, language))
}

fn last_error(now: &ProviderNow, at_ms: u64, language: Language) -> String {
    match &now.last_error {
        None => admin::NO_ERROR.to(language).to_owned(),
        Some(error) => format!("{} · {}", error.text, admin::ago(error.at_ms, at_ms, language)),
    }
}
