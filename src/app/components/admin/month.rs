//! The month: its figures, where it stands against the limit, and its days and hours.

use super::chart::styled;
use super::{Drawn, Legend, SeriesTable, places};
use crate::app::admin::use_admin;
use crate::app::charts::{HoursChart, Meter, MonthChart, MonthChartWords, Size, hours, meter, month as draw_month};
use crate::app::language::use_language;
use crate::app::words::{Text, admin, say};
use crate::domain::Language;
use crate::protocol::{AdminView, MonthSoFar, Series};
use leptos::prelude::*;

/// Everything of the month.
#[component]
pub fn Month() -> impl IntoView {
    let language = use_language();
    let of = month_of();
    let read = move |read: fn(&MonthSoFar, Language) -> String| {
        move || of.with(|month| month.as_ref().map(|month| read(month, language.get())).unwrap_or_default())
    };
    view! {
        <section class="panel admin-month" aria-labelledby="month-heading">
            <h2 id="month-heading">{read(|month, language| admin::month_name(&month.month, language))}</h2>
            <div class="headline">
                <p class="big">
                    <span class="big-figure">{read(|month, language| admin::amount(month.used, language))}</span>
                    <span class="quiet">{read(of_the_limit)}</span>
                </p>
                <dl class="facts">
                    <Fact name=admin::RESERVED words=Signal::derive(read(reserved)) />
                    <Fact name=admin::FORECAST words=Signal::derive(read(forecast)) />
                    <Fact name=admin::COST words=Signal::derive(read(cost)) />
                    <Fact name=admin::COST_OF_AN_HOUR words=Signal::derive(read(cost_of_an_hour)) />
                    <Fact name=admin::WATCHED words=Signal::derive(read(watched)) />
                </dl>
            </div>
            <Standing />
            <Days />
        </section>
        <Today />
    }
    .into_any()
}

fn month_of() -> Memo<Option<MonthSoFar>> {
    use_admin().part(|page| page.view.as_ref().map(|view| view.month.clone()))
}

#[component]
fn Fact(
    /// What.
    name: Text,
    /// How much.
    words: Signal<String>,
) -> impl IntoView {
    view! {
        <div hidden=move || words.with(String::is_empty)>
            <dt>{say(name)}</dt>
            <dd>{move || words.get()}</dd>
        </div>
    }
}

fn of_the_limit(month: &MonthSoFar, language: Language) -> String {
    let (limit, share) = (admin::amount(month.limit, language), admin::percent(month.used, month.limit, language));
    let estimated = admin::estimated_in_words(month, language);
    match language {
        Language::English => format!("relayed of {limit}, {share} · {estimated}"),
        Language::German => format!("über Relays, von {limit}, {share} · {estimated}"),
    }
}

fn reserved(month: &MonthSoFar, language: Language) -> String {
    admin::amount(month.reserved, language)
}

fn forecast(month: &MonthSoFar, language: Language) -> String {
    let Some(forecast) = month.forecast else { return admin::NO_FORECAST.to(language).to_owned() };
    let (low, high) = (admin::amount(forecast.low, language), admin::amount(forecast.high, language));
    let likely = admin::amount(forecast.likely, language);
    match language {
        Language::English => format!("about {likely}, from {low} to {high}"),
        Language::German => format!("etwa {likely}, von {low} bis {high}"),
    }
}

fn cost(month: &MonthSoFar, language: Language) -> String {
    let Some(cost) = &month.cost else { return admin::NO_COST.to(language).to_owned() };
    let so_far = admin::money(&cost.so_far, language);
    let budget = cost.budget.as_ref().map(|budget| admin::money(budget, language));
    let likely = cost.likely.as_ref().map(|likely| admin::money(likely, language));
    let of = match (budget, language) {
        (Some(budget), Language::English) => format!("{so_far} of {budget}"),
        (Some(budget), Language::German) => format!("{so_far} von {budget}"),
        (None, _) => so_far,
    };
    match (likely, language) {
        (Some(likely), Language::English) => format!("{of}, about {likely} in all"),
        (Some(likely), Language::German) => format!("{of}, etwa {likely} insgesamt"),
        (None, _) => of,
    }
}

fn cost_of_an_hour(month: &MonthSoFar, language: Language) -> String {
    admin::cost_of_an_hour(month.cost.as_ref(), language)
}

fn watched(month: &MonthSoFar, language: Language) -> String {
    admin::watched(month.watched, language)
}

/// The bar, and what happens on the way to its end.
#[component]
fn Standing() -> impl IntoView {
    let language = use_language();
    let of = month_of();
    let bar = Memo::new(move |_| {
        let language = language.get();
        of.with(|month| {
            month.as_ref().map(|month| {
                let stages: Vec<_> = month.stages.iter().map(|stage| stage.percent).collect();
                let label = format!(
                    "{}. {}",
                    admin::month_in_words(month, language),
                    admin::estimated_in_words(month, language)
                );
                meter(&Meter {
                    id: "month-meter",
                    used: month.used,
                    estimated: month.estimated,
                    reserved: month.reserved,
                    limit: month.limit,
                    stages: &stages,
                    label: &label,
                })
            })
        })
        .unwrap_or_default()
    });
    let stages = move || {
        let language = language.get();
        let stages = of.with(|month| month.as_ref().map(|month| month.stages.clone()).unwrap_or_default());
        let row = |stage: crate::protocol::Stage| {
            view! {
                <li class:reached=stage.reached>
                    <b>{format!("{} %", stage.percent)}</b>
                    " "
                    {admin::stage(stage.what).to(language)}
                </li>
            }
        };
        (!stages.is_empty())
            .then(|| view! { <ul role="list" class="stages">{stages.into_iter().map(row).collect_view()}</ul> })
    };
    view! {
        <Drawn svg=bar />
        {stages}
    }
    .into_any()
}

/// What of a view a chart shows.
fn series(of: fn(&AdminView) -> Option<&Vec<Series>>) -> Memo<Option<Vec<Series>>> {
    use_admin().part(move |page| page.view.as_ref().and_then(of).cloned())
}

fn is_empty(series: &[Series]) -> bool {
    series.iter().all(|one| one.bytes.iter().all(|bytes| *bytes == 0))
}

#[component]
fn Days() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let by_day = series(|view| view.month.by_day.as_ref());
    let drawn = Memo::new(move |_| {
        let language = language.get();
        handle.state.with(|page| page.view.as_ref().map(|view| days(view, language))).unwrap_or_default()
    });
    let shown = Memo::new(move |_| by_day.get().unwrap_or_default());
    let today = handle.part(|page| page.view.as_ref().map_or(0, |view| usize::from(view.month.today)));
    let silence = move || {
        by_day.with(|series| match series {
            None => Some(admin::NO_DAYS),
            Some(series) if is_empty(series) => Some(admin::NOTHING_THIS_MONTH),
            Some(_) => None,
        })
    };
    view! {
        <div class="charted">
            <h3>{say(admin::DAYS)}</h3>
            <Show
                when=move || silence().is_none()
                fallback=move || view! { <p class="quiet">{move || silence().unwrap_or(Text::NONE).to(language.get())}</p> }
            >
                <Drawn svg=drawn />
                <Legend id="days-legend" series=shown />
                <SeriesTable caption=admin::DAYS row=admin::DAY series=shown first=1 count=today />
            </Show>
        </div>
    }
    .into_any()
}

fn days(view: &AdminView, language: Language) -> String {
    let places = places(view);
    let month = &view.month;
    let Some(by_day) = &month.by_day else { return String::new() };
    let series = styled(&places, by_day);
    let label = format!("{}: {}", admin::DAYS.to(language), admin::month_in_words(month, language));
    let (limit, limit_above) = (admin::limit_in_words(month, language), admin::limit_above(month, language));
    let amount = |bytes| admin::amount(bytes, language);
    let draw = |size| {
        let words = MonthChartWords {
            label: &label,
            limit: &limit,
            limit_above: &limit_above,
            each_day: admin::EACH_DAY.to(language),
            amount: &amount,
        };
        draw_month(&MonthChart {
            id: "days",
            series: &series,
            days: month.days,
            today: month.today,
            limit: month.limit,
            forecast: month.forecast,
            size,
            words,
        })
    };
    Size::BOTH.map(draw).concat()
}

#[component]
fn Today() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let by_hour = series(|view| view.month.by_hour.as_ref());
    let drawn = Memo::new(move |_| {
        let language = language.get();
        handle.state.with(|page| page.view.as_ref().map(|view| of_today(view, language))).unwrap_or_default()
    });
    let shown = Memo::new(move |_| by_hour.get().unwrap_or_default());
    let silence = move || {
        by_hour.with(|series| match series {
            None => Some(admin::NO_DAYS),
            Some(series) if is_empty(series) => Some(admin::NOTHING_TODAY),
            Some(_) => None,
        })
    };
    view! {
        <section class="panel charted" aria-labelledby="hours-heading">
            <h2 id="hours-heading">{say(admin::HOURS)}</h2>
            <Show
                when=move || silence().is_none()
                fallback=move || view! { <p class="quiet">{move || silence().unwrap_or(Text::NONE).to(language.get())}</p> }
            >
                <Drawn svg=drawn />
                <Legend id="hours-legend" series=shown />
                <SeriesTable caption=admin::HOURS row=admin::HOUR series=shown first=0 count=Signal::stored(24) />
            </Show>
        </section>
    }
    .into_any()
}

fn of_today(view: &AdminView, language: Language) -> String {
    let places = places(view);
    let Some(by_hour) = &view.month.by_hour else { return String::new() };
    let series = styled(&places, by_hour);
    let amount = |bytes| admin::amount(bytes, language);
    let draw = |size| {
        hours(&HoursChart {
            id: "hours",
            series: &series,
            hour: view.month.hour,
            size,
            label: admin::HOURS.to(language),
            amount: &amount,
        })
    };
    Size::BOTH.map(draw).concat()
}
