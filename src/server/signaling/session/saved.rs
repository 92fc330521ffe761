//! A session as it outlives the server: what has to be written down of it, and how it begins again from that.
//!
//! Not kept: who is at which socket, since after a restart everyone is away and their graces run from then; and what their
//! allowances hold. Secrets are kept as hashes.

use super::chat::{Chat, REACTED, SAID};
use super::connections::{Connection, Connections};
use super::invite::Invites;
use super::participant::{Former, Participant, Presence};
use super::password::PasswordHash;
use super::secret::SecretHash;
use super::{Rules, Session};
use crate::domain::{
    ConnectionId, InviteKey, Nameless, Now, ParticipantId, ParticipantName, Role, SessionCode, UnixMillis,
};
use crate::protocol::{ChatEntry, FilmStatus, RelayStage};
use crate::server::signaling::bucket::Bucket;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// What may have happened and not have been written before a crash: numbers that grow go on beyond it.
const UNWRITTEN: u64 = 1_000;

/// No session counts so far, and browsers count no further: a state that says so is damaged.
const LARGEST: u64 = 1 << 53;

/// A session on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The session.
    pub code: SessionCode,
    at: UnixMillis,
    revision: u64,
    password: Option<PasswordHash>,
    people: Vec<SavedPerson>,
    came: u64,
    former: VecDeque<Former>,
    open: Vec<Connection>,
    closed: Vec<Connection>,
    film: Option<FilmStatus>,
    film_at: UnixMillis,
    chat: Vec<ChatEntry>,
    last_said: u64,
    locked: bool,
    invites: Vec<SecretHash>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedPerson {
    id: ParticipantId,
    secret: SecretHash,
    name: ParticipantName,
    /// Unknown of whoever was written down before this was; they keep their name as it stands.
    #[serde(default)]
    nameless: Option<Nameless>,
    role: Role,
    watching: bool,
    came: u64,
}

/// A connection that usage counts, as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// Which.
    pub connection: ConnectionId,
    /// One end.
    pub host: ParticipantId,
    /// The other.
    pub guest: ParticipantId,
}

impl Session {
    /// Whether something is to be written down since the last [`Self::save`]. Not after the end, when there is nothing to
    /// keep.
    pub const fn is_unsaved(&self) -> bool {
        self.unsaved && self.over_since.is_none()
    }

    /// What is to be written down.
    pub fn save(&mut self, now: Now, wall: UnixMillis) -> Saved {
        self.unsaved = false;
        Saved {
            code: self.code,
            at: wall,
            revision: self.revision,
            password: self.password.clone(),
            people: self.people.iter().map(SavedPerson::of).collect(),
            came: self.came,
            former: self.former.clone(),
            open: self.connections.open().to_vec(),
            closed: self.connections.closed().copied().collect(),
            film: self.film.clone(),
            film_at: UnixMillis(wall.0.saturating_sub(millis(now.since(self.film_at)))),
            chat: self.chat.after(0),
            last_said: self.chat.last(),
            locked: self.locked,
            invites: self.invites.valid().collect(),
        }
    }

    /// Goes on where it was, unless that makes no sense: everyone is away, and has as long to come back as if they had just gone. `key` is for the
    /// host's links from now on. `counted` gives the connections that the ledger has of a host.
    pub fn restore(
        saved: Saved,
        rules: Rules,
        key: InviteKey,
        counted: impl FnOnce(ParticipantId) -> Vec<Counted>,
        now: Now,
        wall: UnixMillis,
    ) -> Option<Self> {
        // There would be no counting on from there.
        if [saved.revision, saved.last_said, saved.came].into_iter().any(|number| number > LARGEST) {
            return None;
        }
        let away = saved.at.until(wall);
        // The film went on playing on the host's page; what it was told is brought forward to now.
        let film = saved.film.map(|film| {
            let position_ms = film.position_after(saved.film_at.until(wall));
            FilmStatus { position_ms, ..film }
        });
        let people: Vec<_> = saved.people.into_iter().map(|person| person.come_back(&rules, now)).collect();
        // Nobody can do anything in a session without a host.
        let host = people.first().filter(|person| person.is_host())?.id;
        let mut connections = Connections::restored(saved.open, saved.closed);
        for counted in counted(host) {
            // The ledger may have heard of it, and the file not yet.
            let here = people.iter().any(|person| person.id == counted.guest);
            if here && !connections.was_used(counted.connection) && connections.of_guest(counted.guest).is_none() {
                connections.adopt(counted.connection, host, counted.guest);
            }
        }
        Some(Self {
            code: saved.code,
            password: saved.password,
            rules,
            people,
            former: saved.former,
            connections,
            invites: Invites::new(saved.invites, key),
            chat: Chat::restored(saved.chat, saved.last_said + UNWRITTEN),
            locked: saved.locked,
            came: saved.came,
            film,
            film_at: now,
            now,
            relays: RelayStage::default(),
            revision: saved.revision + UNWRITTEN + millis(away),
            over_since: None,
            changed: false,
            unsaved: true,
            welcomed: None,
            outputs: VecDeque::new(),
        })
    }

    /// The connections that usage counts and that are open.
    pub fn counted_open(&self) -> impl Iterator<Item = Counted> {
        let open = self.connections.open().iter().filter(|open| open.offered);
        open.map(|open| Counted { connection: open.id, host: open.host, guest: open.guest })
    }
}

impl SavedPerson {
    fn of(person: &Participant) -> Self {
        Self {
            id: person.id,
            secret: person.secret,
            name: person.name.clone(),
            nameless: person.nameless,
            role: person.role,
            watching: person.watching,
            came: person.came,
        }
    }

    fn come_back(self, rules: &Rules, now: Now) -> Participant {
        Participant {
            id: self.id,
            secret: self.secret,
            name: self.name,
            nameless: self.nameless,
            role: self.role,
            presence: Presence::Away { since: now },
            host_grace: rules.host_grace,
            watching: self.watching,
            came: self.came,
            said: Bucket::full(SAID.0, SAID.1, now),
            reacted: Bucket::full(REACTED.0, REACTED.1, now),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
