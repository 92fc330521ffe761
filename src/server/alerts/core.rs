//! What of an observation is said.
//!
//! Every topic has a level: 0 for well, and more the worse it is. A level is said when it has lasted for as long as its topic
//! is given time to pass by itself, and is forgotten when it has not held for as long again; how that differs from topic to topic
//! stands in [`Patience`]. Shares of a limit have no time to pass, and a margin of two percent instead, so that a correction around a
//! stage does not repeat it. Proven in `properties`: no level is said twice without having been forgotten in between, and none that
//! lasts is left unsaid, however looks, restarts and crashes follow each other.
//!
//! Pure: time is passed in. It is wall-clock time, since what was said outlives the process; a clock that is set back makes a
//! topic wait anew, and nothing worse.

use super::{Alert, Severity, State, Topic, pace::Burn, state::Kept};
use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::money::Share,
};
use std::time::Duration;

/// A stage is forgotten when the share is this much below it, in percent of the limit.
const MARGIN: u64 = 2;

/// Counts that differ by so many percent are worth a word, and by so many a louder one.
const DRIFT: [u64; 2] = [10, 25];

/// Counts below this differ by chance.
const SMALL: ByteCount = ByteCount::new(1_000_000_000);

/// How things are at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the month has relayed.
    pub used: ByteCount,
    /// What of it was counted here, or assumed, whatever providers say.
    pub counted: ByteCount,
    /// What it may.
    pub limit: ByteCount,
    /// What is spent of the budget, and the amounts in words; `None` where there is no budget.
    pub budget: Option<(Share, String)>,
    /// What providers with a limit of their own have relayed, and may.
    pub limits: Vec<(ProviderName, ByteCount, ByteCount)>,
    /// Every provider that is asked, and what is wrong with it.
    pub providers: Vec<(ProviderName, Option<Trouble>)>,
    /// Every provider that counts for itself.
    pub drifts: Vec<Drift>,
    /// Every provider whose own count is set up, and whether it does not come.
    pub meters: Vec<(ProviderName, Option<Unheard>)>,
    /// Why nothing can be counted at the moment.
    pub counting_fails: Option<String>,
}

/// What is wrong with a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It failed several times, and is left alone.
    NotAsked,
    /// It gives credentials, and its relay does not echo.
    Silent,
}

/// How a provider's own count does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheard {
    /// The provider is asked for it, and does not tell it.
    NotTold,
    /// It would come by itself, and nothing arrives.
    NothingArrives,
}

/// Two counts of the same month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Whose.
    pub provider: ProviderName,
    /// By what we counted.
    pub ours: ByteCount,
    /// By the provider itself.
    pub theirs: ByteCount,
}

/// How much time a topic is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To pass by itself.
    pub before: Duration,
    /// To be over for good.
    pub after: Duration,
}

impl Topic {
    /// How much time it is given.
    pub const fn patience(&self) -> Patience {
        let (before, after) = match self {
            Self::Limit | Self::Budget | Self::ProviderLimit(_) | Self::Test => (0, 0),
            // The breaker's first pauses are seconds; browsers have others meanwhile.
            Self::Provider(_) => (60, 300),
            Self::Counting => (0, 60),
            Self::Burn => (0, 3_600),
            // Providers tell their count minutes late.
            Self::Drift(_) => (900, 3_600),
            // Whoever did not answer is asked again after one, two and four minutes; a Redis that is started anew is back by then.
            Self::Meter(_) => (900, 300),
        };
        Patience { before: Duration::from_secs(before), after: Duration::from_secs(after) }
    }

    /// Whether it is told when it is over: where somebody waits for it.
    const fn is_told_when_over(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Meter(_) | Self::Counting)
    }
}

/// How one topic is.
struct Found {
    topic: Topic,
    /// What would be said of it now.
    level: u8,
    /// What was said up to here still holds.
    holds: u8,
    severity: Severity,
    stage: Option<u8>,
    message: String,
    advice: &'static str,
}

impl State {
    /// Takes in how things are, and tells what is to be said. `stages` are the shares of limits at which that is done, in percent.
    pub fn decide(&mut self, seen: &Observation, stages: &[u8], now: UnixMillis) -> Vec<Alert> {
        self.forget_those_gone(seen);
        self.pace.add(seen.counted, now);
        let mut found = shares(seen, stages);
        found.extend(self.pace.burn(seen.used, seen.limit, now).map(burn));
        found.extend(seen.providers.iter().map(provider));
        found.extend(seen.drifts.iter().map(drift));
        found.extend(seen.meters.iter().map(meter));
        found.push(counting(seen.counting_fails.as_deref()));
        found.into_iter().filter_map(|found| self.weigh(found, now)).collect()
    }

    /// What the settings do not have any more is said again should it come back.
    fn forget_those_gone(&mut self, seen: &Observation) {
        self.said.retain(|topic, _| match topic {
            Topic::Provider(name) | Topic::Drift(name) => seen.providers.iter().any(|(there, _)| there == name),
            Topic::Meter(name) => seen.meters.iter().any(|(there, _)| there == name),
            Topic::ProviderLimit(name) => seen.limits.iter().any(|(there, ..)| there == name),
            Topic::Budget => seen.budget.is_some(),
            Topic::Limit | Topic::Burn | Topic::Counting | Topic::Test => true,
        });
    }

    fn weigh(&mut self, found: Found, now: UnixMillis) -> Option<Alert> {
        let Found { topic, level, holds, severity, stage, message, advice } = found;
        let patience = topic.patience();
        let kept = self.said.entry(topic.clone()).or_default();
        let lasts = |since: &mut Option<UnixMillis>, is_so: bool, time: Duration| {
            *since = is_so.then(|| since.filter(|since| *since <= now).unwrap_or(now));
            since.is_some_and(|since| since.until(now) >= time)
        };
        let is_worse = lasts(&mut kept.worse_since, level > kept.level, patience.before);
        let is_better = lasts(&mut kept.better_since, holds < kept.level, patience.after);
        let said = if is_worse {
            *kept = Kept { level, ..Kept::default() };
            Some((severity, stage, message, advice))
        } else if is_better {
            *kept = Kept { level: holds, ..Kept::default() };
            (holds == 0 && topic.is_told_when_over()).then(|| (Severity::Over, None, over(&topic), ""))
        } else {
            None
        };
        if *kept == Kept::default() {
            self.said.remove(&topic);
        }
        let (severity, stage, message, advice) = said?;
        let id = Alert::name(&topic, severity, stage, now);
        Some(Alert { id, at: now, topic, severity, stage, message, advice: advice.to_owned() })
    }
}

fn shares(seen: &Observation, stages: &[u8]) -> Vec<Found> {
    let mut found = vec![reached(
        Topic::Limit,
        Share::of(seen.used.get(), seen.limit.get()),
        stages,
        |share| {
            format!(
                "{share} % of what may be relayed this month are used: {} of {} GB.",
                seen.used.gb_text(2),
                seen.limit.gb_text(2)
            )
        },
        "At the limit relays close until the month turns, and direct connections play on; MONTHLY_BANDWIDTH_LIMIT_GB sets it.",
    )];
    found.extend(seen.budget.as_ref().map(|(share, amounts)| {
        let message = |share| format!("{share} % of this month's budget are spent: {amounts}.");
        reached(
            Topic::Budget,
            *share,
            stages,
            message,
            "MONTHLY_BUDGET sets it, and PROVIDER_PRICES what it is reckoned with.",
        )
    }));
    found.extend(seen.limits.iter().map(|(name, used, limit)| {
        let message = |share| {
            format!(
                "{share} % of what {name} may relay this month are used: {} of {} GB.",
                used.gb_text(2),
                limit.gb_text(2)
            )
        };
        let advice = "At its limit the next provider in line takes over; PROVIDER_BANDWIDTH_LIMITS_GB sets it.";
        reached(Topic::ProviderLimit(name.clone()), Share::of(used.get(), limit.get()), stages, message, advice)
    }));
    found
}

fn reached(topic: Topic, share: Share, stages: &[u8], message: impl Fn(u64) -> String, advice: &'static str) -> Found {
    let up_to = |share: Share| stages.iter().filter(move |stage| Share::percent(u64::from(**stage)) <= share);
    let count = |share| u8::try_from(up_to(share).count()).unwrap_or(u8::MAX);
    let stage = up_to(share).max().copied();
    let severity = match stage {
        Some(100..) => Severity::Critical,
        Some(90..) => Severity::Warning,
        Some(_) | None => Severity::Notice,
    };
    let message = message(share.whole_percent());
    Found { topic, level: count(share), holds: count(share.plus_percent(MARGIN)), severity, stage, message, advice }
}

fn burn(burn: Burn) -> Found {
    let times = burn.last_hour.get() / burn.usual.get().max(1);
    let message = format!(
        "{} GB were relayed in the last hour, {times} times the usual hour: at this pace the month's limit is reached within {} h.",
        burn.last_hour.gb_text(2),
        burn.hours_left.saturating_add(1),
    );
    let severity = if burn.level > 1 { Severity::Critical } else { Severity::Warning };
    let advice = "Look who relays so much; ending a session closes its relays.";
    Found { topic: Topic::Burn, level: burn.level, holds: burn.holds, severity, stage: None, message, advice }
}

fn provider((name, trouble): &(ProviderName, Option<Trouble>)) -> Found {
    let (message, advice) = match trouble {
        Some(Trouble::Silent) => (
            format!("The relay of {name} does not answer."),
            "Others are asked first meanwhile; `tessro doctor` says where it ends.",
        ),
        Some(Trouble::NotAsked) | None => {
            (format!("{name} gives no credentials."), "Others are asked meanwhile; the log says what it answered.")
        }
    };
    let level = u8::from(trouble.is_some());
    let (topic, severity) = (Topic::Provider(name.clone()), Severity::Warning);
    Found { topic, level, holds: level, severity, stage: None, message, advice }
}

fn drift(drift: &Drift) -> Found {
    let Drift { provider, ours, theirs } = drift;
    let (small, large) = (*ours.min(theirs), *ours.max(theirs));
    let apart = large.minus(small);
    let level = |more: u64| {
        let percent = u128::from(apart.get()) * 100;
        let by = |part: &&u64| apart >= SMALL && percent >= u128::from(**part - more) * u128::from(large.get());
        u8::try_from(DRIFT.iter().filter(by).count()).unwrap_or(u8::MAX)
    };
    let message =
        format!("{provider} counts {} GB this month, and we count {} GB.", theirs.gb_text(2), ours.gb_text(2));
    let advice = "The larger one counts; docs/operating.md says what makes counts differ.";
    let (topic, severity) = (Topic::Drift(provider.clone()), Severity::Warning);
    Found { topic, level: level(0), holds: level(MARGIN), severity, stage: None, message, advice }
}

fn meter((name, unheard): &(ProviderName, Option<Unheard>)) -> Found {
    let (message, advice) = match unheard {
        Some(Unheard::NothingArrives) => (
            format!("What {name} counts itself does not arrive."),
            "What browsers report counts meanwhile, or none of its credentials are given, as the settings say. Look at its Redis.",
        ),
        Some(Unheard::NotTold) | None => (
            format!("{name} does not tell what it counts."),
            "What is counted here counts meanwhile, and its bill may be another one; the log says what it answered.",
        ),
    };
    let level = u8::from(unheard.is_some());
    let (topic, severity) = (Topic::Meter(name.clone()), Severity::Warning);
    Found { topic, level, holds: level, severity, stage: None, message, advice }
}

fn counting(why: Option<&str>) -> Found {
    let level = u8::from(why.is_some());
    let message = format!("What is relayed cannot be counted: {}.", why.unwrap_or_default().trim_end_matches('.'));
    let advice = "No new relay credentials are given meanwhile, unless the settings say otherwise. Look at the disk of DATA_DIR.";
    Found { topic: Topic::Counting, level, holds: level, severity: Severity::Critical, stage: None, message, advice }
}

fn over(topic: &Topic) -> String {
    match (topic, topic.provider()) {
        (Topic::Meter(name), _) => format!("What {name} counts itself is heard again."),
        (_, Some(name)) => format!("{name} works again."),
        (_, None) => "What is relayed is counted again.".to_owned(),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
