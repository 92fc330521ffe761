//! Several machines that count one month together: what the others counted, and what this one may still use of what is shared.
//!
//! Pure. Each machine's ledger stays the truth of what that machine counted; what it tells is cumulative, and whoever hears it keeps the
//! larger figure ([`figure`]), so nothing is counted twice however often it is told. Of every limit each machine holds a part,
//! its *bound*: up to there it may count, and what is promised counts as used. All bounds together stay within the limit, since
//! one place alone raises them, in one stroke (`cluster/lua/usage.lua`), and a machine lowers its own before it says so. So machines that
//! cannot hear each other pass no limit: each uses up what it holds, and then relays nothing more.
//!
//! What a machine holds beside its promises is idle: it is there so that nobody waits, is a small part of what is left, and is given
//! back when there is less. A machine that has told nothing for [`GONE_AFTER`] is taken for gone, and what it held goes back to
//! the others. One that lives and was only cut off has given all of it up by itself before that, at [`LAPSES_AFTER`]. What it used in
//! between arrives when it is back, and so much a limit can be passed by: never by more than what it held, which is its lease.
//!
//! Refuses to know where all this is kept and how it gets there; see `cluster/usage.rs`.

mod figure;

pub(super) use figure::Part;
pub use figure::{Account, Figure, Figures};

use super::cap::WHOLE;
use super::sums::{ProviderSum, Whose};
use crate::domain::ByteCount;
use crate::server::cluster::NodeName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Whoever has told nothing for so long is gone.
pub const GONE_AFTER: Duration = Duration::from_hours(1);

/// Whoever was not heard for so long gives up what it holds; a good while before others take it.
pub const LAPSES_AFTER: Duration = Duration::from_mins(50);

/// What a machine holds beside its promises where there is plenty: room for eight people who come at once.
const IDLE: u64 = 8 * WHOLE.get();

/// Or so much time at what is relayed now, so that pictures play on while nobody can be asked.
const IDLE_FOR: u64 = 600;

/// No machine holds more than this part of what is left, so that there is some for all of them.
const SHARE: u64 = 4;

/// Nor less, while there is so much.
const SMALLEST: u64 = 256 * 1024;

/// What one account needs here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// Which.
    pub account: Account,
    /// What all machines together may use of it.
    pub limit: ByteCount,
    /// What this one has counted.
    pub used: ByteCount,
    /// What it has promised.
    pub reserved: ByteCount,
}

impl Need {
    fn needed(&self) -> ByteCount {
        self.used.plus(self.reserved)
    }
}

/// What is to be idle here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// Enough to go on for a while at this rate, in bytes a second.
    At {
        /// The rate.
        rate: u64,
    },
    /// Nothing: this machine is about to stop.
    None,
}

/// What is asked for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which.
    pub account: Account,
    /// What all machines together may use of it.
    pub limit: ByteCount,
    /// Up to where this one may count it now.
    pub held: ByteCount,
    /// Up to where it would like to.
    pub wanted: ByteCount,
}

/// The answer for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// Which.
    pub account: Account,
    /// Up to where this machine may count it from now on.
    pub bound: ByteCount,
    /// What nobody holds and nobody has used.
    pub left: ByteCount,
}

/// What is known of others, and what is held here, of one month.
#[derive(Debug, Clone, Default)]
pub(super) struct Several {
    others: BTreeMap<NodeName, Figures>,
    /// Those of which something is not on disk yet.
    unwritten: BTreeSet<NodeName>,
    held: BTreeMap<Account, ByteCount>,
    left: BTreeMap<Account, ByteCount>,
    /// Up to where a process after this one would count, as it is on disk, or may be.
    written: BTreeMap<Account, ByteCount>,
}

impl Several {
    /// What was written down: by this machine for itself, and of others.
    pub(super) fn of(me: &NodeName, mut known: BTreeMap<NodeName, Figures>) -> Self {
        let mine = known.remove(me).unwrap_or_default();
        let bound = |(figure, bytes)| {
            let Figure::Bound(account) = figure else { return None };
            Some((account, ByteCount::new(bytes)))
        };
        let held: BTreeMap<_, _> = mine.into_iter().filter_map(bound).collect();
        Self { others: known, written: held.clone(), held, ..Self::default() }
    }

    /// What a process after this one is to know of what is needed here: what is about to be written down. From now on no less is held.
    pub(super) fn write(&mut self, needs: &[Need]) -> Figures {
        let mut figures = Figures::new();
        for need in needs {
            let needed = need.needed();
            figures.insert(Figure::Bound(need.account.clone()), needed.get());
            let written = self.written.entry(need.account.clone()).or_default();
            *written = needed.max(*written);
        }
        figures
    }

    /// That is on disk, and nothing else of the kind.
    pub(super) fn is_written(&mut self, figures: &Figures) {
        for (figure, bytes) in figures {
            if let Figure::Bound(account) = figure {
                self.written.insert(account.clone(), ByteCount::new(*bytes));
            }
        }
    }

    /// Nobody else was ever heard of, and nothing was ever held: this machine is new.
    pub(super) fn is_new(&self) -> bool {
        self.others.is_empty() && self.held.values().all(|held| *held == ByteCount::ZERO)
    }

    /// What may still be used of an account here, of which so much is used. Nothing where nobody was asked yet.
    pub(super) fn lent(&self, account: &Account, used: ByteCount) -> ByteCount {
        self.held.get(account).map_or(ByteCount::ZERO, |held| held.minus(used))
    }

    /// What nobody holds. Unknown where nobody was asked yet.
    pub(super) fn left(&self, account: &Account) -> Option<ByteCount> {
        self.left.get(account).copied()
    }

    /// An account that nothing is known of yet begins with what is promised already, as when a day or month turns: all machines
    /// together have promised no more than there is.
    pub(super) fn begin(&mut self, needs: &[Need]) {
        for need in needs {
            self.held.entry(need.account.clone()).or_insert_with(|| need.needed());
        }
    }

    /// A process that begins has what was written down, and where nothing was it has nothing.
    pub(super) fn begin_anew(&mut self, needs: &[Need]) {
        for need in needs {
            self.held.entry(need.account.clone()).or_insert(need.used);
        }
    }

    /// What to ask for, at this rate of use in bytes a second. What is not needed any more is given up here and now: from then on
    /// it may be somebody else's.
    pub(super) fn ask(&mut self, needs: &[Need], idle: Idle) -> Vec<Wish> {
        self.begin(needs);
        let mut wishes = Vec::new();
        for need in needs {
            let Need { account, limit, .. } = need;
            let held = self.held.get(account).copied().unwrap_or_default();
            let spare = held.minus(need.needed());
            let there_is = self.left(account).unwrap_or(*limit).plus(spare).get();
            let idle = match idle {
                Idle::At { rate } => IDLE.max(rate.saturating_mul(IDLE_FOR)),
                Idle::None => 0,
            };
            let idle = idle.min(there_is.div_ceil(SHARE).max(SMALLEST)).min(there_is);
            let written = self.written.get(account).copied().unwrap_or_default();
            let wanted = need.needed().plus(ByteCount::new(idle)).max(written);
            let held = held.min(wanted);
            self.held.insert(account.clone(), held);
            wishes.push(Wish { account: account.clone(), limit: *limit, held, wanted });
        }
        wishes
    }

    /// An ask was answered, and nothing was given up since.
    pub(super) fn lend(&mut self, lent: Vec<Lent>) {
        for Lent { account, bound, left } in lent {
            self.held.insert(account.clone(), bound);
            self.left.insert(account, left);
        }
    }

    /// Nobody was heard for so long that what is held here may be somebody else's: all of it is given up.
    pub(super) fn lapse(&mut self, needs: &[Need]) {
        self.left.clear();
        for Need { account, used, .. } in needs {
            self.held.insert(account.clone(), *used);
        }
    }

    /// Whether so little is idle that it is time to ask again.
    pub(super) fn is_hungry(&self, needs: &[Need]) -> bool {
        needs.iter().any(|Need { account, used, reserved, .. }| {
            let idle = self.lent(account, *used).minus(*reserved).get();
            let left = self.left(account).unwrap_or_default().get();
            left > 0 && idle < IDLE.min(left.saturating_add(idle) / SHARE) / 2
        })
    }

    /// Others told this, or somebody told it of them.
    pub(super) fn hear(&mut self, rows: BTreeMap<NodeName, Figures>) {
        for (node, heard) in rows {
            let known = self.others.entry(node.clone()).or_default();
            let before = known.clone();
            figure::merge(known, &heard);
            // That somebody has nothing new to tell is not worth a disk's while.
            let is_news =
                |(figure, bytes): (&Figure, &u64)| *figure != Figure::Told && before.get(figure) != Some(bytes);
            if known.iter().any(is_news) {
                self.unwritten.insert(node);
            }
        }
    }

    /// Everything that is known of others.
    pub(super) fn others(&self) -> &BTreeMap<NodeName, Figures> {
        &self.others
    }

    /// What is to be written down since this was asked last.
    pub(super) fn take_unwritten(&mut self) -> BTreeMap<NodeName, Figures> {
        let unwritten = std::mem::take(&mut self.unwritten);
        unwritten.into_iter().filter_map(|node| Some((node.clone(), self.others.get(&node)?.clone()))).collect()
    }

    /// Could not be written down: will be asked for again.
    pub(super) fn still_unwritten(&mut self, nodes: impl IntoIterator<Item = NodeName>) {
        self.unwritten.extend(nodes);
    }

    /// Every provider that others know of, and what its sum is with theirs: what each counted is counted once, and what a
    /// provider says is of its whole account, so it counts once however many it told.
    pub(super) fn with(&self, ours: impl Iterator<Item = (Whose, ProviderSum)>) -> BTreeMap<Whose, ProviderSum> {
        let mut sums: BTreeMap<Whose, ProviderSum> = ours.collect();
        for (figure, bytes) in self.others.values().flatten() {
            let Some((of, part)) = figure.in_sum() else { continue };
            let (sum, bytes) = (sums.entry(of).or_default(), ByteCount::new(*bytes));
            match part {
                Part::Counted => sum.counted = sum.counted.plus(bytes),
                Part::Estimated => sum.estimated = sum.estimated.plus(bytes),
                Part::Said => sum.said = sum.said.max(bytes),
            }
        }
        sums
    }

    /// What others used of a day.
    pub(super) fn day(&self, day: u64) -> ByteCount {
        self.sum(&Figure::Today(day))
    }

    /// What others gave to callers without a token.
    pub(super) fn strangers(&self) -> ByteCount {
        self.sum(&Figure::Strangers)
    }

    /// What others have promised.
    pub(super) fn reserved(&self) -> ByteCount {
        self.sum(&Figure::Reserved)
    }

    fn sum(&self, of: &Figure) -> ByteCount {
        self.others.values().fold(ByteCount::ZERO, |sum, figures| sum.plus(figure::bytes(figures, of)))
    }

    /// What this machine tells of its own month.
    pub(super) fn tell(sums: impl Iterator<Item = (Whose, ProviderSum)>) -> Figures {
        let mut figures = Figures::new();
        for (of, ProviderSum { counted, estimated, said }) in sums {
            let mut tell = |figure, bytes: ByteCount| {
                if bytes > ByteCount::ZERO {
                    figures.insert(figure, bytes.get());
                }
            };
            tell(Figure::Counted(of.clone()), counted);
            tell(Figure::Estimated(of.clone()), estimated);
            if let Some(name) = of {
                tell(Figure::Said(name), said);
            }
        }
        figures
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod table;
