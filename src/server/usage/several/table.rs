//! What `cluster/lua/usage.lua` does, once more, for histories that no real Redis could live through in a test. That both do the same is
//! tested against a real one.

use super::figure::merge;
use super::*;
use crate::domain::ProviderName;

/// For how long a table that was emptied lends nothing.
pub(crate) const YOUNG_FOR: u64 = 3_000;

/// The month's hash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) now: u64,
    rows: BTreeMap<NodeName, Figures>,
    heard: BTreeMap<NodeName, u64>,
    young: u64,
}

/// What a node says at once.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) node: NodeName,
    pub(crate) told: u64,
    pub(crate) is_new: bool,
    pub(crate) figures: Figures,
    pub(crate) others: BTreeMap<NodeName, Figures>,
    pub(crate) wishes: Vec<Wish>,
}

/// What it hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It was late.
    Stale(u64),
    /// What it may use, and what others told.
    Told {
        /// Its row was not there.
        unknown: bool,
        lent: Vec<Lent>,
        others: BTreeMap<NodeName, Figures>,
    },
}

impl Table {
    /// As FLUSHALL does it.
    pub(crate) fn empty(&mut self) {
        *self = Self { now: self.now, ..Self::default() };
    }

    pub(crate) fn tell(&mut self, request: &Request) -> Reply {
        let Request { node, told, is_new, figures, others, wishes } = request;
        let known = self.rows.get(node).and_then(|row| row.get(&Figure::Told)).copied();
        if let Some(known) = known.filter(|known| told <= known) {
            return Reply::Stale(known);
        }
        let mut row = figures.clone();
        row.insert(Figure::Told, *told);
        merge(self.rows.entry(node.clone()).or_default(), &row);
        self.heard.insert(node.clone(), self.now);
        for (other, theirs) in others.iter().filter(|(other, _)| *other != node) {
            let row = self.rows.entry(other.clone()).or_default();
            let before = row.get(&Figure::Told).copied();
            merge(row, theirs);
            if row.get(&Figure::Told).copied() > before {
                self.heard.insert(other.clone(), self.now);
            }
        }
        if known.is_none() && !is_new {
            self.young = self.now + YOUNG_FOR;
        }
        let lent = wishes.iter().map(|wish| self.lend(node, wish)).collect();
        let others = self.rows.iter().filter(|(other, _)| *other != node);
        Reply::Told {
            unknown: known.is_none(),
            lent,
            others: others.map(|(other, row)| (other.clone(), row.clone())).collect(),
        }
    }

    fn lend(&mut self, node: &NodeName, wish: &Wish) -> Lent {
        let Wish { account, limit, held, wanted } = wish;
        let gone_after = u64::try_from(GONE_AFTER.as_millis()).unwrap();
        let theirs = self.rows.iter().filter(|(other, _)| *other != node).map(|(other, row)| {
            let lives = self.now - self.heard.get(other).copied().unwrap_or_default() < gone_after;
            let bound = row.get(&Figure::Bound(account.clone())).copied().filter(|_| lives).unwrap_or_default();
            used(row, account).max(bound)
        });
        let taken = theirs.fold(self.beyond(account), u64::saturating_add);
        let there_is = limit.get().saturating_sub(taken);
        let bound = match () {
            () if wanted <= held => *wanted,
            () if self.now < self.young => *held,
            () => (*held).max((*wanted).min(ByteCount::new(there_is))),
        };
        let row = self.rows.get_mut(node).unwrap();
        row.insert(Figure::Bound(account.clone()), bound.get());
        let left = there_is.saturating_sub(bound.get().max(used(row, account)));
        Lent { account: account.clone(), bound, left: ByteCount::new(left) }
    }

    /// What providers say beyond what all nodes counted.
    fn beyond(&self, account: &Account) -> u64 {
        let mut sums = BTreeMap::<ProviderName, (u64, u64)>::new();
        for (figure, bytes) in self.rows.values().flatten() {
            if let Figure::Said(name) = figure {
                let (said, _) = sums.entry(name.clone()).or_default();
                *said = (*said).max(*bytes);
            }
            if let Figure::Counted(Some(name)) | Figure::Estimated(Some(name)) = figure {
                sums.entry(name.clone()).or_default().1 += bytes;
            }
        }
        let concerned = |name: &ProviderName| match account {
            Account::Month => true,
            Account::Provider(of) => of == name,
            Account::Day(_) | Account::Strangers => false,
        };
        let beyond = sums.iter().filter(|(name, _)| concerned(name)).map(|(_, (said, sum))| said.saturating_sub(*sum));
        beyond.sum()
    }
}

/// What a machine used of an account.
fn used(figures: &Figures, account: &Account) -> u64 {
    let of = |figure: &Figure| figures.get(figure).copied().unwrap_or_default();
    match account {
        Account::Month => figures
            .iter()
            .filter(|(figure, _)| matches!(figure, Figure::Counted(_) | Figure::Estimated(_)))
            .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes)),
        Account::Day(day) => of(&Figure::Today(*day)),
        Account::Provider(name) => {
            let name = Some(name.clone());
            of(&Figure::Counted(name.clone())).saturating_add(of(&Figure::Estimated(name)))
        }
        Account::Strangers => of(&Figure::Strangers),
    }
}
