//! What participants say: asking for offers, signals, the film, usage.

use super::{Connection, Disconnect, Output, Refusal, Session, SocketId};
use crate::domain::{ConnectionId, UnixMillis};
use crate::protocol::{ClientMessage, EndReason, FilmStatus, ServerMessage, Signal, UsageReport, limits};

/// A film told this far from where it should be by now has jumped, or stood.
const DRIFT_MS: u64 = 2_000;

impl Session {
    /// Takes a participant's message. One from a socket whose participant is elsewhere by now is late, and ignored.
    pub(super) fn message(&mut self, from: SocketId, message: ClientMessage, at: UnixMillis) -> Result<(), Refusal> {
        let Some(place) = self.place_of(from) else {
            return Ok(());
        };
        match message {
            ClientMessage::Create { .. } | ClientMessage::Join { .. } | ClientMessage::Resume { .. } => {
                Err(Refusal::AlreadyJoined)
            }
            ClientMessage::Leave => {
                self.leave(place, from);
                Ok(())
            }
            ClientMessage::Ready { connection } => self.ready(place, connection),
            ClientMessage::Signal { connection, signal } => self.signal(place, connection, signal),
            ClientMessage::Close { connection } => self.give_up(place, connection),
            ClientMessage::Film { film } => self.show(place, film),
            ClientMessage::Usage { report } => self.usage(place, from, report),
            ClientMessage::Chat { text, nonce } => self.say(place, from, text, nonce, at),
            ClientMessage::React { reaction } => self.react(place, reaction),
            ClientMessage::Lock { locked } => self.lock(place, locked),
            ClientMessage::Remove { participant } => self.remove(place, participant),
            ClientMessage::HandOver { to } => self.hand_over(place, to),
            ClientMessage::Watching { watching } => self.watch(place, watching),
            ClientMessage::Ping => {
                self.send(from, ServerMessage::Pong);
                Ok(())
            }
        }
    }

    fn leave(&mut self, place: usize, socket: SocketId) {
        if self.people[place].is_host() {
            return self.end(EndReason::HostLeft, self.now);
        }
        self.send(socket, ServerMessage::Ended { reason: EndReason::YouLeft });
        self.outputs.push_back(Output::Disconnect { socket, why: Disconnect::Ended });
        self.remove_guest(place, false);
    }

    fn ready(&mut self, place: usize, connection: ConnectionId) -> Result<(), Refusal> {
        let person = &self.people[place];
        if person.is_host() {
            return Err(Refusal::GuestOnly);
        }
        let guest = person.id;
        let former = self.connections.of_guest(guest).map(|former| former.id);
        if former == Some(connection) {
            self.ask_host(connection);
            return Ok(());
        }
        if self.connections.was_used(connection) {
            return Err(Refusal::UnknownConnection);
        }
        if let Some(former) = former {
            self.close(former);
            self.tell_host_of_close(former);
        }
        let host = self.people[0].id;
        self.connections.add(connection, host, guest);
        self.unsaved = true;
        self.ask_host(connection);
        Ok(())
    }

    /// Asks the host for an offer; one who is away is asked on coming back.
    pub(super) fn ask_host(&mut self, connection: ConnectionId) {
        let Some(host) = self.host_socket() else {
            return;
        };
        if let Some(open) = self.connections.find_mut(connection) {
            let was_known = std::mem::replace(&mut open.host_knows, true);
            let guest = open.guest;
            self.unsaved |= !was_known;
            self.send(host, ServerMessage::Ready { connection, guest });
        }
    }

    fn signal(&mut self, place: usize, id: ConnectionId, signal: Signal) -> Result<(), Refusal> {
        let connection = self.own(place, id)?;
        let is_host = self.people[place].is_host();
        let size = match &signal {
            Signal::Offer { .. } | Signal::Renew if !is_host => return Err(Refusal::HostOnly),
            Signal::Answer { .. } | Signal::Seen(_) | Signal::Restart { .. } | Signal::KeyFrame | Signal::Renewed
                if is_host =>
            {
                return Err(Refusal::GuestOnly);
            }
            Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => sdp.len() <= limits::SDP_BYTES,
            Signal::Candidate { candidate, sdp_mid, username_fragment, .. } => {
                let parts = [Some(candidate), sdp_mid.as_ref(), username_fragment.as_ref()];
                parts.into_iter().flatten().map(String::len).sum::<usize>() <= limits::CANDIDATE_BYTES
            }
            Signal::Seen(_) | Signal::Restart { .. } | Signal::KeyFrame | Signal::Renew | Signal::Renewed => true,
        };
        if !size {
            return Err(Refusal::SignalTooLarge);
        }
        if matches!(signal, Signal::Offer { .. }) && !connection.offered {
            self.open(&connection);
        }
        self.sign_of_life(id);
        let other = if is_host { self.socket_of(connection.guest) } else { self.host_socket() };
        if let Some(other) = other {
            self.send(other, ServerMessage::Signal { connection: id, signal });
        }
        Ok(())
    }

    fn open(&mut self, connection: &Connection) {
        if let Some(open) = self.connections.find_mut(connection.id) {
            open.offered = true;
            self.unsaved = true;
            self.outputs.push_back(Output::ConnectionOpened {
                connection: connection.id,
                host: connection.host,
                guest: connection.guest,
            });
        }
    }

    fn sign_of_life(&mut self, connection: ConnectionId) {
        if self.connections.find(connection).is_some_and(|open| open.offered) {
            self.outputs.push_back(Output::Alive { connection });
        }
    }

    fn give_up(&mut self, place: usize, id: ConnectionId) -> Result<(), Refusal> {
        let connection = self.own(place, id)?;
        self.sign_of_life(id);
        self.close(id);
        if self.people[place].is_host() {
            self.tell_guest_of_close(&connection);
        } else {
            self.tell_host_of_close(id);
        }
        Ok(())
    }

    /// Tells the guest that its connection was closed.
    pub(super) fn tell_guest_of_close(&mut self, connection: &Connection) {
        if let Some(guest) = self.socket_of(connection.guest) {
            self.send(guest, ServerMessage::ConnectionClosed { connection: connection.id });
        }
    }

    fn show(&mut self, place: usize, film: Option<FilmStatus>) -> Result<(), Refusal> {
        if !self.people[place].is_host() {
            return Err(Refusal::HostOnly);
        }
        let film = film.map(|film| FilmStatus {
            title: film.title.chars().filter(|c| !c.is_control()).take(limits::TITLE_CHARS).collect(),
            ..film
        });
        if film != self.film {
            // Where a playing film is by now is known without writing it down.
            let as_expected =
                matches!((&film, self.film_now()), (Some(film), Some(expected)) if goes_on(film, &expected));
            self.film = film;
            self.film_at = self.now;
            if as_expected {
                self.show_change();
            } else {
                self.change();
            }
        }
        Ok(())
    }

    fn usage(&mut self, place: usize, from: SocketId, report: UsageReport) -> Result<(), Refusal> {
        let participant = self.people[place].id;
        self.counted(participant, report.connection).ok_or(Refusal::UnknownConnection)?;
        self.sign_of_life(report.connection);
        self.outputs.push_back(Output::Usage { from, participant, report });
        Ok(())
    }

    /// The open connection of this id, if this participant is one of its ends.
    fn own(&self, place: usize, id: ConnectionId) -> Result<Connection, Refusal> {
        let person = &self.people[place];
        let mine = |open: &&Connection| open.has_end(person.id);
        self.connections.find(id).filter(mine).copied().ok_or(Refusal::UnknownConnection)
    }
}

/// Whether a film is what it is expected to be now, and about there.
fn goes_on(film: &FilmStatus, expected: &FilmStatus) -> bool {
    let there = FilmStatus { position_ms: expected.position_ms, ..film.clone() };
    there == *expected && film.position_ms.abs_diff(expected.position_ms) <= DRIFT_MS
}
