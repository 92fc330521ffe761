//! Who may come in: by the key of a link, by the password, or because none is asked for.
//!
//! Nobody finds out by trying. A code that no session has is answered like a wrong password, after the same work; whoever
//! fails waits longer each time, by address and by session. Somebody who attacks a session does not lock its guests out:
//! the session's delay is only for addresses that have failed already, and none is for those with a link. Hashing is bounded,
//! so that a flood of tries takes neither all memory nor all cores.
//!
//! Where there are several servers, whoever knocks is judged at the one that they came to, wherever the session is, and each tells the
//! others who failed: the same tries at the same server have the same answers, whether a session is elsewhere or nowhere.

use super::refusal::Refusal;
use super::session::{CannotHash, Door, PasswordHash};
use crate::domain::SessionCode;
use crate::protocol::Password;
use crate::server::clock::Clock;
use crate::server::cluster::Rates;
use crate::server::guard::{ClientAddress, Delays, Neighbourhood, WIDER};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Failures that one address has free: a family behind one address mistypes now and then.
pub(super) const FREE_BY_ADDRESS: u32 = 8;

/// The longest wait for an address.
const LONGEST_BY_ADDRESS: Duration = Duration::from_mins(5);

/// Failures that one session has free.
const FREE_BY_SESSION: u32 = 10;

/// The longest wait for a session.
const LONGEST_BY_SESSION: Duration = Duration::from_mins(1);

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// Whoever waits for so long for a free place to hash is told to try again.
const HASH_WITHIN: Duration = Duration::from_secs(5);

/// Decides who may come in.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    clock: Clock,
    /// What makes an address's pseudonym the same at all servers, where there are several.
    all_nodes: Option<Rates>,
    /// By pseudonym.
    addresses: Delays<u64>,
    /// By pseudonym: whoever has a whole /48 has no more tries for it than eight addresses have.
    neighbourhoods: Delays<u64>,
    sessions: Delays<SessionCode>,
    hashing: Arc<Semaphore>,
    /// How many passwords were hashed so far: no answer may be had for less work than another.
    hashed: AtomicU64,
}

/// Somebody at the door.
pub(super) struct Knock {
    /// Where they are.
    pub(super) from: ClientAddress,
    /// Which session they want.
    pub(super) code: SessionCode,
    /// What it asks for; `None` where there is no such session.
    pub(super) door: Option<Door>,
    /// They have the key of one of its links.
    pub(super) invited: bool,
    /// What they typed.
    pub(super) password: Option<Password>,
}

impl Doorkeeper {
    /// Nobody has failed yet.
    pub(super) fn new(clock: Clock, all_nodes: Option<Rates>) -> Self {
        // Half of the cores go on with everything else.
        let at_once = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Self {
            clock,
            all_nodes,
            addresses: Delays::new(FREE_BY_ADDRESS, FIRST, LONGEST_BY_ADDRESS),
            neighbourhoods: Delays::new(FREE_BY_ADDRESS * WIDER, FIRST, LONGEST_BY_ADDRESS / WIDER),
            sessions: Delays::new(FREE_BY_SESSION, FIRST, LONGEST_BY_SESSION),
            hashing: Arc::new(Semaphore::new(at_once)),
            hashed: AtomicU64::new(0),
        }
    }

    /// Whether somebody may come in.
    pub(super) async fn admits(&self, knock: Knock) -> Result<(), Refusal> {
        let Knock { from, code, door, invited, password } = knock;
        if invited {
            return Ok(());
        }
        if self.makes_wait(from, code) {
            return Err(Refusal::TooManyTries);
        }
        let (hash, exists) = match door {
            Some(Door::Open) => return Ok(()),
            Some(Door::Password(hash)) => (hash, true),
            None => (PasswordHash::of_nothing(), false),
        };
        let (from, around) = (self.pseudonym(from), self.pseudonym_around(from));
        self.failed(from, around, code);
        let checked = self.hash(move || hash.is_of(password.as_ref())).await;
        if !matches!(checked, Ok(false)) && (exists || checked.is_err()) {
            self.addresses.succeeded(&from);
            if let Some(around) = &around {
                self.neighbourhoods.succeeded(around);
            }
            self.sessions.succeeded(&code);
        }
        if checked? && exists { Ok(()) } else { Err(Refusal::CannotEnter) }
    }

    /// Whether somebody without a link has to wait before they may try this code. Counts nothing.
    pub(super) fn makes_wait(&self, from: ClientAddress, code: SessionCode) -> bool {
        let now = self.clock.now();
        let (from, around) = (self.pseudonym(from), self.pseudonym_around(from));
        let session_waits = self.addresses.has_failed(&from) && !self.sessions.wait(&code, now).is_zero();
        let neighbours_wait = around.is_some_and(|around| !self.neighbourhoods.wait(&around, now).is_zero());
        session_waits || neighbours_wait || !self.addresses.wait(&from, now).is_zero()
    }

    /// Counts a try that fails, here or at another server; `around` is what stands for the address's neighbourhood, where it has one.
    pub(super) fn failed(&self, from: u64, around: Option<u64>, code: SessionCode) {
        let now = self.clock.now();
        self.addresses.begin(from, now);
        if let Some(around) = around {
            self.neighbourhoods.begin(around, now);
        }
        self.sessions.begin(code, now);
    }

    /// What stands for an address where failures are told.
    pub(super) fn pseudonym(&self, from: ClientAddress) -> u64 {
        from.pseudonym(self.all_nodes.as_ref())
    }

    /// The same for its neighbourhood; `None` where it has none.
    pub(super) fn pseudonym_around(&self, from: ClientAddress) -> Option<u64> {
        Neighbourhood::of(from).map(|around| around.pseudonym(self.all_nodes.as_ref()))
    }

    /// A new session's password, as it is kept.
    pub(super) async fn keep(&self, password: Option<Password>) -> Result<Option<PasswordHash>, Refusal> {
        let Some(password) = password else { return Ok(None) };
        let salt = rand::random();
        self.hash(move || PasswordHash::of(&password, salt)).await.map(Some)
    }

    /// Drops what was long ago.
    pub(super) fn forget_idle(&self) {
        let now = self.clock.now();
        self.addresses.forget_idle(now);
        self.neighbourhoods.forget_idle(now);
        self.sessions.forget_idle(now);
    }

    async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CannotHash> + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = tokio::time::timeout(HASH_WITHIN, Arc::clone(&self.hashing).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(Refusal::TooManyTries);
        };
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        match done.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) | Err(_) => Err(Refusal::Unlucky),
        }
    }
}

#[cfg(test)]
mod tests;
