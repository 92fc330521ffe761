//! What the ledger's thread and its callers both look at.
//!
//! Locks are held for moments, never while anything is written, and taken in one order: the cap, the books,
//! the voices.

mod among;
mod books;

pub use among::{Answer, Told};

use self::books::Books;
use super::cap::{Cap, Holder, Limits, NoRoom, Used as _, Verdict, WhenUncounted};
use super::checks::{self, Checks};
use super::connections::{Connections, Ended};
use super::ledger::{Ledger, Recorded};
use super::month::Month;
use super::party::Party;
use super::several::Account;
use super::status;
use super::sums::MonthTotal;
use crate::domain::{ByteCount, Now, ParticipantId, ProviderName};
use crate::protocol::RelayStage;
use crate::server::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Who.
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
}

/// Somebody who was given credentials.
#[derive(Debug)]
struct Granted {
    /// For whom their bytes count.
    asked: Asked,
    /// Of which providers.
    providers: BTreeSet<ProviderName>,
    /// When last.
    at: Now,
}

impl Voices {
    /// Whoever was given credentials is known by what they asked as. Of anybody else, as after a restart, nothing but the number is, and
    /// the session where what is counted names it: their limits hold all the same. Whoever checks a connection is in no session, and
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

    fn grant(&mut self, number: ParticipantId, asked: &Asked, provider: &ProviderName, now: Now) {
        let new = || Granted { asked: asked.clone(), providers: BTreeSet::new(), at: now };
        let granted = self.granted.entry(number).or_insert_with(new);
        (granted.asked, granted.at) = (asked.clone(), now);
        granted.providers.insert(provider.clone());
    }

    /// The ending without its estimate where every relay that either end may have used counts for itself: what it relayed is in
    /// the books already.
    pub(super) fn without_needless_estimate(&self, ended: Ended) -> Ended {
        let counted = |participant| {
            self.granted.get(participant).is_some_and(|granted| granted.providers.is_subset(&self.speaking))
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
        Ok(Self {
            clock,
            connections: Mutex::new(connections),
            checks: Mutex::default(),
            books: Mutex::new(books),
            cap: Mutex::new(cap),
            voices: Mutex::default(),
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
            // An estimate is of nobody's relay, and nothing was promised for it.
            let Some(provider) = &counted.provider else { continue };
            let unknown = || Asked { holder: Holder::Relay, parties: Vec::new() };
            let asked =
                counted.participant.map_or_else(unknown, |participant| voices.asked(participant, counted.session));
            cap.measured(provider, asked.holder, &asked.parties, counted.bytes, &*books, now);
            if voices.own.as_ref() == Some(provider) {
                voices.own_booked = voices.own_booked.plus(counted.bytes);
            }
        }
        drop((voices, books));
        self.wake_if_hungry(&cap);
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
            || (promised == ByteCount::ZERO && !cap.could_promise(provider, &*books));
        voices.own_booked.plus(promised).plus(if is_used_up { ByteCount::ZERO } else { LAST_PACKETS })
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

    /// Promises them what they will need at first.
    pub(super) fn lease(&self, provider: &ProviderName, asked: &Asked) -> Result<(), NoRoom> {
        if self.is_uncounted(provider) {
            return Err(NoRoom::Uncounted);
        }
        let now = self.clock.now();
        if let Holder::Participant(number) | Holder::Stranger(number) = asked.holder {
            self.voices().grant(number, asked, provider, now);
        }
        let mut cap = self.cap();
        let leased = cap.lease(provider, asked.holder, asked.parties.clone(), &*self.books(), now);
        self.wake_if_hungry(&cap);
        leased
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

    /// For how long credentials may live.
    pub(super) fn life(&self, asked: Duration) -> Duration {
        self.cap().life(asked, &*self.books())
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
