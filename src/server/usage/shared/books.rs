//! What is on disk, and beside it what other machines have on theirs.

use super::super::cap::{Cap, Used};
use super::super::ledger::{Ledger, Recorded};
use super::super::month::Month;
use super::super::party::Party;
use super::super::several::{Account, Figure, Figures, Idle, Need, Several};
use super::super::sums::{ProviderSum, Sums, Whose};
use super::{Answer, Told};
use crate::domain::{ByteCount, Now, ProviderName, UnixMillis};
use crate::server::cluster::NodeName;
use std::collections::BTreeMap;

const MILLIS_OF_A_DAY: u64 = 86_400_000;

/// What is on disk.
#[derive(Debug)]
pub(in super::super) struct Books {
    pub(super) month: Month,
    day: u64,
    sums: Sums,
    /// This month's.
    parties: BTreeMap<Party, ByteCount>,
    /// Today's.
    today: ByteCount,
    /// What other machines call this one.
    node: NodeName,
    /// What others count, where there are others.
    among: Option<Among>,
}

/// What is counted by others too.
#[derive(Debug, Default)]
struct Among {
    several: Several,
    /// This month's sums with those of others in them.
    sums: Sums,
    /// This month's sums of parties, by others.
    parties: BTreeMap<Party, ByteCount>,
    /// Of what relays shared by all machines count, this one takes note.
    listens: bool,
    /// When the last answer came; at first, when this process began.
    heard_at: Now,
}

impl Used for Books {
    fn month(&self) -> ByteCount {
        self.sums().total(self.month).used
    }

    fn day(&self) -> ByteCount {
        self.among.as_ref().map_or(self.today, |among| self.today.plus(among.several.day(self.day)))
    }

    fn provider(&self, provider: &ProviderName) -> ByteCount {
        self.sums().of(self.month, provider).used()
    }

    fn party(&self, party: &Party) -> ByteCount {
        let by_others = |among: &Among| match party {
            Party::Strangers => among.several.strangers(),
            Party::Session(_) | Party::Participant(_) | Party::Address(_) | Party::App(_) => {
                among.parties.get(party).copied().unwrap_or_default()
            }
        };
        self.party_here(party).plus(self.among.as_ref().map(by_others).unwrap_or_default())
    }

    fn today(&self) -> u64 {
        self.day
    }

    fn lent(&self, account: &Account) -> Option<ByteCount> {
        self.among.as_ref().map(|among| among.several.lent(account, self.used_here(account)))
    }
}

impl Books {
    pub(super) fn load(ledger: &Ledger, at: UnixMillis) -> Result<Self, rusqlite::Error> {
        let (month, day) = (Month::of(at), at.0 / MILLIS_OF_A_DAY);
        let (sums, parties, today) = (ledger.sums()?, ledger.parties(month)?, ledger.day(day)?);
        Ok(Self { month, day, sums, parties, today, node: ledger.node()?, among: None })
    }

    /// Others count too, whoever they are.
    pub(super) fn load_among(ledger: &Ledger, at: UnixMillis) -> Result<Self, rusqlite::Error> {
        let mut books = Self::load(ledger, at)?;
        let several = Several::of(&books.node, ledger.others(books.month)?);
        books.among = Some(Among { several, ..Among::default() });
        books.add_up();
        Ok(books)
    }

    /// The same of another day; of what others count nothing is forgotten that still holds.
    pub(super) fn turned(&mut self, ledger: &Ledger, at: UnixMillis) -> Result<(), rusqlite::Error> {
        let Some(before) = &self.among else {
            *self = Self::load(ledger, at)?;
            return Ok(());
        };
        let mut books = Self::load_among(ledger, at)?;
        let (listens, heard_at) = (before.listens, before.heard_at);
        let same_month = (books.month == self.month).then(|| (before.several.clone(), before.parties.clone()));
        if let Some(among) = &mut books.among {
            (among.listens, among.heard_at) = (listens, heard_at);
            if let Some(known) = same_month {
                (among.several, among.parties) = known;
            }
        }
        books.add_up();
        *self = books;
        Ok(())
    }

    /// The sums of months: everybody's of this one, and of those before what this machine counted.
    pub(in super::super) fn sums(&self) -> &Sums {
        self.among.as_ref().map_or(&self.sums, |among| &among.sums)
    }

    /// This month's sums of this machine alone.
    fn sums_here(&self) -> impl Iterator<Item = (Whose, ProviderSum)> {
        self.sums.month(self.month).map(|(of, sum)| (of.clone(), sum))
    }

    fn party_here(&self, party: &Party) -> ByteCount {
        self.parties.get(party).copied().unwrap_or_default()
    }

    /// What this machine alone counted of what several share.
    pub(in super::super) fn used_here(&self, account: &Account) -> ByteCount {
        let counted = |sum: ProviderSum| sum.counted.plus(sum.estimated);
        match account {
            Account::Month => self.sums_here().fold(ByteCount::ZERO, |all, (_, sum)| all.plus(counted(sum))),
            Account::Day(day) if *day == self.day => self.today,
            Account::Day(_) => ByteCount::ZERO,
            Account::Provider(name) => counted(self.sums.of(self.month, name)),
            Account::Strangers => self.party_here(&Party::Strangers),
        }
    }

    /// What is needed of everything that several share.
    fn needs(&self, cap: &Cap) -> Vec<Need> {
        let need = |(account, limit, reserved): (Account, ByteCount, ByteCount)| Need {
            used: self.used_here(&account),
            reserved,
            limit,
            account,
        };
        cap.accounts(self.day).into_iter().map(need).collect()
    }

    /// After what is counted has changed, here or elsewhere.
    fn add_up(&mut self) {
        let month = self.month;
        let Some(among) = &self.among else { return };
        let merged = among.several.with(self.sums_here());
        let mut sums = self.sums.clone();
        for (of, sum) in merged {
            sums.set(month, of, sum);
        }
        if let Some(among) = &mut self.among {
            among.sums = sums;
        }
    }

    pub(super) fn take(&mut self, recorded: &Recorded) {
        for ((month, provider), sum) in &recorded.sums {
            self.sums.set(*month, provider.clone(), *sum);
        }
        self.parties.extend(recorded.parties.iter().map(|(party, sum)| (party.clone(), *sum)));
        for counted in &recorded.counted {
            self.today = self.today.plus(counted.bytes);
        }
        self.add_up();
    }

    /// Another day or month begins, or the clock was set back: what was used then is looked up. True where the ledger has to be
    /// asked.
    pub(super) fn is_of(&self, at: UnixMillis) -> bool {
        self.day == at.0 / MILLIS_OF_A_DAY && self.month == Month::of(at)
    }

    /// Accounts that nothing is known of yet begin with what is promised.
    pub(super) fn begin(&mut self, cap: &Cap) {
        let needs = self.needs(cap);
        if let Some(among) = &mut self.among {
            among.several.begin(&needs);
        }
    }

    /// A process begins.
    pub(super) fn begin_anew(&mut self, cap: &Cap) {
        let needs = self.needs(cap);
        if let Some(among) = &mut self.among {
            among.several.begin_anew(&needs);
        }
    }

    pub(super) fn tell(&mut self, cap: &Cap, with_others: bool, leaving: bool) -> Option<Told> {
        let needs = self.needs(cap);
        let mut figures = Several::tell(self.sums_here());
        figures.insert(Figure::Today(self.day), self.today.get());
        figures.insert(Figure::Strangers, self.party_here(&Party::Strangers).get());
        figures.insert(Figure::Reserved, cap.reserved().get());
        let Among { several, .. } = self.among.as_mut()?;
        let is_new = several.is_new();
        let wishes = several.ask(&needs, if leaving { Idle::None } else { Idle::At { rate: cap.rate() } });
        let others = if with_others { several.others().clone() } else { BTreeMap::new() };
        Some(Told { month: self.month, node: self.node.clone(), figures, others, wishes, is_new })
    }

    pub(super) fn tell_of(&self, month: Month) -> Option<Told> {
        self.among.as_ref()?;
        let figures = Several::tell(self.sums.month(month).map(|(of, sum)| (of.clone(), sum)));
        let (others, wishes) = (BTreeMap::new(), Vec::new());
        Some(Told { month, node: self.node.clone(), figures, others, wishes, is_new: true })
    }

    pub(super) fn hear(&mut self, answer: Answer, now: Now) {
        let month = self.month;
        let Some(among) = self.among.as_mut().filter(|_| answer.month == month) else { return };
        among.several.lend(answer.lent);
        among.several.hear(answer.others);
        (among.listens, among.heard_at) = (answer.listens, now);
        self.add_up();
    }

    pub(super) fn hear_of_parties(&mut self, parties: BTreeMap<Party, ByteCount>) {
        if let Some(among) = &mut self.among {
            among.parties = parties;
        }
    }

    pub(super) fn parties_to_tell(
        &self,
        worth: impl Fn(&Party) -> Option<ByteCount>,
        most: usize,
    ) -> Vec<(Party, ByteCount)> {
        let told = self.parties.iter().filter(|(party, used)| worth(party).is_some_and(|worth| **used >= worth));
        let mut told: Vec<_> = told.map(|(party, used)| (party.clone(), *used)).collect();
        told.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
        told.truncate(most);
        told
    }

    pub(super) fn lapse(&mut self, cap: &Cap) {
        let needs = self.needs(cap);
        if let Some(among) = &mut self.among {
            among.several.lapse(&needs);
        }
    }

    /// What is to be written down of what is needed here.
    pub(super) fn write(&mut self, cap: &Cap) -> Option<(Month, NodeName, Figures)> {
        let needs = self.needs(cap);
        let figures = self.among.as_mut()?.several.write(&needs);
        Some((self.month, self.node.clone(), figures))
    }

    /// It is on disk.
    pub(in super::super) fn is_written(&mut self, figures: &Figures) {
        if let Some(among) = &mut self.among {
            among.several.is_written(figures);
        }
    }

    pub(super) fn listens(&self) -> bool {
        self.among.as_ref().is_none_or(|among| among.listens)
    }

    pub(super) fn is_hungry(&self, cap: &Cap) -> bool {
        self.among.as_ref().is_some_and(|among| among.several.is_hungry(&self.needs(cap)))
    }

    /// When others were heard last, where there are any.
    pub(super) fn heard_at(&self) -> Option<Now> {
        self.among.as_ref().map(|among| among.heard_at)
    }

    /// What others have promised.
    pub(super) fn reserved_by_others(&self) -> ByteCount {
        self.among.as_ref().map(|among| among.several.reserved()).unwrap_or_default()
    }

    /// What was heard of others and is not on disk.
    pub(in super::super) fn take_unwritten(&mut self) -> Option<(Month, BTreeMap<NodeName, Figures>)> {
        let unwritten = self.among.as_mut()?.several.take_unwritten();
        (!unwritten.is_empty()).then_some((self.month, unwritten))
    }

    /// It could not be written.
    pub(in super::super) fn still_unwritten(&mut self, nodes: impl IntoIterator<Item = NodeName>) {
        if let Some(among) = &mut self.among {
            among.several.still_unwritten(nodes);
        }
    }
}
