//! The peer connections of one session: which are open, which were, and whose they are.
//!
//! Knows nothing of sockets and sends nothing. Every connection has at one end whoever was the host when it was asked for.

use crate::domain::{ConnectionId, ParticipantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// Closed connections that are still known: late usage reports belong to them, and whoever comes back is told of them.
/// Eight guests may each make eight new connections before the first is forgotten.
const CLOSED_KEPT: usize = 64;

/// Ids that may not be used again. An honest guest never repeats one; the bound keeps a dishonest one from filling memory.
const USED_KEPT: usize = 4096;

/// One connection between the host and a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Connection {
    /// Made by the guest.
    pub(super) id: ConnectionId,
    /// The end that offers: whoever was the host when it was asked for.
    pub(super) host: ParticipantId,
    /// The end that is not the host.
    pub(super) guest: ParticipantId,
    /// The host was asked for an offer, so it knows the connection.
    pub(super) host_knows: bool,
    /// The host offered, so usage counts it.
    pub(super) offered: bool,
}

impl Connection {
    /// Whether the participant is one of its ends.
    pub(super) fn has_end(&self, participant: ParticipantId) -> bool {
        self.host == participant || self.guest == participant
    }
}

/// The connections of one session, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Vec<Connection>,
    closed: VecDeque<Connection>,
    used: BTreeSet<ConnectionId>,
    used_in_order: VecDeque<ConnectionId>,
}

impl Connections {
    /// Connections that were open, and that were closed lately, before a restart.
    pub(super) fn restored(open: Vec<Connection>, closed: Vec<Connection>) -> Self {
        let used_in_order: VecDeque<_> = closed.iter().chain(&open).map(|known| known.id).collect();
        Self { used: used_in_order.iter().copied().collect(), used_in_order, open, closed: closed.into() }
    }

    /// Adds a connection that runs already, for a guest that has none open.
    pub(super) fn adopt(&mut self, id: ConnectionId, host: ParticipantId, guest: ParticipantId) {
        self.add(id, host, guest);
        if let Some(open) = self.find_mut(id) {
            (open.host_knows, open.offered) = (true, true);
        }
    }

    /// Every open connection.
    pub(super) fn open(&self) -> &[Connection] {
        &self.open
    }

    /// The open connection of this id.
    pub(super) fn find(&self, id: ConnectionId) -> Option<&Connection> {
        self.open.iter().find(|connection| connection.id == id)
    }

    /// The open connection of this id, to be changed.
    pub(super) fn find_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.open.iter_mut().find(|connection| connection.id == id)
    }

    /// The guest's open connection; there is one at most.
    pub(super) fn of_guest(&self, guest: ParticipantId) -> Option<&Connection> {
        self.open.iter().find(|connection| connection.guest == guest)
    }

    /// Connections that ended lately, the oldest first.
    pub(super) fn closed(&self) -> impl Iterator<Item = &Connection> {
        self.closed.iter()
    }

    /// Whether the id was used before in this session.
    pub(super) fn was_used(&self, id: ConnectionId) -> bool {
        self.used.contains(&id)
    }

    /// Adds a connection whose id [`Self::was_used`] does not know, for a guest that has none open.
    pub(super) fn add(&mut self, id: ConnectionId, host: ParticipantId, guest: ParticipantId) {
        self.open.push(Connection { id, host, guest, host_knows: false, offered: false });
        if self.used.insert(id) {
            self.used_in_order.push_back(id);
        }
        // Open connections stay in `used`, so they come on top of the bound.
        while self.used_in_order.len() > USED_KEPT + self.open.len() {
            if let Some(oldest) = self.used_in_order.pop_front() {
                if self.find(oldest).is_some() {
                    self.used_in_order.push_back(oldest);
                } else {
                    self.used.remove(&oldest);
                }
            }
        }
    }

    /// Ends a connection; `None` where it is not open.
    pub(super) fn close(&mut self, id: ConnectionId) -> Option<Connection> {
        let place = self.open.iter().position(|connection| connection.id == id)?;
        let connection = self.open.remove(place);
        if self.closed.len() == CLOSED_KEPT {
            self.closed.pop_front();
        }
        self.closed.push_back(connection);
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_open_ids_are_never_forgotten() {
        let mut connections = Connections::default();
        let (host, faithful) = (ParticipantId::from_random(0), ParticipantId::from_random(1));
        connections.add(ConnectionId::from_random(0), host, faithful);
        for bits in 1..20_000 {
            let id = ConnectionId::from_random(bits);
            connections.add(id, host, ParticipantId::from_random(2));
            assert!(connections.close(id).is_some());
            assert!(connections.was_used(id));
        }
        assert_eq!(connections.closed().count(), CLOSED_KEPT);
        assert_eq!(connections.used.len(), connections.used_in_order.len());
        assert!(connections.used.len() <= USED_KEPT + 2);
        assert!(connections.was_used(ConnectionId::from_random(0)));
        assert!(connections.of_guest(faithful).is_some());
    }
}
