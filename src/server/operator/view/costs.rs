//! The month in money, as the operator's page has it.

use super::Sources;
use crate::domain::{ByteCount, ProviderName, UnixMillis};
use crate::protocol::{self, Money, MonthCost, Range};
use crate::server::config::MoneyConfig;
use crate::server::money::{self, Bill};
use crate::server::paths::Watched;
use crate::server::usage::{Books, Month, SessionMonth, Slots};
use std::time::Duration;

/// The month as money is reckoned with. The days of the month before tell what a week looks like.
pub(super) fn used(sources: &Sources<'_>, books: &Books, by_day: Option<&Slots>, month: Month) -> money::Used {
    let Sources { clock, usage, grants, .. } = sources;
    let line = grants.line();
    let before = Month::of(UnixMillis(month.starts_at().0.saturating_sub(1)));
    let months: Vec<_> = by_day
        .map(|days| (month, days.clone()))
        .into_iter()
        .chain(books.by_day(before).ok().map(|days| (before, days)))
        .collect();
    money::Used::of_books(clock.wall(), &line.names(), &usage.this_month(), &months)
}

/// Where the month ends.
pub(super) fn forecast(bill: &Bill) -> Range {
    let by_end = bill.bytes_by_end().map(ByteCount::get);
    Range { low: by_end.least, likely: by_end.likely, high: by_end.most }
}

/// Where nobody sends a bill there is none.
pub(super) fn cost(bill: &Bill, config: &MoneyConfig, watched: Option<Watched>) -> Option<MonthCost> {
    let priced = bill.lines.iter().any(|line| line.paid.tariff().is_some());
    let an_hour = |of: fn(Watched) -> Duration| {
        watched.and_then(|watched| money::per_hour(bill.so_far, of(watched))).map(|cost| amount(cost, config))
    };
    (priced || config.monthly_budget.is_some()).then(|| MonthCost {
        so_far: amount(bill.so_far, config),
        likely: bill.by_end.likely.map(|likely| amount(likely, config)),
        budget: config.monthly_budget.map(|budget| amount(budget, config)),
        session_hour: an_hour(|watched| watched.sessions),
        guest_hour: an_hour(|watched| watched.guests),
    })
}

/// What a session cost. What nobody knows the provider of is put to the one that is asked first, as it is in the bill.
pub(super) fn of_session(sources: &Sources<'_>, bill: &Bill, session: &SessionMonth) -> Option<Money> {
    let line = sources.grants.line();
    let names = line.names();
    let part = |(provider, bytes): &(Option<ProviderName>, u64)| {
        let name = provider.clone().or_else(|| names.first().map(|name| (*name).clone()));
        name.map(|name| (name, ByteCount::new(*bytes)))
    };
    let parts: Vec<_> = session.counted.iter().filter_map(part).collect();
    let cost = bill.part(parts.iter().map(|(name, bytes)| (name, *bytes)));
    cost.map(|cost| amount(cost, sources.money))
}

/// The same month at everybody's prices: the cheapest first, and last those of whom nothing is known.
pub(super) fn elsewhere(sources: &Sources<'_>, used: &money::Used) -> Vec<protocol::Elsewhere> {
    let line = sources.grants.line();
    let ours: Vec<_> = line.names().into_iter().map(ProviderName::kind).collect();
    let mut all = money::Elsewhere::all(&sources.money.provider_prices, used);
    all.sort_by_key(|one| (one.cost.0.is_none(), one.cost.0, one.cost.1.is_none(), one.cost.1));
    let of = |one: money::Elsewhere| protocol::Elsewhere {
        provider: one.kind.into(),
        is_ours: ours.contains(&one.kind),
        least: one.cost.0.map(|cost| amount(cost, sources.money)),
        most: one.cost.1.map(|cost| amount(cost, sources.money)),
        is_rough: one.origin.is_none(),
    };
    all.into_iter().map(of).collect()
}

/// Money with its unit.
pub(super) fn amount(of: money::Money, config: &MoneyConfig) -> Money {
    Money { micros: of.get(), currency: config.currency.to_string() }
}
