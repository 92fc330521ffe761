//! What stands around a drawing: both of its sizes, whose colour is whose, and the same figures as a table.

use crate::app::admin::use_admin;
use crate::app::charts::{STYLES, swatch};
use crate::app::language::use_language;
use crate::app::words::{Text, admin, say};
use crate::domain::{Language, ProviderName};
use crate::protocol::{AdminView, Series};
use leptos::prelude::*;

/// Whose style is whose, the same in every chart of the page: providers in their order, then those of the month that are configured
/// no more. What is nobody's has the last style.
pub fn places(view: &AdminView) -> Vec<ProviderName> {
    let mut places: Vec<_> = view.providers.iter().map(|provider| provider.name.clone()).collect();
    let series = view.month.by_day.iter().chain(&view.month.by_hour).flatten();
    for name in series.filter_map(|series| series.provider.clone()) {
        if !places.contains(&name) {
            places.push(name);
        }
    }
    places
}

/// The style of a series.
pub(super) fn style_of(places: &[ProviderName], provider: Option<&ProviderName>) -> usize {
    let place = provider.and_then(|provider| places.iter().position(|place| place == provider));
    place.map_or(STYLES - 1, |place| place.min(STYLES - 2))
}

/// Series as charts take them, in the order of their styles.
pub(super) fn styled(places: &[ProviderName], series: &[Series]) -> Vec<(usize, Vec<u64>)> {
    let mut styled: Vec<_> =
        series.iter().map(|one| (style_of(places, one.provider.as_ref()), one.bytes.clone())).collect();
    styled.sort_by_key(|(style, _)| *style);
    styled
}

/// What people read of a series.
pub(super) fn name_of(provider: Option<&ProviderName>, language: Language) -> String {
    provider.map_or_else(|| admin::NOBODYS.to(language).to_owned(), ToString::to_string)
}

/// A drawing in both of its sizes; the stylesheet shows the one that fits.
#[component]
pub fn Drawn(
    /// The texts of the drawings.
    #[prop(into)]
    svg: Signal<String>,
) -> impl IntoView {
    view! { <div class="drawn" inner_html=move || svg.get()></div> }.into_any()
}

/// Whose colour and pattern are whose.
#[component]
pub fn Legend(
    /// Unique in the page.
    id: &'static str,
    /// What is drawn.
    series: Memo<Vec<Series>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let all = handle.part(|page| page.view.as_ref().map(places).unwrap_or_default());
    let rows = move || {
        let (language, places) = (language.get(), all.get());
        let mut rows: Vec<_> = series.with(|series| {
            let named = series.iter().map(|one| {
                let style = style_of(&places, one.provider.as_ref());
                let total = one.bytes.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
                (style, name_of(one.provider.as_ref(), language), admin::amount(total, language))
            });
            named.collect()
        });
        rows.sort();
        rows.into_iter()
            .enumerate()
            .map(|(place, (style, name, total))| {
                let tile = swatch(&format!("{id}-{place}"), style);
                view! {
                    <li>
                        <span class="legend-swatch" inner_html=tile></span>
                        <span>{name}</span>
                        <span class="quiet">{total}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! { <ul role="list" class="legend">{rows}</ul> }.into_any()
}

/// The same figures as a table: rows are days or hours, columns providers.
#[component]
pub fn SeriesTable(
    /// What it is a table of.
    caption: Text,
    /// What rows are.
    row: Text,
    /// What is drawn.
    series: Memo<Vec<Series>>,
    /// The number of the first row.
    first: usize,
    /// How many rows there are by now.
    #[prop(into)]
    count: Signal<usize>,
) -> impl IntoView {
    let language = use_language();
    let head = move || {
        let language = language.get();
        let names =
            series.with(|series| series.iter().map(|one| name_of(one.provider.as_ref(), language)).collect::<Vec<_>>());
        names.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view()
    };
    let body = move || {
        let language = language.get();
        let at = |one: &Series, slot: usize| one.bytes.get(slot).copied().unwrap_or_default();
        series.with(|series| {
            (0..count.get())
                .map(|slot| {
                    let total = series.iter().fold(0, |sum: u64, one| sum.saturating_add(at(one, slot)));
                    let cells = series.iter().map(|one| view! { <td>{admin::amount(at(one, slot), language)}</td> });
                    view! {
                        <tr>
                            <th scope="row">{first + slot}</th>
                            {cells.collect_view()}
                            <td>{admin::amount(total, language)}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    // The panel around it has the caption for its name.
    let name = move || format!("{}: {}", admin::AS_TABLE.to(language.get()), caption.to(language.get()));
    view! {
        <details class="as-table">
            <summary>{say(admin::AS_TABLE)}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=name>
                <table>
                    <caption class="unseen">{say(caption)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{say(row)}</th>
                            {head}
                            <th scope="col">{say(admin::TOTAL)}</th>
                        </tr>
                    </thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}
