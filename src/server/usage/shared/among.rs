//! What goes to other machines and comes from them.

use super::super::cap::{Cap, Used as _};
use super::super::month::Month;
use super::super::party::Party;
use super::super::several::{Account, Figures, Lent, Wish};
use super::Shared;
use crate::domain::{ByteCount, ProviderName};
use crate::server::cluster::NodeName;
use std::collections::BTreeMap;
use std::time::Duration;

/// What this machine tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// Of which month.
    pub month: Month,
    /// Who.
    pub node: NodeName,
    /// What it counted.
    pub figures: Figures,
    /// What it knows of others, where that was asked for.
    pub others: BTreeMap<NodeName, Figures>,
    /// What it wishes for.
    pub wishes: Vec<Wish>,
    /// It never held anything, and never heard of anybody.
    pub is_new: bool,
}

/// What it is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Of which month.
    pub month: Month,
    /// What it may use.
    pub lent: Vec<Lent>,
    /// What the others told.
    pub others: BTreeMap<NodeName, Figures>,
    /// It is the one that takes note of what relays shared by all machines count.
    pub listens: bool,
}

impl Shared {
    /// What to tell the others now, and what to ask for; what is not needed any more is given up with it. Nothing where there are no
    /// others.
    pub(in super::super) fn tell(&self, with_others: bool, leaving: bool) -> Option<Told> {
        let cap = self.cap();
        self.books().tell(&cap, with_others, leaving)
    }

    /// What this machine counted of a month that is over.
    pub(in super::super) fn tell_of(&self, month: Month) -> Option<Told> {
        self.books().tell_of(month)
    }

    /// The last thing that was told is answered.
    pub(in super::super) fn hear(&self, answer: Answer) {
        self.books().hear(answer, self.clock.now());
        self.look_at_limit();
    }

    /// What others count of parties this month.
    pub(in super::super) fn hear_of_parties(&self, parties: BTreeMap<Party, ByteCount>) {
        self.books().hear_of_parties(parties);
    }

    /// What this machine counts of those parties that have used a good part of what they may, the largest first.
    pub(in super::super) fn parties_to_tell(&self, most: usize) -> Vec<(Party, ByteCount)> {
        let cap = self.cap();
        let worth = |party: &Party| cap.limit_of(party).map(|limit| ByteCount::new(limit.get() / PARTY_SHARE));
        self.books().parties_to_tell(worth, most)
    }

    /// Nobody was heard for so long that whatever is held here may be somebody else's by now.
    pub(in super::super) fn lapse(&self) {
        let mut cap = self.cap();
        self.books().lapse(&cap);
        cap.withdraw();
    }

    /// What a process after this one is to know of what is held here.
    pub(in super::super) fn write(&self) -> Option<(Month, NodeName, Figures)> {
        let cap = self.cap();
        self.books().write(&cap)
    }

    /// For how long nobody was heard.
    pub(in super::super) fn unheard_for(&self) -> Option<Duration> {
        let since = self.books().heard_at()?;
        Some(self.clock.now().since(since)).filter(|unheard| *unheard >= UNHEARD)
    }

    /// How much more can be promised here.
    pub(in super::super) fn lent_here(&self) -> Option<ByteCount> {
        let cap = self.cap();
        let lent = self.books().lent(&Account::Month);
        lent.map(|lent| lent.minus(cap.reserved()))
    }

    /// A relay outside this process tells every machine what it counts, and one of them takes note.
    pub(in super::super) fn is_counted_elsewhere(&self, provider: &ProviderName) -> bool {
        self.voices().own.as_ref() != Some(provider) && !self.books().listens()
    }

    /// Whoever tells the others is woken where little is left here.
    pub(super) fn wake_if_hungry(&self, cap: &Cap) {
        if self.books().is_hungry(cap) {
            self.hungry.notify_one();
        }
    }
}

/// A second or two without an answer is nothing to speak of.
const UNHEARD: Duration = Duration::from_secs(5);

/// A party is told of from this part of its limit on: below it, nobody is near anything.
const PARTY_SHARE: u64 = 16;
