//! What the month would have cost elsewhere.

use crate::app::admin::use_admin;
use crate::app::language::use_language;
use crate::app::words::{admin, say};
use crate::domain::Language;
use crate::protocol;
use leptos::prelude::*;

/// Everybody's price for what was relayed.
#[component]
pub fn Elsewhere() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let all = handle.part(|page| page.view.as_ref().map(|view| view.month.elsewhere.clone()).unwrap_or_default());
    let rows = move || {
        let language = language.get();
        all.with(|all| {
            let largest =
                all.iter().filter_map(|one| one.most.as_ref().or(one.least.as_ref())).map(|sum| sum.micros).max();
            all.iter().map(|one| row(one, largest.unwrap_or_default(), language)).collect_view()
        })
    };
    let none = move || all.with(Vec::is_empty);
    view! {
        <section class="panel" aria-labelledby="elsewhere-heading">
            <h2 id="elsewhere-heading">{say(admin::ELSEWHERE)}</h2>
            <p class="hint">{say(admin::ELSEWHERE_HINT)}</p>
            <p class="quiet" hidden=move || !none()>
                {say(admin::NO_ELSEWHERE)}
            </p>
            <ul role="list" class="tallies elsewhere" hidden=none>
                {rows}
            </ul>
        </section>
    }
    .into_any()
}

/// With a bar that says nothing that the figures do not: what it costs at least, and at most.
fn row(of: &protocol::Elsewhere, largest: u64, language: Language) -> AnyView {
    let width = |sum: &Option<protocol::Money>| {
        let micros = sum.as_ref().map_or(0, |sum| sum.micros);
        (u128::from(micros) * 100 / u128::from(largest.max(1))).to_string()
    };
    let ours = of.is_ours.then(|| view! { <span class="chip">{admin::OURS.to(language)}</span> });
    view! {
        <li class:ours=of.is_ours>
            <span class="elsewhere-name">{of.provider.kind().title()} {ours}</span>
            <span class="quiet">{admin::cost_elsewhere(of, language)}</span>
            <svg class="tally" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect class="meter-ground" width="100" height="4" />
                <rect class="meter-reserved" width=width(&of.most) height="4" />
                <rect class="meter-used" width=width(&of.least) height="4" />
            </svg>
        </li>
    }
    .into_any()
}
