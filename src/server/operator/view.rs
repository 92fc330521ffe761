//! The view, put together from what the rooms say of themselves.

mod costs;

use self::costs::{amount, cost, elsewhere, forecast, of_session, used};
use crate::domain::{ByteCount, ParticipantId, ProviderKind, ProviderName};
use crate::protocol::{
    self, AdminView, ConnectionNow, Counting, LastError, MeterNow, MonthSoFar, PathNow, PeopleNow, ProviderNow,
    ProviderStanding, RelayStage, RelayTried, Series, SessionUse, Stage, StageKind, WayTried,
};
use crate::server::clock::Clock;
use crate::server::config::MoneyConfig;
use crate::server::money::{Bill, Tariff};
use crate::server::paths::Open;
use crate::server::providers::{Grants, ProviderState, RelaySeen, Standing, Voice, VoiceState, Voices};
use crate::server::signaling::Sessions;
use crate::server::usage::{Books, Month, ProviderLimits, ProviderSum, SessionMonth, Slots, Usage};
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
    /// What they count themselves.
    pub voices: &'a Voices,
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
    let used = used(sources, books, by_day.as_ref(), month);
    let bill = Bill::of(&sources.money.provider_prices, &used);
    let watched = sources.sessions.paths().watched();
    let (sessions, sessions_left_out) = every_session(sources, books, month, &bill);
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
            cost: cost(&bill, sources.money, watched),
            watched: watched.map(|watched| protocol::Watched {
                session_minutes: watched.sessions.as_secs() / 60,
                guest_minutes: watched.guests.as_secs() / 60,
            }),
            elsewhere: if readable { elsewhere(sources, &used) } else { Vec::new() },
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
            None if usage.unheard_for().is_some() => Counting::Apart,
            None if readable => Counting::Works,
            None => Counting::SumsOnly,
        },
    }
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn in_series(slots: Slots) -> Vec<Series> {
    slots.into_iter().map(|(provider, bytes)| Series { provider, bytes }).collect()
}

/// Those that are asked, and last those that are in the settings no more and relayed something this month.
fn providers(sources: &Sources<'_>, limits: &ProviderLimits, bill: &Bill) -> Vec<ProviderNow> {
    let Sources { grants, usage, money, voices, .. } = sources;
    let meters: BTreeMap<_, _> = voices.states().into_iter().map(|state| (state.provider.clone(), state)).collect();
    let sums: BTreeMap<_, _> = usage.this_month().into_iter().collect();
    let states = grants.line().states();
    let gone = |(name, sum): (&Option<ProviderName>, &ProviderSum)| {
        let is_there = |name: &ProviderName| states.iter().any(|state| state.name == *name);
        name.clone().filter(|name| sum.used() > ByteCount::ZERO && !is_there(name))
    };
    let gone: Vec<_> = sums.iter().filter_map(gone).collect();
    let row = |name: ProviderName, standing| {
        let of = sums.get(&Some(name.clone())).copied().unwrap_or_default();
        let owed = bill.lines.iter().find(|line| line.provider == name);
        let per_gb = owed.and_then(|line| line.paid.tariff()).and_then(Tariff::per_gb);
        ProviderNow {
            standing,
            relay: None,
            last_error: None,
            counted: Some(of.counted_here().get()),
            said: Some(of.said.get()).filter(|said| *said > 0),
            meter: None,
            limit: limits.of(&name).map(ByteCount::get),
            price_per_gb: per_gb.map(|price| amount(price, money)),
            cost: owed.and_then(|line| line.so_far).map(|cost| amount(cost, money)),
            name,
        }
    };
    let asked = |ProviderState { name, standing, relay, trouble }: ProviderState| {
        let standing = match standing {
            _ if grants.pauses().holds(&name) => ProviderStanding::Paused,
            Standing::Closed => ProviderStanding::Asked,
            Standing::Open => ProviderStanding::LeftAlone,
            Standing::HalfOpen => ProviderStanding::TriedAgain,
        };
        let meter = meter(sources, &name, meters.get(&name));
        let last_error = trouble.map(|trouble| LastError { at_ms: trouble.at.0, text: trouble.text });
        ProviderNow { relay: relay.map(tried), last_error, meter, ..row(name, standing) }
    };
    let gone = gone.into_iter().map(|name| row(name, ProviderStanding::Gone));
    states.into_iter().map(asked).chain(gone).collect()
}

/// Whether the provider's own count is to be had.
fn meter(sources: &Sources<'_>, name: &ProviderName, state: Option<&VoiceState>) -> Option<MeterNow> {
    let trouble = state.and_then(|state| state.failure.clone().filter(|_| state.is_failing));
    if let Some((silent, refused)) = sources.usage.silent_for(name) {
        // Both clocks tick at moments of their own: to the ten seconds the difference stands still.
        let since = sources.clock.wall().0 / 1_000 - silent.as_secs().min(sources.clock.wall().0 / 1_000);
        return Some(MeterNow::Silent {
            since_ms: (since + 5) / 10 * 10_000,
            refused,
            text: trouble.map(|trouble| trouble.sentence),
        });
    }
    let Some(state) = state else {
        return (name.kind() == ProviderKind::Relay).then_some(MeterNow::Here);
    };
    Some(match (&state.voice, trouble) {
        (Voice::Unheard(text), _) => MeterNow::NotSetUp { text: text.clone() },
        (_, Some(trouble)) => MeterNow::Away { at_ms: trouble.at.0, text: trouble.sentence },
        (Voice::Asked(_) | Voice::Listened { .. }, None) => {
            MeterNow::Heard { at_ms: state.heard_at.map(|heard_at| heard_at.0) }
        }
    })
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
fn every_session(sources: &Sources<'_>, books: &Books, month: Month, bill: &Bill) -> (Vec<SessionUse>, u64) {
    let roll = sources.sessions.roll();
    let hosts: Vec<ParticipantId> = roll.iter().map(|(host, _)| *host).collect();
    let used = books.of_sessions(month, &hosts).ok();
    let nothing = |host: &ParticipantId| SessionMonth { session: *host, counted: Vec::new() };
    let in_books = |host: &ParticipantId| {
        let of = |used: &Vec<SessionMonth>| used.iter().find(|one| one.session == *host).cloned();
        used.as_ref().map(|used| of(used).unwrap_or_else(|| nothing(host)))
    };
    let open = roll.iter().map(|(host, people)| {
        let of = in_books(host);
        SessionUse {
            session: *host,
            people: Some(count(*people)),
            relayed: of.as_ref().map(SessionMonth::total),
            cost: of.and_then(|of| of_session(sources, bill, &of)),
        }
    });
    let mut all: Vec<_> = open.collect();
    all.sort_by_key(|one| (std::cmp::Reverse(one.relayed), one.session));
    let most = u32::try_from(SESSIONS + hosts.len().min(SESSIONS)).unwrap_or(u32::MAX);
    let (largest, there) = books.sessions(month, most).unwrap_or_default();
    let over = largest.iter().filter(|one| !hosts.contains(&one.session)).map(|one| SessionUse {
        session: one.session,
        people: None,
        relayed: Some(one.total()),
        cost: of_session(sources, bill, one),
    });
    all.extend(over);
    let open_in_books = used.map_or(0, |used| used.len());
    let there_are = count(hosts.len()).saturating_add(there.saturating_sub(count(open_in_books)));
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
