//! How the month's connections fared.

use crate::app::admin::use_admin;
use crate::app::language::use_language;
use crate::app::words::{Text, admin, say};
use crate::domain::Language;
use crate::protocol::{Outcomes, Tally};
use leptos::prelude::*;

/// Two shares, a time, and what they are made of.
#[component]
pub fn OutcomesPanel() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let outcomes = handle.part(|page| page.view.as_ref().and_then(|view| view.outcomes.clone()));
    let inside = move || {
        let language = language.get();
        match outcomes.get() {
            None => view! { <p class="quiet">{admin::OUTCOMES_NOT_KEPT.to(language)}</p> }.into_any(),
            Some(outcomes) if admin::ended(&outcomes) == 0 => {
                view! { <p class="quiet">{admin::NO_OUTCOMES.to(language)}</p> }.into_any()
            }
            Some(outcomes) => told(&outcomes, language),
        }
    };
    view! {
        <section class="panel" aria-labelledby="outcomes-heading">
            <h2 id="outcomes-heading">{say(admin::OUTCOMES)}</h2>
            {inside}
        </section>
    }
    .into_any()
}

fn told(outcomes: &Outcomes, language: Language) -> AnyView {
    let ended = admin::ended(outcomes);
    let figure = |figure: String, what: Text| {
        view! {
            <div>
                <dt>{what.to(language)}</dt>
                <dd>{figure}</dd>
            </div>
        }
    };
    let round_trip = outcomes.relay_round_trip_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms} ms"));
    let countries = if outcomes.by_country.is_empty() {
        view! { <p class="quiet">{admin::NO_COUNTRIES.to(language)}</p> }.into_any()
    } else {
        tallies(&outcomes.by_country, language, |country, _| country.clone())
    };
    let part = |heading: Text, list: AnyView| {
        view! {
            <h3>{heading.to(language)}</h3>
            {list}
        }
    };
    let failed = (!outcomes.failed.is_empty()).then(|| {
        let words = |why: &crate::protocol::FailedBecause, language| admin::failed(*why).to(language).to_owned();
        part(admin::WHY_FAILED, tallies(&outcomes.failed, language, words))
    });
    let candidates = (!outcomes.by_candidate.is_empty()).then(|| {
        let words = |kind: &crate::protocol::CandidateType, language| admin::candidate(*kind).to(language).to_owned();
        part(admin::BY_CANDIDATE, tallies(&outcomes.by_candidate, language, words))
    });
    let transports = (!outcomes.by_transport.is_empty()).then(|| {
        let words = |of: &crate::protocol::RelayTransport, _| admin::transport(*of).to_owned();
        part(admin::BY_TRANSPORT, tallies(&outcomes.by_transport, language, words))
    });
    view! {
        <p class="quiet">{admin::ended_in_words(outcomes, language)}</p>
        <dl class="facts outcome-facts">
            {figure(admin::percent(outcomes.came_up, ended, language), admin::CAME_UP)}
            {figure(admin::percent(outcomes.relayed, outcomes.came_up.max(1), language), admin::NEEDED_RELAY)}
            {figure(round_trip, admin::RELAY_ROUND_TRIP)}
        </dl>
        {failed}
        {candidates}
        {transports}
        {part(admin::BY_COUNTRY, countries)}
    }
    .into_any()
}

/// Each with its share as a bar, whose length says nothing that the numbers do not.
fn tallies<T>(tallies: &[Tally<T>], language: Language, words: impl Fn(&T, Language) -> String) -> AnyView {
    let whole = tallies.iter().fold(0, |sum: u64, tally| sum.saturating_add(tally.count));
    let row = |tally: &Tally<T>| {
        let width = (u128::from(tally.count) * 100 / u128::from(whole.max(1))).to_string();
        view! {
            <li>
                <span>{words(&tally.of, language)}</span>
                <span class="quiet">{admin::share(tally.count, whole, language)}</span>
                <svg class="tally" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="meter-ground" width="100" height="4" />
                    <rect class="meter-used" width=width height="4" />
                </svg>
            </li>
        }
    };
    let rows = tallies.iter().map(row).collect_view();
    view! { <ul role="list" class="tallies">{rows}</ul> }.into_any()
}
