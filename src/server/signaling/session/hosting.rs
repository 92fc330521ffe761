//! What the host alone may do with the session: lock it, remove somebody, hand it over.

use super::{Disconnect, Output, Refusal, Session};
use crate::domain::{ParticipantId, Role};
use crate::protocol::{EndReason, ServerMessage};

impl Session {
    fn check_host(&self, place: usize) -> Result<(), Refusal> {
        if self.people[place].is_host() { Ok(()) } else { Err(Refusal::HostOnly) }
    }

    fn guest(&self, id: ParticipantId) -> Result<usize, Refusal> {
        self.people.iter().position(|person| person.id == id && !person.is_host()).ok_or(Refusal::NoSuchGuest)
    }

    /// Nobody new comes in, or everybody again.
    pub(super) fn lock(&mut self, place: usize, locked: bool) -> Result<(), Refusal> {
        self.check_host(place)?;
        if self.locked != locked {
            self.locked = locked;
            self.change();
        }
        Ok(())
    }

    /// Takes a guest out, who is told now or on coming back.
    pub(super) fn remove(&mut self, place: usize, guest: ParticipantId) -> Result<(), Refusal> {
        self.check_host(place)?;
        let place = self.guest(guest)?;
        if let Some(socket) = self.people[place].socket() {
            self.send(socket, ServerMessage::Ended { reason: EndReason::Removed });
            self.outputs.push_back(Output::Disconnect { socket, why: Disconnect::Ended });
        }
        self.remove_guest(place, true);
        Ok(())
    }

    /// Swaps the roles of the host and a guest who is there. The film was the former host's, and every connection with it.
    pub(super) fn hand_over(&mut self, place: usize, to: ParticipantId) -> Result<(), Refusal> {
        self.check_host(place)?;
        let next = self.guest(to)?;
        let Some(socket) = self.people[next].socket() else {
            return Err(Refusal::NoSuchGuest);
        };
        for connection in self.connections.open().to_vec() {
            self.close(connection.id);
            self.tell_guest_of_close(&connection);
            self.tell_host_of_close(connection.id);
        }
        let mut host = self.people.remove(next);
        for person in &mut self.people {
            (person.role, person.watching) = (Role::Guest, false);
        }
        (host.role, host.watching) = (Role::Host, false);
        // The former host takes the place that is due to them by their coming.
        self.people.sort_by_key(|person| person.came);
        self.people.insert(0, host);
        self.film = None;
        self.change();
        if let Some(key) = self.key_for_host() {
            self.send(socket, ServerMessage::Invite { key });
        }
        Ok(())
    }

    /// A guest tells whether its picture runs.
    pub(super) fn watch(&mut self, place: usize, watching: bool) -> Result<(), Refusal> {
        let person = &mut self.people[place];
        if person.is_host() {
            return Err(Refusal::GuestOnly);
        }
        if person.watching != watching {
            person.watching = watching;
            self.change();
        }
        Ok(())
    }
}
