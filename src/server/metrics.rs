//! Figures for Prometheus: what is counted as it happens, and what is looked up when somebody asks.
//!
//! Labels are providers, ways, steps and outcomes: closed sets, so that the series stay few. No code, name or address is a label.

use super::{
    doctor::Checks,
    providers::{Failure, Grants, Pauses, ProviderState, Standing},
    signaling::Sessions,
    usage::Usage,
    version::commit,
};
use crate::domain::ProviderName;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{fmt, sync::atomic::AtomicU64, time::Duration};

/// Seconds. A mint takes about 0.1, and 1.85 at most.
const MINT_BUCKETS: [f64; 8] = [0.025, 0.05, 0.1, 0.2, 0.4, 0.7, 1.2, 2.0];

/// How asking providers went since the start. Clones count together, and outlive an exchange of the providers.
#[derive(Debug, Clone)]
pub struct Minting {
    outcomes: Family<Minted, Counter>,
    seconds: Family<OfProvider, Histogram, fn() -> Histogram>,
}

/// What callers got since the start. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Answers(Family<OfAnswer, Counter>);

/// What a caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A relay.
    Relay,
    /// STUN, since no provider gave anything, or none is configured.
    Stun,
    /// Too many requests.
    TooMany,
    /// The month's limit is reached.
    LimitReached,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfProvider {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Minted {
    provider: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    provider: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OverWay {
    provider: String,
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStep {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
    /// Empty where the build was not told.
    commit: &'static str,
}

/// A gauge of anything but whole numbers.
type Fraction = Gauge<f64, AtomicU64>;

impl Default for Minting {
    fn default() -> Self {
        Self { outcomes: Family::default(), seconds: Family::new_with_constructor(|| Histogram::new(MINT_BUCKETS)) }
    }
}

impl Minting {
    /// A provider was asked, answered so, and took so long.
    pub fn asked<T>(&self, provider: &ProviderName, minted: &Result<T, Failure>, took: Duration) {
        let outcome = minted.as_ref().err().map_or("minted", Failure::word);
        let provider = provider.to_string();
        self.outcomes.get_or_create(&Minted { provider: provider.clone(), outcome }).inc();
        self.seconds.get_or_create(&OfProvider { provider }).observe(took.as_secs_f64());
    }
}

impl Answers {
    /// A caller got this.
    pub fn gave(&self, given: Given) {
        let result = match given {
            Given::Relay => "relay",
            Given::Stun => "stun",
            Given::TooMany => "too_many",
            Given::LimitReached => "limit_reached",
        };
        self.0.get_or_create(&OfAnswer { result }).inc();
    }
}

/// Everything, as Prometheus reads it.
pub fn text(
    sessions: &Sessions,
    usage: &Usage,
    grants: &Grants,
    answers: &Answers,
    checks: &Checks,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("tessro");
    let build = Family::<Build, Gauge>::default();
    let commit = commit().unwrap_or_default();
    build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION"), commit }).set(1);
    registry.register("build_info", "The version that runs", build);
    people(&mut registry, sessions);
    bandwidth(&mut registry, usage);
    registry.register("credential_answers", "What callers of the credential API got", answers.0.clone());
    let line = grants.line();
    let Minting { outcomes, seconds } = line.minting().clone();
    registry.register("credentials", "Credentials that a provider was asked for, by how it answered", outcomes);
    registry.register_with_unit("credential_mint", "How long a provider took to answer", Unit::Seconds, seconds);
    let states = line.states();
    paused(&mut registry, &states, grants.pauses());
    providers(&mut registry, &states);
    checked(&mut registry, checks);
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

fn people(registry: &mut Registry, sessions: &Sessions) {
    let there = sessions.headcount();
    registry.register("sessions", "Sessions that are open", whole(there.sessions));
    registry.register(
        "participants",
        "People in sessions, those among them whose line is gone for now",
        whole(there.participants),
    );
    registry.register("sockets", "WebSockets of people in sessions", whole(there.sockets));
}

fn bandwidth(registry: &mut Registry, usage: &Usage) {
    let (status, limit) = (usage.status(), usage.limits().month);
    let connections = usize::try_from(status.active_connections).unwrap_or(usize::MAX);
    registry.register("connections", "Connections between browsers that are open", whole(connections));
    let mut bytes = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register_with_unit(name, help, Unit::Bytes, gauge);
    };
    bytes("bandwidth_used", "Relayed this month (UTC), estimates among it", status.bandwidth_used_bytes);
    bytes("bandwidth_estimated", "What of it was not measured", status.bandwidth_estimated_bytes);
    bytes("bandwidth_reserved", "Set aside for connections that are open", status.bandwidth_reserved_bytes);
    bytes("bandwidth_limit", "What may be relayed in a month", limit.get());
    // Where this is the only machine there is nothing to lend.
    if let Some(lent) = usage.lent_here() {
        bytes("bandwidth_lent", "What this machine may promise before the others are asked again", lent.get());
        registry.register_with_unit(
            "others_unheard",
            "For how long the other machines were not heard; 0 while they are",
            Unit::Seconds,
            seconds(usage.unheard_for().unwrap_or_default()),
        );
    }
}

fn providers(registry: &mut Registry, states: &[ProviderState]) {
    let breaker = Family::<InState, Gauge>::default();
    let echo = Family::<OverWay, Gauge>::default();
    let round_trip = Family::<OverWay, Fraction>::default();
    let checked = Family::<OfProvider, Fraction>::default();
    for ProviderState { name, standing, relay, .. } in states {
        let provider = name.to_string();
        for (of, state) in [(Standing::Closed, "closed"), (Standing::Open, "open"), (Standing::HalfOpen, "half_open")] {
            breaker.get_or_create(&InState { provider: provider.clone(), state }).set(i64::from(of == *standing));
        }
        let Some(relay) = relay else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a date needs fewer digits")]
        let at = relay.at.0 as f64 / 1_000.0;
        checked.get_or_create(&OfProvider { provider: provider.clone() }).set(at);
        for (way, time) in &relay.round_trips {
            let over = OverWay { provider: provider.clone(), transport: way.word() };
            echo.get_or_create(&over).set(i64::from(time.is_some()));
            if let Some(time) = time {
                round_trip.get_or_create(&over).set(time.as_secs_f64());
            }
        }
    }
    registry.register(
        "provider_breaker",
        "1 for the state in which a provider's breaker is; open: it fails or its relay does not echo",
        breaker,
    );
    registry.register("relay_echo", "Whether the relay echoed when it was last tried", echo);
    registry.register_with_unit("relay_round_trip", "There and back by way of the relay", Unit::Seconds, round_trip);
    registry.register_with_unit("relay_checked_timestamp", "When the relay was last tried", Unit::Seconds, checked);
}

fn checked(registry: &mut Registry, checks: &Checks) {
    let passes = Family::<OfStep, Gauge>::default();
    for (check, passed) in checks.standing() {
        passes.get_or_create(&OfStep { step: check.word() }).set(i64::from(passed));
    }
    registry.register("check", "1 where a check of this server passes, 0 where it fails; see `tessro doctor`", passes);
}

fn paused(registry: &mut Registry, states: &[ProviderState], pauses: &Pauses) {
    let paused = Family::<OfProvider, Gauge>::default();
    for ProviderState { name, .. } in states {
        paused.get_or_create(&OfProvider { provider: name.to_string() }).set(i64::from(pauses.holds(name)));
    }
    registry.register("provider_paused", "1 while an operator wants the provider asked no more", paused);
}

fn seconds(time: Duration) -> Fraction {
    let gauge = Fraction::default();
    gauge.set(time.as_secs_f64());
    gauge
}

fn whole(count: usize) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    gauge
}
