//! What is done next with the keys of one provider: make one, try it, let it take the old one's place, delete what is over.
//!
//! Pure: time is passed in, and each [`Step`] is carried out by someone else, who says how it went. The process may die between
//! any two steps, and any step may fail after it was done. What keeps that harmless:
//!
//! - The [`Ring`] on disk is the truth. A change of it is a step of its own, [`Step::Store`], and nothing is decided on it
//!   before it is stored.
//! - A key's name is stored before the key is made. Whatever carries one of our names and is not in the ring was made and then
//!   lost: nobody can have signed with it, so it is deleted, before another one is made.
//! - A key signs once it was seen to work. The one before it stays at the provider until what it signed has expired.
//! - There are never more than [`MOST_KEYS`] in the ring: where keys are to live shorter than their credentials, they live longer.
//!
//! `tests` cuts the thread at any place and looks at every deletion.

use super::{
    backoff::Backoff,
    ring::{Key, KeyId, KeyName, Retired, Ring},
};
use crate::domain::UnixMillis;
use secrecy::SecretString;
use std::time::Duration;

/// How many keys one provider holds for us, at most.
pub(super) const MOST_KEYS: usize = 4;

/// How often the provider's list is looked at where nothing else asks for it.
const LOOK_EVERY: Duration = Duration::from_hours(24);

/// A key that is younger may be missing from the provider's list without being gone.
const LISTED_BY: Duration = Duration::from_hours(1);

/// What the operator set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// How old a key gets.
    pub(super) every: Duration,
    /// How long the credentials live that it signs.
    pub(super) life: Duration,
}

/// What is to be done, by someone else, before it is asked again.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Put this on disk.
    Store(Ring),
    /// Ask the provider which keys it has.
    List,
    /// Make a key of this name.
    Create(KeyName),
    /// See whether what this key signs is taken.
    Prove(Key),
    /// Delete this key. One that is not there is deleted.
    Delete(Listed),
    /// Nothing before this moment.
    Wait(UnixMillis),
}

/// A key in a provider's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: KeyName,
    pub(super) id: KeyId,
}

/// What is known of the next key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// Nothing yet.
    Open,
    /// It was seen to work.
    Proved,
    /// It is not at the provider any more.
    Gone,
}

/// The keys of one provider, and what is known of them beyond the ring.
#[derive(Debug)]
pub(super) struct Rotation {
    rules: Rules,
    ring: Ring,
    /// The change that waits for the disk.
    wanted: Option<Ring>,
    /// Made, and not in the ring yet.
    made: Option<Key>,
    trial: Trial,
    /// The current key is not at the provider any more.
    current_is_gone: bool,
    /// Deleted, and still in the ring.
    deleted: Vec<KeyId>,
    /// Made for us and lost.
    orphans: Vec<Listed>,
    /// The provider's list was seen since the last attempt to make a key.
    swept: bool,
    looked_at: Option<UnixMillis>,
    disk: Backoff,
    turning: Backoff,
    clearing: Backoff,
}

impl Rotation {
    /// Goes on from what is on disk.
    pub(super) fn new(ring: Ring, rules: Rules) -> Self {
        Self {
            rules,
            ring,
            wanted: None,
            made: None,
            trial: Trial::Open,
            current_is_gone: false,
            deleted: Vec::new(),
            orphans: Vec::new(),
            swept: false,
            looked_at: None,
            disk: Backoff::default(),
            turning: Backoff::default(),
            clearing: Backoff::default(),
        }
    }

    /// What is on disk.
    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    /// What is to be done now. `name` is for a key that is made next, if one is.
    pub(super) fn next(&mut self, now: UnixMillis, name: KeyName) -> Step {
        self.wanted = self.change(now, name);
        if let Some(wanted) = &self.wanted {
            return if self.disk.is_over(now) { Step::Store(wanted.clone()) } else { Step::Wait(self.disk.until()) };
        }
        if self.clearing.is_over(now)
            && let Some(doomed) = self.doomed(now)
        {
            return Step::Delete(doomed);
        }
        if self.turning.is_over(now)
            && let Some(step) = self.turn()
        {
            return step;
        }
        if self.clearing.is_over(now) && self.look_at(now) <= now {
            return Step::List;
        }
        Step::Wait(self.next_moment(now))
    }

    /// The ring is on disk as it was wanted.
    pub(super) fn stored(&mut self) {
        self.disk.reset();
        let Some(ring) = self.wanted.take() else { return };
        if ring.next != self.ring.next {
            (self.made, self.trial) = (None, Trial::Open);
        }
        if ring.current.as_ref().map(|key| &key.id) != self.ring.current.as_ref().map(|key| &key.id) {
            self.current_is_gone = false;
            self.turning.reset();
        }
        self.deleted.clear();
        self.ring = ring;
    }

    /// The provider has these keys, and maybe others that are not ours.
    pub(super) fn listed(&mut self, listed: Vec<Listed>, now: UnixMillis) {
        let there = |key: &Key| listed.iter().any(|one| one.id == key.id);
        self.current_is_gone =
            self.ring.current.as_ref().is_some_and(|key| !there(key) && key.created_at.until(now) >= LISTED_BY);
        // Only one that does not work either: a list may lag behind.
        if self.turning.has_failed() && self.ring.next.as_ref().is_some_and(|key| !there(key)) {
            self.trial = Trial::Gone;
        }
        let known = |one: &Listed| self.ring.keys().chain(&self.made).any(|key| key.id == one.id);
        self.orphans = listed.iter().filter(|one| self.ring.names(&one.name) && !known(one)).cloned().collect();
        (self.swept, self.looked_at) = (true, Some(now));
        if self.orphans.is_empty() {
            self.clearing.reset();
        }
    }

    /// The key was made.
    pub(super) fn created(&mut self, name: KeyName, id: KeyId, secret: SecretString, now: UnixMillis) {
        self.made = Some(Key { name, id, secret, created_at: now, life: self.rules.life });
    }

    /// The next key works.
    pub(super) fn proved(&mut self) {
        self.trial = Trial::Proved;
    }

    /// The key is at the provider no more.
    pub(super) fn deleted(&mut self, key: Listed) {
        self.clearing.reset();
        self.orphans.retain(|orphan| orphan.id != key.id);
        self.deleted.push(key.id);
    }

    /// This step was not carried out, or was and nobody knows. `pause` is what the provider asked for.
    pub(super) fn failed(&mut self, step: &Step, pause: Option<Duration>, now: UnixMillis) {
        match step {
            Step::Store(_) => self.disk.fail(pause, now),
            Step::List => {
                self.turning.fail(pause, now);
                self.clearing.fail(pause, now);
            }
            Step::Create(_) | Step::Prove(_) => self.turning.fail(pause, now),
            Step::Delete(_) => self.clearing.fail(pause, now),
            Step::Wait(_) => {}
        }
    }

    /// The ring as it should be by what is known, if that is another one.
    fn change(&self, now: UnixMillis, name: KeyName) -> Option<Ring> {
        let mut ring = self.ring.clone();
        ring.not_ahead_of(now);
        for key in ring.current.iter_mut().chain(&mut ring.next) {
            key.life = key.life.max(self.rules.life);
        }
        ring.retired.retain(|retired| !self.deleted.contains(&retired.key.id));
        if let Some(made) = &self.made {
            (ring.making, ring.next) = (None, Some(made.clone()));
        }
        match self.trial {
            Trial::Open => {}
            Trial::Proved => {
                if let Some(next) = ring.next.take() {
                    let before = ring.current.replace(next);
                    ring.retired.extend(before.map(|key| Retired { key, at: now }));
                }
            }
            // Nothing was ever signed with it. Deleting it once more makes sure.
            Trial::Gone => {
                ring.retired.extend(ring.next.take().map(|key| Retired { key, at: UnixMillis::default() }));
            }
        }
        let free = ring.making.is_none() && ring.next.is_none() && ring.keys().count() < MOST_KEYS;
        if free && self.turning.is_over(now) && self.due_at(&ring).is_none_or(|due| due <= now) {
            ring.making = Some(name);
        }
        (ring != self.ring).then_some(ring)
    }

    /// When the current key is to be replaced; `None`: long ago.
    fn due_at(&self, ring: &Ring) -> Option<UnixMillis> {
        let current = ring.current.as_ref().filter(|_| !self.current_is_gone)?;
        Some(current.created_at.plus(self.rules.every))
    }

    /// The next step towards a key that signs, if one is to be made.
    fn turn(&mut self) -> Option<Step> {
        if let Some(next) = &self.ring.next {
            return Some(Step::Prove(next.clone()));
        }
        let making = self.ring.making.as_ref()?;
        if !self.swept {
            return Some(Step::List);
        }
        if !self.orphans.is_empty() {
            return None;
        }
        self.swept = false;
        Some(Step::Create(making.clone()))
    }

    /// A key to delete; another one each time, so that one that cannot be deleted keeps none of the others.
    fn doomed(&self, now: UnixMillis) -> Option<Listed> {
        let over = self.ring.retired.iter().filter(|retired| retired.over_at() <= now).map(|retired| &retired.key);
        let over = over.map(|key| Listed { name: key.name.clone(), id: key.id.clone() });
        let doomed: Vec<_> = self.orphans.iter().cloned().chain(over).collect();
        let place = self.clearing.failures().checked_rem(doomed.len())?;
        doomed.into_iter().nth(place)
    }

    fn look_at(&self, now: UnixMillis) -> UnixMillis {
        self.looked_at.filter(|at| *at <= now).map_or(now, |at| at.plus(LOOK_EVERY))
    }

    /// When there may be something to do.
    fn next_moment(&self, now: UnixMillis) -> UnixMillis {
        let retired = self.ring.retired.iter().map(Retired::over_at);
        let pauses = [self.turning.until(), self.clearing.until(), self.look_at(now)];
        let moments = retired.chain(self.due_at(&self.ring)).chain(pauses);
        moments.filter(|moment| *moment > now).min().unwrap_or_else(|| now.plus(LOOK_EVERY))
    }
}

#[cfg(test)]
mod tests;
