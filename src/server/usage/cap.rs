//! The cap: what may be relayed, what is promised, and who has to stop.
//!
//! Pure: what is used is passed in, and so is the time. Bytes are promised in leases, one for each participant at each provider: a
//! lease is taken when credentials are handed out or bytes are seen, used up by what is measured, topped up while there is room,
//! and given back when nothing passes any more. So asking for credentials promises two minutes of film and never a month, and
//! what is used and what is promised together stay within every limit (`properties`). Near a limit leases get smaller, and what was
//! promised to those who use nothing goes to those who do. Whoever has used up a lease that cannot be topped up, since a limit is
//! reached, has to stop: that is a [`Verdict`], and carrying it out is somebody else's work. What is measured only after it was
//! relayed can pass a limit by what passes until its end is told to stop.

mod leases;
mod limits;

pub(super) use leases::Holder;
pub use limits::{Limits, Stages, WhenUncounted};

use super::party::Party;
use super::several::Account;
use crate::domain::{ByteCount, Now, ParticipantId, ProviderName, UnixMillis};
use crate::protocol::RelayStage;
use crate::server::money;
use leases::{Key, Lease, Leases};
use std::collections::BTreeMap;
use std::time::Duration;

/// A film at the highest rung, in bytes a second: 8 Mbit/s.
const CEILING: u64 = 1_000_000;
/// How long a lease lasts on which nothing is measured.
pub(super) const LEASE_FOR: Duration = Duration::from_mins(2);
/// A whole lease: two minutes at the ceiling, or 64 MB where that is more.
pub(super) const WHOLE: ByteCount = ByteCount::new(CEILING * LEASE_FOR.as_secs());
/// No lease takes more than this part of what is left, so that many fit near a limit.
const SHARE: u64 = 4;
/// Nor is it smaller than this while there is so much.
const SMALLEST: ByteCount = ByteCount::new(256 * 1024);
/// From the last report to the moment at which a relayed connection has ended: reports come every 5 s. Twice as much is promised.
pub(super) const REACTION: Duration = Duration::from_secs(7);
/// What callers without a token may have of a month, all together: one part in twenty.
const STRANGERS_SHARE: u64 = 20;
/// No lease of theirs takes more than this part of what is left of that, however little it is: many may ask who use nothing.
const A_STRANGERS_SHARE: u64 = 16;
/// Somebody who was told to stop and goes on is told again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What is used, as the books have it now.
pub(super) trait Used {
    /// This month, altogether.
    fn month(&self) -> ByteCount;
    /// Today, altogether.
    fn day(&self) -> ByteCount;
    /// This month, over one provider.
    fn provider(&self, provider: &ProviderName) -> ByteCount;
    /// This month, by one party.
    fn party(&self, party: &Party) -> ByteCount;
    /// Which day it is, counted from 1970.
    fn today(&self) -> u64;
    /// What this machine may still use of what several share, what is promised among it; `None` where it is the only one.
    fn lent(&self, account: &Account) -> Option<ByteCount>;
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The limit of all is used up.
    Used,
    /// What is left of it is promised to others.
    Promised,
    /// What is left of it other machines hold, or nobody can be asked for it.
    Elsewhere,
    /// It is nearly used up, and this is a newcomer.
    NearLimit,
    /// The provider has relayed all that it may.
    Provider,
    /// The caller, their session, address or app has, or callers without a token have.
    Party,
    /// What would be relayed could not be counted now.
    Uncounted,
}

/// Somebody has to stop using a provider's relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict<'a> {
    /// Who; of somebody in no session, the number that relays count them under.
    pub participant: ParticipantId,
    pub provider: &'a ProviderName,
    pub why: NoRoom,
    /// They were told before, had time to leave, and did not.
    pub goes_on: bool,
}

/// Every promise there is.
#[derive(Debug)]
pub(super) struct Cap {
    limits: Limits,
    leases: Leases,
    /// The relay in this process, which is cut where all of its promises together end, whoever uses them up.
    own: Option<ProviderName>,
}

impl Cap {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, leases: Leases::default(), own: None }
    }

    /// A relay of this name is cut where all of its promises together end.
    pub(super) fn cuts_here(&mut self, provider: ProviderName) {
        self.own = Some(provider);
    }

    fn cuts(&self, provider: &ProviderName) -> bool {
        self.own.as_ref() == Some(provider)
    }

    /// Other limits hold from now on, and what is left of them is promised anew: the old ones may have allowed more.
    pub(super) fn exchange(&mut self, limits: Limits, used: &impl Used) {
        self.limits = limits;
        for key in self.leases.call_in(|holder| holder != Holder::Before) {
            self.top_up(&key, used);
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How near the limits of all are.
    pub(super) fn stage(&self, used: &impl Used) -> RelayStage {
        let of_month = self.stage_of(used.month(), self.limits.month);
        let of_bytes = self.limits.day.map_or(of_month, |day| of_month.max(self.stage_of(used.day(), day)));
        let Some((budget, names)) = &self.limits.budget else { return of_bytes };
        let share = ByteCount::new(budget.share(&spent_by(names, |name| used.provider(name))).whole_percent());
        // Whoever costs nothing relays on: a budget that is used up ends those alone who would send a bill.
        of_bytes.max(self.stage_of(share, ByteCount::new(100)).min(RelayStage::Narrow))
    }

    fn stage_of(&self, used: ByteCount, limit: ByteCount) -> RelayStage {
        let Stages { warn, narrow, direct_only } = self.limits.stages;
        let reached = |percent: u8| u128::from(used.get()) * 100 >= u128::from(limit.get()) * u128::from(percent);
        match () {
            () if used >= limit => RelayStage::Over,
            () if reached(direct_only) => RelayStage::DirectOnly,
            () if reached(narrow) => RelayStage::Narrow,
            () if reached(warn) => RelayStage::Warned,
            () => RelayStage::Plenty,
        }
    }

    /// What is promised and not used, altogether.
    pub(super) fn reserved(&self) -> ByteCount {
        self.leases.promised
    }

    /// What is promised over one provider.
    pub(super) fn reserved_by(&self, provider: &ProviderName) -> ByteCount {
        self.leases.by_provider.get(provider).copied().unwrap_or_default()
    }

    /// What is promised over each provider.
    pub(super) fn promises(&self) -> &BTreeMap<ProviderName, ByteCount> {
        &self.leases.by_provider
    }

    /// Every limit that several machines would share: how much, and what is promised of it here.
    pub(super) fn accounts(&self, today: u64) -> Vec<(Account, ByteCount, ByteCount)> {
        let reserved = self.reserved();
        let mut accounts = vec![(Account::Month, self.limits.month, reserved)];
        accounts.extend(self.limits.day.map(|day| (Account::Day(today), day, reserved)));
        accounts.extend(self.limits.providers.names().filter_map(|name| {
            Some((Account::Provider(name.clone()), self.limits.providers.of(name)?, self.reserved_by(name)))
        }));
        accounts.push((Account::Strangers, self.strangers_pool(), self.leases.to_strangers));
        accounts
    }

    /// What is relayed now, in bytes a second, as it was measured last.
    pub(super) fn rate(&self) -> u64 {
        self.leases.held.values().fold(0, |sum, lease| sum.saturating_add(lease.rate))
    }

    /// Takes back whatever is promised. Who goes on using it is told to stop.
    pub(super) fn withdraw(&mut self) {
        self.leases.call_in(|_| true);
    }

    /// The relay that is cut here is no more.
    pub(super) fn forget_the_relay_here(&mut self) {
        let own = self.own.take();
        self.leases.drop_where(|(_, provider), _| Some(provider) == own.as_ref());
    }

    fn strangers_pool(&self) -> ByteCount {
        ByteCount::new(self.limits.month.get() / STRANGERS_SHARE)
    }

    /// Whether a provider could be asked for this caller at all.
    pub(super) fn has_room(
        &self,
        provider: &ProviderName,
        holder: Holder,
        parties: &[Party],
        used: &impl Used,
    ) -> Result<(), NoRoom> {
        let known = self.leases.keys_of(holder).next().is_some();
        match self.stage(used) {
            RelayStage::Over => return Err(NoRoom::Used),
            RelayStage::DirectOnly if !known && holder != Holder::Relay => return Err(NoRoom::NearLimit),
            RelayStage::Plenty | RelayStage::Warned | RelayStage::Narrow | RelayStage::DirectOnly => {}
        }
        // Who has a lease there already goes on with it, though nothing could be added. At the relay in this process what is left is
        // everybody's who has not used up a limit of their own.
        let left = |lease: &Lease| {
            if !self.cuts(provider) {
                lease.left
            } else if self.goes_on(holder, parties, used).is_ok() {
                self.reserved_by(provider)
            } else {
                ByteCount::ZERO
            }
        };
        let has = self.leases.get(&(holder, provider.clone())).is_some_and(|lease| left(lease) > ByteCount::ZERO);
        self.room(provider, holder, parties, used).map(|_| ()).or_else(|why| if has { Ok(()) } else { Err(why) })
    }

    /// Whether somebody may go on at the relay in this process. That is cut where the promises of all there together end, whoever uses
    /// them up, so what one party may have of a month is asked for beside it. Strangers stop where what they used, with what is
    /// promised to others of them over other relays, comes to their share.
    pub(super) fn goes_on(&self, holder: Holder, parties: &[Party], used: &impl Used) -> Result<(), NoRoom> {
        let is_used_up = |party: &Party| self.limit_of(party).is_some_and(|limit| used.party(party) >= limit);
        if parties.iter().any(is_used_up) {
            return Err(NoRoom::Party);
        }
        if !matches!(holder, Holder::Stranger(_)) {
            return Ok(());
        }
        let elsewhere = self.leases.of_strangers_but_at(self.own.as_ref());
        if used.party(&Party::Strangers).plus(elsewhere) >= self.strangers_pool() {
            return Err(NoRoom::Party);
        }
        match used.lent(&Account::Strangers) {
            Some(lent) if lent <= elsewhere => Err(NoRoom::Elsewhere),
            Some(_) | None => Ok(()),
        }
    }

    /// Credentials are handed out: promises what they will need at first. Asking again promises nothing more.
    pub(super) fn lease(
        &mut self,
        provider: &ProviderName,
        holder: Holder,
        parties: Vec<Party>,
        used: &impl Used,
        now: Now,
    ) -> Result<(), NoRoom> {
        self.has_room(provider, holder, &parties, used)?;
        let key = (holder, provider.clone());
        self.leases.change(&key, now, |lease| (lease.parties, lease.touched, lease.told) = (parties, now, None));
        self.top_up(&key, used);
        Ok(())
    }

    /// So much was relayed, and is in the books: it was promised, as far as the promise went.
    pub(super) fn measured(
        &mut self,
        provider: &ProviderName,
        holder: Holder,
        parties: &[Party],
        bytes: ByteCount,
        used: &impl Used,
        now: Now,
    ) {
        let key = (holder, provider.clone());
        let mut beyond = ByteCount::ZERO;
        self.leases.change(&key, now, |lease| {
            beyond = bytes.minus(lease.left);
            let millis = u64::try_from(now.since(lease.touched).as_millis()).unwrap_or(u64::MAX).max(1_000);
            lease.rate = bytes.get().saturating_mul(1_000) / millis;
            (lease.left, lease.touched) = (lease.left.minus(bytes), now);
            lease.parties = parties.to_vec();
        });
        if self.cuts(provider) {
            self.leases.draw(provider, beyond);
        }
        self.top_up(&key, used);
    }

    /// Nothing of theirs runs over a relay any more.
    pub(super) fn release(&mut self, participant: ParticipantId) {
        self.leases.drop_all_of(Holder::Participant(participant));
    }

    /// Gives back what nothing was measured on, tops up a relay of ours, and tells who has to stop.
    pub(super) fn tick(&mut self, used: &impl Used, now: Now) -> Vec<Verdict<'_>> {
        self.leases.drop_where(|_, lease| now.since(lease.touched) >= LEASE_FOR);
        if let Some(provider) = self.own.clone() {
            let key = (Holder::Relay, provider);
            self.leases.change(&key, now, |lease| lease.touched = now);
            self.top_up(&key, used);
        }
        let dry: Vec<_> =
            self.leases.held.iter().filter(|(_, lease)| lease.runs_dry()).map(|(key, _)| key.clone()).collect();
        let mut why = BTreeMap::new();
        for key in dry {
            self.top_up(&key, used);
            let still = self.leases.get(&key).is_some_and(Lease::runs_dry);
            let parties = self.leases.get(&key).map(|lease| lease.parties.clone()).unwrap_or_default();
            let cut_here = self.cuts(&key.1) && self.reserved_by(&key.1) == ByteCount::ZERO;
            if still && let Err(no_room) = self.room(&key.1, key.0, &parties, used) {
                // What others were promised ends nobody's picture, unless it is cut there.
                if no_room != NoRoom::Promised || cut_here {
                    why.insert(key, no_room);
                }
            }
        }
        let mut verdicts = Vec::new();
        for ((holder, provider), lease) in &mut self.leases.held {
            let (Holder::Participant(participant) | Holder::Stranger(participant)) = *holder else { continue };
            // What runs over a relay of ours is cut there exactly where its promise ends; still its people are told.
            let Some(why) = why.get(&(*holder, provider.clone())) else { continue };
            if lease.told.is_none_or(|told| now.since(told) >= AGAIN) {
                let goes_on = lease.told.is_some_and(|told| lease.touched.since(told) >= REACTION);
                lease.told = Some(now);
                verdicts.push(Verdict { participant, provider, why: *why, goes_on });
            }
        }
        verdicts
    }

    /// The promises of a process before this one, which nobody can tell apart any more.
    pub(super) fn restore(&mut self, promises: impl IntoIterator<Item = (ProviderName, ByteCount)>, now: Now) {
        for (provider, left) in promises {
            self.leases.change(&(Holder::Before, provider), now, |lease| lease.left = left);
        }
    }

    /// For how long credentials of this provider may live: what is left of every limit that bounds it, and of the budget, would last so
    /// long if everybody's film ran at the ceiling.
    pub(super) fn life(&self, provider: &ProviderName, asked: Duration, used: &impl Used) -> Duration {
        let (films, films_there) =
            (self.leases.held.len(), self.leases.held.keys().filter(|(_, of)| of == provider).count());
        let limits = &self.limits;
        let day = limits.day.map(|day| day.minus(used.day()));
        let part = limits.providers.of(provider).map(|part| part.minus(used.provider(provider)));
        let bought = limits
            .budget
            .as_ref()
            .map(|(budget, names)| budget.buys(provider, &spent_by(names, |name| used.provider(name))));
        let left =
            [(Some(limits.month.minus(used.month())), films), (day, films), (part, films_there), (bought, films)];
        let lasts = left.into_iter().filter_map(|(left, films)| Some(would_last(left?, films))).min();
        asked.min(lasts.unwrap_or(asked).max(LEASE_FOR))
    }

    fn top_up(&mut self, key: &Key, used: &impl Used) {
        let Some(lease) = self.leases.get(key) else { return };
        let (left, touched, parties, in_use) = (lease.left, lease.touched, lease.parties.clone(), lease.rate > 0);
        let needed = ByteCount::new(lease.rate.saturating_mul(2 * REACTION.as_secs()));
        // Topping up at the half leaves time for the next report.
        if left.get() >= WHOLE.get() / 2 && left >= needed {
            return;
        }
        let short = self.room(&key.1, key.0, &parties, used).map_or(true, |room| left.plus(room) < needed);
        if in_use && short {
            self.leases.take_back_from_the_idle();
        }
        let Ok(room) = self.room(&key.1, key.0, &parties, used) else { return };
        let share = |part: u64| ByteCount::new(left.plus(room).get().div_ceil(part));
        let wanted =
            if matches!(key.0, Holder::Stranger(_)) { share(A_STRANGERS_SHARE) } else { share(SHARE).max(SMALLEST) };
        let wanted = wanted.min(WHOLE).max(needed);
        let added = wanted.minus(left).min(room);
        self.leases.change(key, touched, |lease| lease.left = left.plus(added));
    }

    /// How much more could be promised at a relay of ours, whoever uses it.
    pub(super) fn could_promise_at_most(&self, provider: &ProviderName, used: &impl Used) -> ByteCount {
        self.room(provider, Holder::Relay, &[], used).unwrap_or_default()
    }

    /// How much more can be promised.
    fn room(
        &self,
        provider: &ProviderName,
        holder: Holder,
        parties: &[Party],
        used: &impl Used,
    ) -> Result<ByteCount, NoRoom> {
        let reserved = self.reserved();
        let mut room = ByteCount::new(u64::MAX);
        let mut within = |limit: ByteCount, used: ByteCount, reserved: ByteCount, why: NoRoom| {
            let left = limit.minus(used).minus(reserved);
            room = room.min(left);
            if left > ByteCount::ZERO {
                return Ok(());
            }
            Err(if why == NoRoom::Used && used < limit { NoRoom::Promised } else { why })
        };
        within(self.limits.month, used.month(), reserved, NoRoom::Used)?;
        if let Some(day) = self.limits.day {
            within(day, used.day(), reserved, NoRoom::Used)?;
        }
        if let Some((budget, names)) = &self.limits.budget {
            // What is promised is as good as spent.
            let spent = spent_by(names, |name| used.provider(name).plus(self.reserved_by(name)));
            within(budget.buys(provider, &spent), ByteCount::ZERO, ByteCount::ZERO, NoRoom::Provider)?;
        }
        if let Some(limit) = self.limits.providers.of(provider) {
            within(limit, used.provider(provider), self.reserved_by(provider), NoRoom::Provider)?;
        }
        for party in parties {
            if let Some(limit) = self.limit_of(party) {
                let theirs = self.leases.held.values().filter(|lease| lease.parties.contains(party));
                let reserved = theirs.fold(ByteCount::ZERO, |sum, lease| sum.plus(lease.left));
                within(limit, used.party(party), reserved, NoRoom::Party)?;
            }
        }
        if matches!(holder, Holder::Stranger(_)) {
            within(self.strangers_pool(), used.party(&Party::Strangers), self.leases.to_strangers, NoRoom::Party)?;
        }
        self.room_here(provider, holder, used).map(|here| here.min(room))
    }

    /// How much more can be promised of what this machine holds of limits that it shares with others.
    fn room_here(&self, provider: &ProviderName, holder: Holder, used: &impl Used) -> Result<ByteCount, NoRoom> {
        let mut room = ByteCount::new(u64::MAX);
        let of_provider = self.limits.providers.of(provider).map(|_| Account::Provider(provider.clone()));
        let of_strangers = matches!(holder, Holder::Stranger(_)).then_some(Account::Strangers);
        let of_day = self.limits.day.map(|_| Account::Day(used.today()));
        for account in [Some(Account::Month), of_day, of_provider, of_strangers].into_iter().flatten() {
            let Some(lent) = used.lent(&account) else { continue };
            let reserved = match &account {
                Account::Month | Account::Day(_) => self.reserved(),
                Account::Provider(name) => self.reserved_by(name),
                Account::Strangers => self.leases.to_strangers,
            };
            room = room.min(lent.minus(reserved));
            if lent == ByteCount::ZERO {
                return Err(NoRoom::Elsewhere);
            }
            if room == ByteCount::ZERO {
                return Err(NoRoom::Promised);
            }
        }
        Ok(room)
    }

    /// What this party may have of a month.
    pub(super) fn limit_of(&self, party: &Party) -> Option<ByteCount> {
        match party {
            Party::Session(_) => self.limits.session,
            Party::Participant(_) => self.limits.participant,
            Party::Address(_) => self.limits.address,
            Party::App(_) => self.limits.app,
            Party::Strangers => None,
        }
    }
}

/// What each provider is reckoned with, for a budget.
fn spent_by(names: &[ProviderName], bytes: impl Fn(&ProviderName) -> ByteCount) -> money::Used {
    names.iter().fold(money::Used::at(UnixMillis::default()), |spent, name| spent.with(name.clone(), bytes(name)))
}

/// How long these bytes last so many films at the ceiling, and a new one.
fn would_last(bytes: ByteCount, films: usize) -> Duration {
    let films = u64::try_from(films).unwrap_or(u64::MAX).saturating_add(1);
    Duration::from_secs(bytes.get() / CEILING.saturating_mul(films))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
