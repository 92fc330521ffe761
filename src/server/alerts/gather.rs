//! Where observations come from: the one place that asks usage and providers how they are.

use super::{Drift, Observation, Trouble};
use crate::{
    domain::{ByteCount, ProviderName},
    server::{
        clock::Clock,
        money::{Budget, Currency, Used},
        providers::{Grants, ProviderState, Standing},
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
            counting_fails: self.usage.uncounted_for().map(|_| "the usage ledger cannot be written".to_owned()),
        }
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
