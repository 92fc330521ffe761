//! Where observations come from: the one place that asks usage and providers how they are.

use super::{Drift, Observation, Trouble, Unheard};
use crate::{
    domain::{ByteCount, ProviderName},
    server::{
        clock::Clock,
        money::{Budget, Currency, Used},
        providers::{Grants, ProviderState, Standing, Voice, VoiceState, Voices},
        usage::{ProviderSum, Usage},
    },
};

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Gather {
    /// What is relayed.
    pub usage: Usage,
    /// Who relays it.
    pub grants: Grants,
    /// What they count themselves.
    pub voices: Voices,
    /// What that may cost, where there is a budget.
    pub budget: Option<Budget>,
    /// What amounts are called.
    pub currency: Currency,
    /// The time.
    pub clock: Clock,
}

impl Gather {
    /// How things are now.
    pub fn look(&self) -> Observation {
        let states = self.grants.line().states();
        let names: Vec<_> = states.iter().map(|state| &state.name).collect();
        let status = self.usage.status();
        let limits = self.usage.limits();
        let month = self.usage.this_month();
        let limited =
            |name: &&ProviderName| Some(((*name).clone(), self.usage.relayed_by(name), limits.providers.of(name)?));
        Observation {
            used: ByteCount::new(status.bandwidth_used_bytes),
            counted: month.iter().fold(ByteCount::ZERO, |counted, (_, sum)| counted.plus(sum.counted_here())),
            limit: limits.month,
            budget: self.budget.as_ref().map(|budget| {
                let used = self.used(&names, ByteCount::new(status.bandwidth_used_bytes));
                let spent = budget
                    .spent(&used)
                    .map_or_else(|| "an amount that nobody knows".to_owned(), |spent| spent.to_string());
                (budget.share(&used), format!("{spent} of {}", self.currency.show(budget.limit)))
            }),
            limits: names.iter().filter_map(limited).collect(),
            providers: states.iter().map(|state| (state.name.clone(), trouble(state))).collect(),
            drifts: drifts(month),
            meters: self.meters(),
            counting_fails: self.usage.uncounted_for().map(|_| "the usage ledger cannot be written".to_owned()),
        }
    }

    fn meters(&self) -> Vec<(ProviderName, Option<Unheard>)> {
        let voices = self.voices.states();
        voices.iter().filter_map(|state| meter(state, self.usage.silent_for(&state.provider).is_some())).collect()
    }

    /// The month by provider. What was estimated belongs to nobody, and is put to the one that is asked first.
    fn used(&self, names: &[&ProviderName], total: ByteCount) -> Used {
        let measured = names.iter().map(|name| ((*name).clone(), self.usage.relayed_by(name)));
        let mut used = measured.fold(Used::at(self.clock.wall()), |used, (name, bytes)| used.with(name, bytes));
        let known = used.providers.values().fold(ByteCount::ZERO, |sum, of| sum.plus(of.month));
        if let Some(first) = names.first().and_then(|name| used.providers.get_mut(*name)) {
            first.month = first.month.plus(total.minus(known));
        }
        used
    }
}

/// Where both of us count.
fn drifts(month: impl IntoIterator<Item = (Option<ProviderName>, ProviderSum)>) -> Vec<Drift> {
    let drift = |(provider, sum): (Option<ProviderName>, ProviderSum)| {
        let heard = sum.said > ByteCount::ZERO;
        Some(Drift { provider: provider.filter(|_| heard)?, ours: sum.counted_here(), theirs: sum.said })
    };
    month.into_iter().filter_map(drift).collect()
}

fn trouble(state: &ProviderState) -> Option<Trouble> {
    let silent = state.relay.as_ref().is_some_and(|seen| !seen.echoes());
    match state.standing {
        _ if silent => Some(Trouble::Silent),
        Standing::Open | Standing::HalfOpen => Some(Trouble::NotAsked),
        Standing::Closed => None,
    }
}

/// Whether a count comes that is set up. A relay of which nothing was ever heard is not missed: it may have relayed nothing yet.
fn meter(state: &VoiceState, is_silent: bool) -> Option<(ProviderName, Option<Unheard>)> {
    let unheard = match state.voice {
        Voice::Unheard(_) => return None,
        Voice::Asked(_) => state.is_failing.then_some(Unheard::NotTold),
        Voice::Listened { .. } => (state.is_failing || is_silent).then_some(Unheard::NothingArrives),
    };
    Some((state.provider.clone(), unheard))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProviderKind;
    use std::time::Duration;

    fn state(voice: Voice, is_failing: bool) -> VoiceState {
        VoiceState {
            provider: ProviderKind::Coturn.into(),
            voice,
            heard_at: None,
            said: None,
            failure: None,
            is_failing,
        }
    }

    #[test]
    fn a_count_that_is_set_up_is_missed_when_it_fails_or_falls_silent() {
        let unheard = |voice, fails, silent| meter(&state(voice, fails), silent).map(|(_, unheard)| unheard);
        let asked = || Voice::Asked(Duration::from_mins(10));
        assert_eq!(unheard(asked(), false, false), Some(None));
        assert_eq!(unheard(asked(), true, false), Some(Some(Unheard::NotTold)));
        for speaks in [false, true] {
            let listened = || Voice::Listened { speaks };
            assert_eq!(unheard(listened(), false, false), Some(None), "nobody has relayed anything yet");
            assert_eq!(unheard(listened(), true, false), Some(Some(Unheard::NothingArrives)), "Redis is away");
            assert_eq!(unheard(listened(), false, true), Some(Some(Unheard::NothingArrives)), "it spoke before");
        }
        assert_eq!(unheard(Voice::Unheard("set it up".to_owned()), true, true), None);
    }
}
