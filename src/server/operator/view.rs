//! The view, put together from what the rooms say of themselves.

use crate::domain::{ByteCount, ParticipantId, UnixMillis};
use crate::protocol::{
    AdminView, ConnectionNow, Counting, LastError, Money, MonthCost, MonthSoFar, PathNow, PeopleNow, ProviderNow,
    ProviderStanding, Range, RelayStage, RelayTried, Series, SessionUse, Stage, StageKind, WayTried,
};
use crate::server::clock::Clock;
use crate::server::config::MoneyConfig;
use crate::server::money::{self, Bill, Tariff};
use crate::server::paths::Open;
use crate::server::providers::{Grants, ProviderState, RelaySeen, Standing};
use crate::server::signaling::Sessions;
use crate::server::usage::{Books, Month, ProviderLimits, SessionMonth, Slots, Usage};
use std::collections::BTreeMap;

/// Rows that a page can still be read with.
const SESSIONS: usize = 15;

/// The same for connections.
const CONNECTIONS: usize = 60;

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

/// Who is asked.
pub struct Sources<'a> {
    /// The time.
    pub clock: &'a Clock,
    /// Who is there, and how connections run.
    pub sessions: &'a Sessions,
    /// The month.
    pub usage: &'a Usage,
    /// The providers.
    pub grants: &'a Grants,
    /// What they cost.
    pub money: &'a MoneyConfig,
}

/// Everything, as it is now.
pub(super) fn view(sources: &Sources<'_>, books: &Books) -> AdminView {
    let Sources { clock, sessions, usage, .. } = sources;
    let wall = clock.wall();
    let month = Month::of(wall);
    let day = u8::try_from(wall.0.saturating_sub(month.starts_at().0) / DAY_MS + 1).unwrap_or(1);
    let (by_day, by_hour) = (books.by_day(month).ok(), books.by_hour(month, day).ok());
    let readable = by_day.is_some() && by_hour.is_some();
    let (status, limits) = (usage.status(), usage.limits());
    let open = sessions.paths().all();
    let bill = bill(sources, books, by_day.as_ref(), month);
    let (sessions, sessions_left_out) = every_session(sources, books, month);
    let headcount = sources.sessions.headcount();
    AdminView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at_ms: wall.0,
        month: MonthSoFar {
            month: month.to_string(),
            days: u8::try_from((month.next().starts_at().0 - month.starts_at().0) / DAY_MS).unwrap_or(31),
            today: day,
            hour: u8::try_from(wall.0 % DAY_MS / HOUR_MS).unwrap_or_default(),
            used: status.bandwidth_used_bytes,
            estimated: status.bandwidth_estimated_bytes,
            reserved: status.bandwidth_reserved_bytes,
            limit: limits.month.get(),
            stages: stages(limits.stages.percentages(), *usage.stage_changes().borrow()),
            by_day: by_day.map(in_series),
            by_hour: by_hour.map(in_series),
            forecast: readable.then(|| forecast(&bill)),
            cost: cost(&bill, sources.money),
        },
        providers: providers(sources, &limits.providers, &bill),
        people: PeopleNow {
            sessions: count(headcount.sessions),
            participants: count(headcount.participants),
            connections: count(open.len()),
        },
        sessions,
        sessions_left_out,
        connections_left_out: count(open.len().saturating_sub(CONNECTIONS)),
        connections: open.iter().take(CONNECTIONS).map(connection).collect(),
        outcomes: sources.sessions.paths().outcomes(),
        counting: match usage.uncounted_for() {
            Some(_) => Counting::Stopped,
            None if readable => Counting::Works,
            None => Counting::SumsOnly,
        },
    }
}

/// The month in money, and by its end. The days of the month before tell what a week looks like.
fn bill(sources: &Sources<'_>, books: &Books, by_day: Option<&Slots>, month: Month) -> Bill {
    let Sources { clock, usage, grants, money, .. } = sources;
    let line = grants.line();
    let before = Month::of(UnixMillis(month.starts_at().0.saturating_sub(1)));
    let months: Vec<_> = by_day
        .map(|days| (month, days.clone()))
        .into_iter()
        .chain(books.by_day(before).ok().map(|days| (before, days)))
        .collect();
    let used = money::Used::of_books(clock.wall(), &line.names(), &usage.this_month(), &months);
    Bill::of(&money.provider_prices, &used)
}

fn forecast(bill: &Bill) -> Range {
    let by_end = bill.bytes_by_end().map(ByteCount::get);
    Range { low: by_end.least, likely: by_end.likely, high: by_end.most }
}

/// Where nobody sends a bill there is none.
fn cost(bill: &Bill, config: &MoneyConfig) -> Option<MonthCost> {
    let priced = bill.lines.iter().any(|line| line.paid.tariff().is_some());
    (priced || config.monthly_budget.is_some()).then(|| MonthCost {
        so_far: amount(bill.so_far, config),
        likely: bill.by_end.likely.map(|likely| amount(likely, config)),
        budget: config.monthly_budget.map(|budget| amount(budget, config)),
    })
}

fn amount(of: money::Money, config: &MoneyConfig) -> Money {
    Money { micros: of.get(), currency: config.currency.to_string() }
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn in_series(slots: Slots) -> Vec<Series> {
    slots.into_iter().map(|(provider, bytes)| Series { provider, bytes }).collect()
}

/// Those that are asked, and those that were this month.
fn providers(sources: &Sources<'_>, limits: &ProviderLimits, bill: &Bill) -> Vec<ProviderNow> {
    let Sources { grants, usage, money, .. } = sources;
    let sums: BTreeMap<_, _> = usage.this_month().into_iter().collect();
    grants
        .line()
        .states()
        .into_iter()
        .map(|ProviderState { name, standing, relay, trouble }| {
            let of = sums.get(&Some(name.clone())).copied().unwrap_or_default();
            let owed = bill.lines.iter().find(|line| line.provider == name);
            let per_gb = owed.and_then(|line| line.paid.tariff()).and_then(Tariff::per_gb);
            ProviderNow {
                standing: match standing {
                    _ if grants.pauses().holds(&name) => ProviderStanding::Paused,
                    Standing::Closed => ProviderStanding::Asked,
                    Standing::Open => ProviderStanding::LeftAlone,
                    Standing::HalfOpen => ProviderStanding::TriedAgain,
                },
                relay: relay.map(tried),
                last_error: trouble.map(|trouble| LastError { at_ms: trouble.at.0, text: trouble.text }),
                counted: Some(of.counted.plus(of.estimated).get()),
                said: Some(of.said.get()).filter(|said| *said > 0),
                limit: limits.of(&name).map(ByteCount::get),
                price_per_gb: per_gb.map(|price| amount(price, money)),
                cost: owed.and_then(|line| line.so_far).map(|cost| amount(cost, money)),
                name,
            }
        })
        .collect()
}

/// What happens on the way to the limit, in the order of their shares.
fn stages([warn, narrow, direct_only, over]: [u8; 4], now: RelayStage) -> Vec<Stage> {
    let stage = |percent, what, at| Stage { percent, what, reached: now >= at };
    vec![
        stage(warn, StageKind::Warn, RelayStage::Warned),
        stage(narrow, StageKind::LowerCeiling, RelayStage::Narrow),
        stage(direct_only, StageKind::DirectOnly, RelayStage::DirectOnly),
        stage(over, StageKind::EndRelayed, RelayStage::Over),
    ]
}

fn tried(seen: RelaySeen) -> RelayTried {
    let way = |(way, time): (_, Option<std::time::Duration>)| {
        let way: crate::server::providers::Way = way;
        let round_trip_ms = time.and_then(|time| u32::try_from(time.as_millis()).ok());
        WayTried { way: way.word().to_owned(), round_trip_ms }
    };
    RelayTried { at_ms: seen.at.0, ways: seen.round_trips.into_iter().map(way).collect() }
}

/// The open ones first, the largest of each first.
fn every_session(sources: &Sources<'_>, books: &Books, month: Month) -> (Vec<SessionUse>, u64) {
    let roll = sources.sessions.roll();
    let hosts: Vec<ParticipantId> = roll.iter().map(|(host, _)| *host).collect();
    let used = books.of_sessions(month, &hosts).ok();
    let relayed = |host: &ParticipantId| {
        let of = |used: &Vec<SessionMonth>| used.iter().find(|one| one.session == *host).map_or(0, SessionMonth::total);
        used.as_ref().map(of)
    };
    let open = roll.iter().map(|(host, people)| SessionUse {
        session: *host,
        people: Some(count(*people)),
        relayed: relayed(host),
        cost: None,
    });
    let mut all: Vec<_> = open.collect();
    all.sort_by_key(|one| (std::cmp::Reverse(one.relayed), one.session));
    let most = u32::try_from(SESSIONS + hosts.len().min(SESSIONS)).unwrap_or(u32::MAX);
    let (largest, in_books) = books.sessions(month, most).unwrap_or_default();
    let over = largest.iter().filter(|one| !hosts.contains(&one.session)).map(|one| SessionUse {
        session: one.session,
        people: None,
        relayed: Some(one.total()),
        cost: None,
    });
    all.extend(over);
    let open_in_books = used.map_or(0, |used| used.len());
    let there_are = count(hosts.len()).saturating_add(in_books.saturating_sub(count(open_in_books)));
    all.truncate(SESSIONS);
    let left_out = there_are.saturating_sub(count(all.len()));
    (all, left_out)
}

fn connection(open: &Open) -> ConnectionNow {
    let relayed_end = open.relayed_end().map(|(_, end)| end);
    let telling = relayed_end.unwrap_or(if open.at_guest.heard { &open.at_guest } else { &open.at_host });
    let path = open.path();
    ConnectionNow {
        connection: open.connection,
        session: open.host,
        guest: open.guest,
        path,
        provider: relayed_end.and_then(|end| end.provider.clone()),
        transport: relayed_end.and_then(|end| end.seen.transport),
        candidates: telling.seen.local.zip(telling.seen.remote),
        bits_per_second: telling.seen.bits_per_second.filter(|_| path != PathNow::Unknown),
        round_trip_ms: telling.seen.round_trip_ms,
        since_ms: open.since.0,
        relays_for: open.relayed_end().map(|(who, _)| who),
    }
}
