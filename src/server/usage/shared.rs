//! What the ledger's thread and its callers both look at.
//!
//! Locks are held for moments, never while anything is written, and taken in one order: the cap, the books,
//! the voices.

mod among;
mod books;

pub use among::{Answer, Told};

use self::books::Books;
use super::behind::{Behind, Due};
use super::cap::{Cap, Holder, Limits, NoRoom, Used as _, Verdict, WhenUncounted};
use super::checks::{self, Checks};
use super::connections::{Connections, Ended};
use super::ledger::{Grantee, Held, Ledger, Recorded};
use super::month::Month;
use super::party::Party;
use super::several::Account;
use super::status;
use super::sums::MonthTotal;
use crate::domain::{ByteCount, Now, ParticipantId, ProviderName};
use crate::protocol::{RelayStage, UsageReport};
use crate::server::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};

/// A disk that is full for a moment is no reason to refuse anybody.
const COUNTING_MAY_FAIL_FOR: Duration = Duration::from_secs(30);

/// Credentials live for two days at most.
const CREDENTIALS_LIVE_FOR: Duration = Duration::from_hours(48);

/// What the relay in this process may pass a limit by, once.
const LAST_PACKETS: ByteCount = ByteCount::new(16 * 1024);

/// Orders to stop that wait to be carried out; whoever misses one is told again.
const ORDERS: usize = 1024;

/// Somebody has to stop using a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayOrder {
    /// Who; of somebody in no session, the number that relays count them under.
    pub participant: ParticipantId,
    /// Whose relay.
    pub provider: ProviderName,
    /// Why.
    pub why: NoRoom,
    /// They were told before, had time to leave, and did not.
    pub goes_on: bool,
}

/// Somebody who asks for credentials, as far as limits go.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub holder: Holder,
    pub parties: Vec<Party>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    connections: Mutex<Connections>,
    checks: Mutex<Checks>,
    books: Mutex<Books>,
    cap: Mutex<Cap>,
    voices: Mutex<Voices>,
    /// Woken where little is left of what this machine holds.
    pub(super) hungry: Notify,
    pub(super) stage: watch::Sender<RelayStage>,
    pub(super) orders: broadcast::Sender<RelayOrder>,
}

/// Who counts, and who does not.
#[derive(Debug, Default)]
pub(super) struct Voices {
    /// Relays that count for themselves now.
    pub(super) speaking: BTreeSet<ProviderName>,
    /// Relays that did and do not any more, since when.
    pub(super) silent: BTreeMap<ProviderName, Now>,
    /// What browsers reported over those that count for themselves, and how much of it these told.
    behind: BTreeMap<ProviderName, Behind>,
    /// The ledger cannot be written, since when.
    pub(super) failing: Option<Now>,
    /// The relay in this process.
    pub(super) own: Option<ProviderName>,
    /// It is a process of its own, and goes on without this one.
    pub(super) own_is_elsewhere: bool,
    /// What it has in the books since it was started.
    own_booked: ByteCount,
    /// Who was given credentials.
    granted: BTreeMap<ParticipantId, Granted>,
    /// Those of them who are not on disk yet.
    unwritten: BTreeSet<ParticipantId>,
}

/// Somebody who was given credentials.
#[derive(Debug)]
struct Granted {
    /// For whom their bytes count.
    asked: Asked,
    /// Of which providers.
    providers: BTreeSet<ProviderName>,
    /// What relays call them.
    names: Arc<[String]>,
    /// When last.
    at: Now,
}

impl Granted {
    /// Somebody to whom a process before this one gave credentials.
    fn before(grantee: Grantee, now: Now) -> (ParticipantId, Self) {
        let Grantee { number, is_stranger, parties, providers, names } = grantee;
        let holder = if is_stranger { Holder::Stranger(number) } else { Holder::Participant(number) };
        (number, Self { asked: Asked { holder, parties }, providers, names, at: now })
    }
}

impl Voices {
    /// Whoever was given credentials is known by what they asked as. Of anybody else, as at another machine, nothing but the number is,
    /// and the session where what is counted names it: their limits hold all the same. Whoever checks a connection is in no session, and
    /// shares what callers without a token have.
    fn asked(&self, participant: ParticipantId, session: Option<ParticipantId>) -> Asked {
        let unknown = || match participant {
            checks::NOBODY => Asked { holder: Holder::Stranger(participant), parties: vec![Party::Strangers] },
            _ => Asked {
                holder: Holder::Participant(participant),
                parties: session.map(Party::Session).into_iter().chain([Party::Participant(participant)]).collect(),
            },
        };
        self.granted.get(&participant).map_or_else(unknown, |granted| granted.asked.clone())
    }

    fn grant(
        &mut self,
        number: ParticipantId,
        asked: &Asked,
        names: &Arc<[String]>,
        provider: &ProviderName,
        now: Now,
    ) {
        let new = || Granted { asked: asked.clone(), providers: BTreeSet::new(), names: Arc::default(), at: now };
        let granted = self.granted.entry(number).or_insert_with(new);
        (granted.asked, granted.names, granted.at) = (asked.clone(), Arc::clone(names), now);
        granted.providers.insert(provider.clone());
        self.unwritten.insert(number);
    }

    /// Whether somebody may have used this provider's relay. Of whom nothing is known, and of a relay that counts for itself, its own
    /// count tells.
    fn may_have_used(&self, participant: ParticipantId, provider: &ProviderName) -> bool {
        self.granted
            .get(&participant)
            .map_or_else(|| self.speaking.contains(provider), |granted| granted.providers.contains(provider))
    }

    /// What relays call those who were given credentials.
    pub(super) fn names(&self) -> Vec<(String, ParticipantId)> {
        let mut names = Vec::new();
        for (number, granted) in &self.granted {
            names.extend(granted.names.iter().map(|name| (name.clone(), *number)));
        }
        names
    }

    /// Who was given credentials and is not on disk yet.
    pub(super) fn take_unwritten(&mut self) -> Vec<Grantee> {
        let granted = &self.granted;
        let grantee = |number: ParticipantId| {
            let Granted { asked, providers, names, .. } = granted.get(&number)?;
            let is_stranger = matches!(asked.holder, Holder::Stranger(_));
            let (parties, providers, names) = (asked.parties.clone(), providers.clone(), names.clone());
            Some(Grantee { number, is_stranger, parties, providers, names })
        };
        std::mem::take(&mut self.unwritten).into_iter().filter_map(grantee).collect()
    }

    /// It could not be written.
    pub(super) fn still_unwritten(&mut self, grantees: &[Grantee]) {
        self.unwritten.extend(grantees.iter().map(|grantee| grantee.number));
    }

    /// A relay counts for itself from now on, or no more.
    pub(super) fn speaks(&mut self, provider: &ProviderName, speaks: bool, now: Now) {
        if speaks {
            self.silent.remove(provider);
            self.speaking.insert(provider.clone());
        } else if self.speaking.remove(provider) {
            self.silent.insert(provider.clone(), now);
            // What browsers report counts by itself, and the totals of what lived through it tell nothing.
            self.behind.remove(provider);
        }
    }

    /// A relay told so much. How much of that counts already.
    pub(super) fn told(
        &mut self,
        provider: &ProviderName,
        participant: Option<ParticipantId>,
        bytes: ByteCount,
    ) -> ByteCount {
        let Some(behind) = self.behind.get_mut(provider) else { return ByteCount::ZERO };
        if behind.silent_since().is_some() {
            tracing::info!(%provider, "Its own count is heard");
        }
        behind.heard(participant, bytes)
    }

    /// Since when nothing is heard of a relay that counts for itself, though browsers report bytes over it.
    pub(super) fn unheard_since(&self, provider: &ProviderName) -> Option<Now> {
        self.behind.get(provider)?.silent_since()
    }

    /// What did not count, of somebody who can be named: a check is over before its relay must have spoken. The relay in this process is
    /// never away.
    fn held(&mut self, held: &Held, now: Now) {
        let concerns = held.participant != checks::NOBODY && self.own.as_ref() != Some(&held.provider);
        if concerns && self.speaking.contains(&held.provider) {
            self.behind.entry(held.provider.clone()).or_default().reported(held, now);
        }
    }

    /// The ending without its estimate where every relay that either end may have used counts for itself: what it relayed is in
    /// the books already.
    pub(super) fn without_needless_estimate(&self, ended: Ended) -> Ended {
        let counted = |participant| {
            let counts =
                |provider: &ProviderName| self.speaking.contains(provider) && self.unheard_since(provider).is_none();
            self.granted.get(participant).is_some_and(|granted| granted.providers.iter().all(counts))
        };
        if [&ended.host, &ended.guest].into_iter().all(counted) { Ended { estimate: None, ..ended } } else { ended }
    }
}

impl Shared {
    pub(super) fn load(
        ledger: &Ledger,
        limits: Limits,
        connections: Connections,
        clock: Clock,
        among_others: bool,
    ) -> Result<Self, rusqlite::Error> {
        let load = if among_others { Books::load_among } else { Books::load };
        let mut books = load(ledger, clock.wall())?;
        let mut cap = Cap::new(limits);
        cap.restore(ledger.promises(clock.wall())?, clock.now());
        books.begin_anew(&cap);
        let granted = ledger.granted(clock.wall(), CREDENTIALS_LIVE_FOR)?;
        let granted = granted.into_iter().map(|grantee| Granted::before(grantee, clock.now())).collect();
        let voices = Voices { granted, ..Voices::default() };
        Ok(Self {
            clock,
            connections: Mutex::new(connections),
            checks: Mutex::default(),
            books: Mutex::new(books),
            cap: Mutex::new(cap),
            voices: Mutex::new(voices),
            hungry: Notify::new(),
            stage: watch::Sender::default(),
            orders: broadcast::Sender::new(ORDERS),
        })
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn checks(&self) -> MutexGuard<'_, Checks> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn cap(&self) -> MutexGuard<'_, Cap> {
        self.cap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn voices(&self) -> MutexGuard<'_, Voices> {
        self.voices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This month, and what it comes to.
    pub(super) fn this_month(&self) -> (Month, MonthTotal) {
        let month = Month::of(self.clock.wall());
        (month, self.books().sums().total(month))
    }

    /// What was written counts now: it is in the sums, and used up what was promised for it.
    pub(super) fn take(&self, recorded: &Recorded) {
        let now = self.clock.now();
        let mut cap = self.cap();
        let mut books = self.books();
        let mut voices = self.voices();
        books.take(recorded);
        for counted in &recorded.counted {
            // Of a connection that nobody told of the estimate is of nobody's relay, and so is what somebody says of a provider that
            // gave them nothing: nothing was promised for either.
            let Some(provider) = &counted.provider else { continue };
            let unknown = || Asked { holder: Holder::Relay, parties: Vec::new() };
            let asked =
                counted.participant.map_or_else(unknown, |participant| voices.asked(participant, counted.session));
            cap.measured(provider, asked.holder, &asked.parties, counted.bytes, &*books, now);
            if voices.own.as_ref() == Some(provider) {
                voices.own_booked = voices.own_booked.plus(counted.bytes);
            }
        }
        for held in &recorded.held {
            voices.held(held, now);
        }
        drop((voices, books));
        self.wake_if_hungry(&cap);
    }

    /// What browsers reported that counts now, since nothing is heard of the relays that it went over.
    pub(super) fn take_due(&self) -> Vec<(ProviderName, Due)> {
        let now = self.clock.now();
        let mut all = Vec::new();
        for (provider, behind) in &mut self.voices().behind {
            let was_heard = behind.silent_since().is_none();
            let due = behind.due(now);
            if was_heard && behind.silent_since().is_some() {
                tracing::warn!(
                    %provider,
                    "Its own count does not arrive, though browsers report bytes over it: their reports count until it is heard \
                     again. See that it reaches its Redis"
                );
            }
            all.extend(due.into_iter().map(|due| (provider.clone(), due)));
        }
        all
    }

    /// Up to where the relay in this process may relay: what is booked, what is promised, and a few packets, so that a limit is reached
    /// and not only approached. Once the promise is used up and nothing more can be promised there are no more of these: they are
    /// given once, and not whenever this is asked. Whatever this machine holds of a limit that it shares is all that it has.
    pub(super) fn relay_bound(&self) -> ByteCount {
        let cap = self.cap();
        let books = self.books();
        let voices = self.voices();
        let Some(provider) = &voices.own else { return voices.own_booked };
        let promised = cap.reserved_by(provider);
        let is_used_up = books.lent(&Account::Month) == Some(ByteCount::ZERO)
            || (promised == ByteCount::ZERO && cap.could_promise_at_most(provider, &*books) == ByteCount::ZERO);
        voices.own_booked.plus(promised).plus(if is_used_up { ByteCount::ZERO } else { LAST_PACKETS })
    }

    /// Of the providers that a report names, those whose relays this participant cannot have used. Where there are several machines each
    /// of them may have given credentials, and whatever is named is believed.
    pub(super) fn foreign(&self, participant: ParticipantId, report: &UsageReport) -> BTreeSet<ProviderName> {
        if self.books().heard_at().is_some() {
            return BTreeSet::new();
        }
        let voices = self.voices();
        let named = report.pairs.iter().map(|pair| &pair.provider);
        named.filter(|provider| !voices.may_have_used(participant, provider)).cloned().collect()
    }

    /// What is in the books of that relay.
    pub(super) fn relay_booked(&self) -> ByteCount {
        self.voices().own_booked
    }

    /// What could be promised over that relay, if nobody else asked for anything.
    pub(super) fn relay_alone(&self) -> ByteCount {
        let cap = self.cap();
        let books = self.books();
        let voices = self.voices();
        voices.own.as_ref().map_or(ByteCount::ZERO, |provider| cap.could_promise_at_most(provider, &*books))
    }

    /// For whom a participant's bytes count.
    pub(super) fn parties_of(&self, participant: ParticipantId) -> Vec<Party> {
        self.voices().asked(participant, None).parties
    }

    /// The session of somebody who was given credentials.
    pub(super) fn session_of(&self, participant: ParticipantId) -> Option<ParticipantId> {
        self.parties_of(participant).into_iter().find_map(|party| match party {
            Party::Session(host) => Some(host),
            Party::Participant(_) | Party::Address(_) | Party::App(_) | Party::Strangers => None,
        })
    }

    /// Whether credentials of this provider may be given to them.
    pub(super) fn has_room(&self, provider: &ProviderName, asked: &Asked) -> Result<(), NoRoom> {
        if self.is_uncounted(provider) {
            return Err(NoRoom::Uncounted);
        }
        let cap = self.cap();
        cap.has_room(provider, asked.holder, &asked.parties, &*self.books())
    }

    /// Promises them what they will need at first. Relays call them by these names.
    pub(super) fn lease(&self, provider: &ProviderName, asked: &Asked, names: &Arc<[String]>) -> Result<(), NoRoom> {
        if self.is_uncounted(provider) {
            return Err(NoRoom::Uncounted);
        }
        let now = self.clock.now();
        if let Holder::Participant(number) | Holder::Stranger(number) = asked.holder {
            self.voices().grant(number, asked, names, provider, now);
        }
        let mut cap = self.cap();
        let leased = cap.lease(provider, asked.holder, asked.parties.clone(), &*self.books(), now);
        self.wake_if_hungry(&cap);
        leased
    }

    /// Whether somebody may go on at the relay in this process.
    pub(super) fn goes_on(&self, participant: ParticipantId) -> Result<(), NoRoom> {
        let cap = self.cap();
        let books = self.books();
        let asked = self.voices().asked(participant, None);
        cap.goes_on(asked.holder, &asked.parties, &*books)
    }

    /// Other limits hold from now on.
    pub(super) fn exchange(&self, limits: Limits) {
        let mut cap = self.cap();
        cap.exchange(limits, &*self.books());
    }

    /// The relay in this process stops with it: nobody can use any more what they were promised there. One elsewhere goes on.
    pub(super) fn forget_the_relay_here(&self) {
        let mut cap = self.cap();
        if !self.voices().own_is_elsewhere {
            cap.forget_the_relay_here();
        }
    }

    /// Whether what may be relayed today is used up.
    pub(super) fn day_is_over(&self) -> bool {
        let (cap, books) = (self.cap(), self.books());
        // For a moment the books may still be those of another day.
        books.is_of(self.clock.wall()) && cap.limits().day.is_some_and(|day| books.day() >= day)
    }

    /// What is promised by all.
    pub(super) fn reserved(&self) -> ByteCount {
        let reserved = self.cap().reserved();
        reserved.plus(self.books().reserved_by_others())
    }

    /// Whoever needs no relay any more is promised nothing.
    pub(super) fn release_freed(&self) {
        let freed = self.connections().take_freed();
        let mut cap = self.cap();
        for participant in freed {
            cap.release(participant);
        }
    }

    /// Writes down who was given credentials, for a process after this one.
    pub(super) fn write_granted(&self, ledger: &mut Ledger) {
        let grantees = self.voices().take_unwritten();
        if grantees.is_empty() {
            return;
        }
        if let Err(error) = ledger.grant(self.clock.wall(), CREDENTIALS_LIVE_FOR, &grantees) {
            tracing::debug!(%error, "who was given credentials could not be written down");
            self.voices().still_unwritten(&grantees);
        }
    }

    /// For how long credentials of this provider may live.
    pub(super) fn life(&self, provider: &ProviderName, asked: Duration) -> Duration {
        self.cap().life(provider, asked, &*self.books())
    }

    /// Whether nothing is to be given because it could not be counted: at all, or over this provider.
    pub(super) fn is_uncounted(&self, provider: &ProviderName) -> bool {
        let closed = self.cap().limits().when_uncounted == WhenUncounted::Closed;
        let (voices, now) = (self.voices(), self.clock.now());
        let long = |since: &Now| now.since(*since) >= COUNTING_MAY_FAIL_FOR;
        closed && (voices.failing.as_ref().is_some_and(long) || voices.silent.get(provider).is_some_and(long))
    }

    /// Time has passed: promises lapse, the month may have turned, and whoever watches is told what changed. The ledger is asked
    /// where another day began.
    pub(super) fn tick(&self, ledger: &Ledger) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        if !self.books().is_of(wall) {
            let cap = self.cap();
            let mut books = self.books();
            match books.turned(ledger, wall) {
                Ok(()) => books.begin(&cap),
                Err(error) => {
                    tracing::warn!(%error, "the usage of this day cannot be read; the last one's counts until it can");
                }
            }
        }
        self.voices().granted.retain(|_, granted| now.since(granted.at) < CREDENTIALS_LIVE_FOR);
        let mut cap = self.cap();
        let books = self.books();
        for verdict in cap.tick(&*books, now) {
            let Verdict { participant, provider, why, goes_on } = verdict;
            // Nobody listens where there are no sessions.
            let _unheard = self.orders.send(RelayOrder { participant, provider: provider.clone(), why, goes_on });
        }
        drop((books, cap));
        self.look_at_limit();
    }

    /// Tells whoever watches, and the log, how near the limit is, when that changes.
    pub(super) fn look_at_limit(&self) {
        let month = Month::of(self.clock.wall());
        let (stage, used, limit) = {
            let (cap, books) = (self.cap(), self.books());
            // For a moment the books may still be those of another month.
            let stage = if books.month == month { cap.stage(&*books) } else { RelayStage::default() };
            (stage, books.sums().total(month).used, cap.limits().month)
        };
        let mut before = stage;
        let changed = self.stage.send_if_modified(|known| {
            before = std::mem::replace(known, stage);
            before != stage
        });
        if changed {
            status::tell(before, stage, used, limit);
        }
    }
}
