//! Which connections there are between hosts and guests, and what has to be booked when one ends.
//!
//! Sans-IO: inputs and the time go in, endings come out. Refuses to know bytes: those are measured by the ledger, which
//! this core only tells whether anybody ever said how the connection ran. A connection that nobody reported on is
//! estimated, up to its last sign of life; one that somebody reported on is not, whatever its path. An end that only ever
//! said that it was not connected is believed as well: such a connection never came up, and costs nothing. A report counts
//! as one once it is on disk, not before.
//!
//! It also knows who needs no relay any more: somebody all of whose connections are direct at their end, or over
//! ([`Connections::take_freed`]).
//!
//! What is open outlives the process: [`Connections::take_changes`] tells what is to be written down, and
//! [`Input::Restored`] brings it back.

use crate::domain::{ByteCount, ConnectionId, Now, ParticipantId, UnixMillis};
use crate::protocol::Path;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How long a closed connection waits for late reports: a page that goes away sends its last counters as a beacon, which
/// may arrive after the socket is gone.
pub(super) const LINGER: Duration = Duration::from_secs(3);

/// What a connection is assumed to relay where nothing is known: 2 Mbit/s, in bytes a millisecond.
const ESTIMATED_BYTES_PER_MILLI: u64 = 250;

/// Something that happened to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// A guest asked for it. Asking again is a sign of life, and brings back one that lingers.
    Opened {
        /// Made by the guest.
        connection: ConnectionId,
        /// One end.
        host: ParticipantId,
        /// The other end.
        guest: ParticipantId,
        /// When, for the books.
        at: UnixMillis,
    },
    /// It was open when the process before this one stopped. Not by itself a sign of life.
    Restored(Kept, UnixMillis),
    /// Either end sent a message about it.
    Alive {
        /// Which.
        connection: ConnectionId,
    },
    /// One end reported how it runs, and the report is on disk. No sign of life: that is told when the report comes.
    Reported {
        /// Who; reports of anyone but the two ends are ignored.
        participant: ParticipantId,
        /// Which.
        connection: ConnectionId,
        /// The path that it takes at their end.
        path: Path,
    },
    /// It is over. Not by itself a sign of life: nobody may have been there for a while.
    Closed {
        /// Which.
        connection: ConnectionId,
    },
    /// Time has passed.
    Timeout,
}

/// A connection that is not booked yet, as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// Which.
    pub connection: ConnectionId,
    /// One end.
    pub host: ParticipantId,
    /// The other end.
    pub guest: ParticipantId,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// Its last sign of life.
    pub alive_at: UnixMillis,
    /// Somebody has reported.
    pub reported: bool,
}

/// A connection is over and no report is waited for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// Which.
    pub connection: ConnectionId,
    /// One end.
    pub host: ParticipantId,
    /// The other end.
    pub guest: ParticipantId,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// What to book where nothing was measured; `None` where somebody reported.
    pub estimate: Option<ByteCount>,
}

#[derive(Debug)]
struct Known {
    host: ParticipantId,
    guest: ParticipantId,
    opened_at: UnixMillis,
    /// When it was opened, or brought back by this process.
    opened: Now,
    /// How old it was then.
    older: Duration,
    /// How long it has lived, as far as anybody knows.
    lived: Duration,
    reported: bool,
    /// Which ends are direct: the host's, the guest's.
    direct: [bool; 2],
    /// When to stop waiting for reports; `None` while the connection is open.
    lingers_until: Option<Now>,
}

/// Every connection that is open or lingers.
#[derive(Debug, Default)]
pub(super) struct Connections {
    known: BTreeMap<ConnectionId, Known>,
    lingering: BTreeSet<(Now, ConnectionId)>,
    ended: VecDeque<Ended>,
    changed: BTreeSet<ConnectionId>,
    /// How many of their connections may need a relay: those that are not known to be direct at their end.
    needing: BTreeMap<ParticipantId, usize>,
    freed: BTreeSet<ParticipantId>,
}

impl Connections {
    /// How many connections are opened and not closed.
    pub(super) fn active(&self) -> usize {
        self.known.len() - self.lingering.len()
    }

    /// The session that a participant's connection belongs to, named by its host's identifier, which is random and says
    /// nothing. `None` where the connection is unknown or not theirs.
    pub(super) fn session_of(&self, connection: ConnectionId, participant: ParticipantId) -> Option<ParticipantId> {
        self.known.get(&connection).filter(|known| known.has_end(participant)).map(|known| known.host)
    }

    /// Who is at the other end; `None` where the connection is unknown or not the participant's.
    pub(super) fn other_end(&self, connection: ConnectionId, participant: ParticipantId) -> Option<ParticipantId> {
        let known = self.known.get(&connection).filter(|known| known.has_end(participant))?;
        Some(if known.host == participant { known.guest } else { known.host })
    }

    /// How long ago the connection was opened; `None` where it is unknown or not the participant's.
    pub(super) fn open_for(&self, connection: ConnectionId, participant: ParticipantId, now: Now) -> Option<Duration> {
        let known = self.known.get(&connection).filter(|known| known.has_end(participant))?;
        Some(known.age(now))
    }

    /// Takes in what happened.
    pub(super) fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Opened { connection, host, guest, at } => self.open(connection, host, guest, at, now),
            Input::Restored(kept, at) => self.restore(kept, at, now),
            Input::Alive { connection } => {
                if let Some(known) = self.known.get_mut(&connection)
                    && known.sign(now)
                {
                    self.changed.insert(connection);
                }
            }
            Input::Reported { participant, connection, path } => self.report(participant, connection, path),
            Input::Closed { connection } => self.close(connection, now),
            Input::Timeout => self.end_lingering(|until| until <= now),
        }
    }

    /// When [`Input::Timeout`] is due; `None` while nothing lingers.
    pub(super) fn next_timeout(&self) -> Option<Now> {
        self.lingering.first().map(|(until, _)| *until)
    }

    /// The next ending, in the order in which they became due.
    pub(super) fn poll_output(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// The server stops: no further report will come. Ends what lingers. What is open plays on without the server, and is
    /// booked by the process after this one.
    pub(super) fn finish(&mut self) {
        self.end_lingering(|_| true);
    }

    /// How these are written down, those of them that are known.
    pub(super) fn kept(&self, connections: &[ConnectionId]) -> Vec<Kept> {
        connections.iter().filter_map(|id| Some(self.known.get(id)?.kept(*id))).collect()
    }

    /// Goes on with one that another machine had.
    pub(super) fn adopt(&mut self, kept: Kept, at: UnixMillis, now: Now) {
        self.restore(kept, at, now);
        self.changed.insert(kept.connection);
    }

    /// Another machine goes on with these: nothing is booked for them here.
    pub(super) fn leave_to_others(&mut self, connections: &[ConnectionId]) {
        for connection in connections {
            let Some(known) = self.known.remove(connection) else { continue };
            if let Some(until) = known.lingers_until {
                self.lingering.remove(&(until, *connection));
            }
            self.changed.remove(connection);
            for (participant, direct) in known.ends().into_iter().zip(known.direct) {
                if !direct {
                    self.needs_one_less(participant);
                }
            }
        }
    }

    /// Connections that are open or linger, for whoever has to know which there were before.
    pub(super) fn all(&self) -> impl Iterator<Item = (ConnectionId, ParticipantId, ParticipantId)> {
        self.known.iter().map(|(id, known)| (*id, known.host, known.guest))
    }

    /// What is to be written down since this was asked last: new connections, and signs of life of those on which nobody
    /// has reported.
    pub(super) fn take_changes(&mut self) -> Vec<Kept> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|id| self.known.get(&id).map(|known| known.kept(id))).collect()
    }

    /// Could not be written down: will be asked for again.
    pub(super) fn still_changed(&mut self, kept: &[Kept]) {
        self.changed.extend(kept.iter().map(|kept| kept.connection));
    }

    /// Who came to need no relay since this was asked last.
    pub(super) fn take_freed(&mut self) -> BTreeSet<ParticipantId> {
        std::mem::take(&mut self.freed)
    }

    fn report(&mut self, participant: ParticipantId, connection: ConnectionId, path: Path) {
        let Some(known) = self.known.get_mut(&connection) else { return };
        for end in 0..2 {
            if known.ends()[end] != participant {
                continue;
            }
            known.reported = true;
            let is_direct = path == Path::Direct;
            match (std::mem::replace(&mut known.direct[end], is_direct), is_direct) {
                (false, true) => self.needs_one_less(participant),
                (true, false) => self.needs_one_more(participant),
                (false, false) | (true, true) => {}
            }
            return;
        }
    }

    fn needs_one_more(&mut self, participant: ParticipantId) {
        *self.needing.entry(participant).or_default() += 1;
        self.freed.remove(&participant);
    }

    fn needs_one_less(&mut self, participant: ParticipantId) {
        let Some(needing) = self.needing.get_mut(&participant) else { return };
        *needing -= 1;
        if *needing == 0 {
            self.needing.remove(&participant);
            self.freed.insert(participant);
        }
    }

    fn add(&mut self, connection: ConnectionId, known: Known) {
        for participant in known.ends() {
            self.needs_one_more(participant);
        }
        self.known.insert(connection, known);
    }

    fn restore(&mut self, kept: Kept, at: UnixMillis, now: Now) {
        let known = Known {
            host: kept.host,
            guest: kept.guest,
            opened_at: kept.opened_at,
            opened: now,
            older: kept.opened_at.until(at),
            lived: kept.opened_at.until(kept.alive_at),
            reported: kept.reported,
            direct: [false; 2],
            lingers_until: None,
        };
        if !self.known.contains_key(&kept.connection) {
            self.add(kept.connection, known);
        }
    }

    fn open(&mut self, connection: ConnectionId, host: ParticipantId, guest: ParticipantId, at: UnixMillis, now: Now) {
        let Some(known) = self.known.get_mut(&connection) else {
            let known = Known {
                host,
                guest,
                opened_at: at,
                opened: now,
                older: Duration::ZERO,
                lived: Duration::ZERO,
                reported: false,
                direct: [false; 2],
                lingers_until: None,
            };
            self.add(connection, known);
            self.changed.insert(connection);
            return;
        };
        // The identifier comes from a browser: a stranger who makes the same one takes nothing over.
        if (known.host, known.guest) != (host, guest) {
            return;
        }
        if let Some(until) = known.lingers_until.take() {
            self.lingering.remove(&(until, connection));
        }
        if known.sign(now) {
            self.changed.insert(connection);
        }
    }

    fn close(&mut self, connection: ConnectionId, now: Now) {
        if let Some(known) = self.known.get_mut(&connection)
            && known.lingers_until.is_none()
        {
            let until = now + LINGER;
            known.lingers_until = Some(until);
            self.lingering.insert((until, connection));
        }
    }

    fn end_lingering(&mut self, due: impl Fn(Now) -> bool) {
        while let Some((until, connection)) = self.lingering.first().copied() {
            if !due(until) {
                break;
            }
            self.lingering.pop_first();
            self.end(connection);
        }
    }

    fn end(&mut self, connection: ConnectionId) {
        if let Some(known) = self.known.remove(&connection) {
            for (participant, direct) in known.ends().into_iter().zip(known.direct) {
                if !direct {
                    self.needs_one_less(participant);
                }
            }
            self.ended.push_back(Ended {
                connection,
                host: known.host,
                guest: known.guest,
                opened_at: known.opened_at,
                estimate: (!known.reported).then(|| estimate(known.lived)),
            });
        }
    }
}

impl Known {
    fn ends(&self) -> [ParticipantId; 2] {
        [self.host, self.guest]
    }

    fn has_end(&self, participant: ParticipantId) -> bool {
        self.ends().contains(&participant)
    }

    fn age(&self, now: Now) -> Duration {
        self.older.saturating_add(now.since(self.opened))
    }

    /// A sign of life; true where it is worth writing down.
    fn sign(&mut self, now: Now) -> bool {
        if self.lingers_until.is_some() {
            return false;
        }
        self.lived = self.lived.max(self.age(now));
        !self.reported
    }

    fn kept(&self, connection: ConnectionId) -> Kept {
        Kept {
            connection,
            host: self.host,
            guest: self.guest,
            opened_at: self.opened_at,
            alive_at: self.opened_at.plus(self.lived),
            reported: self.reported,
        }
    }
}

fn estimate(lived: Duration) -> ByteCount {
    let millis = u64::try_from(lived.as_millis()).unwrap_or(u64::MAX);
    ByteCount::new(millis.saturating_mul(ESTIMATED_BYTES_PER_MILLI))
}

#[cfg(test)]
mod tests;
