//! What happens in one session: who is in it, who may say what to whom, and when a place is given up.
//!
//! No I/O, no clock, no randomness: identifiers, secrets and the time are passed in, and what is to be done comes out of
//! [`Session::poll_output`]. It addresses sockets by a [`SocketId`] and knows nothing else of them. It doesn't look into
//! session descriptions and doesn't count bytes.
//!
//! # Rules
//! - The host comes first and there is exactly one; guests follow in the order in which they came.
//! - Whoever loses the socket keeps the place for a while ([`GUEST_GRACE`], [`Rules::host_grace`]) and the connections with it: a
//!   picture outlives the socket. What is sent to somebody who is away is not kept. Whoever comes back gets a snapshot,
//!   hears which of their connections are over, and a host is asked again for the offers that it did not make.
//! - Closing one guest's connection says nothing to another guest; handing the session over closes all of them.
//! - The chat is kept and everyone who comes gets it; reactions pass.
//! - A refused message changes nothing.
//! - Whatever has to outlive a restart is told by [`Session::is_unsaved`], and goes on from [`Session::restore`].
//!
//! `properties` attacks these rules with random histories.

mod chat;
mod connections;
mod entering;
mod hosting;
mod input;
mod invite;
mod messages;
mod output;
mod participant;
mod password;
#[cfg(test)]
mod properties;
mod saved;
mod secret;
#[cfg(test)]
mod tests;

pub use input::{Door, Input, Newcomer, SocketId};
pub use output::{Disconnect, Output, Reporter};
pub use password::{CannotHash, PasswordHash};
pub use saved::{Counted, Saved};

use super::refusal::Refusal;
use crate::domain::{ConnectionId, InviteKey, Now, ParticipantId, ParticipantToken, SessionCode};
use crate::protocol::{EndReason, FilmStatus, RelayStage, ServerMessage, Snapshot};
use chat::Chat;
use connections::{Connection, Connections};
use invite::Invites;
use participant::{Former, Participant, Presence};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a guest's place is kept without a socket: a reload takes seconds, a change of network half a minute.
pub const GUEST_GRACE: Duration = Duration::from_mins(1);

/// How long after the end the last usage reports are still taken; pages send them at once, and a retry takes seconds.
pub const LATE_REPORTS: Duration = Duration::from_secs(15);

/// Former participants whose last usage reports are still taken.
const FORMER_KEPT: usize = 64;

/// What the operator sets for every session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How many people may be in it, the host counted.
    pub limit: usize,
    /// How long the session waits for its host: nobody else has the film, and a laptop may have to be opened again.
    pub host_grace: Duration,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    code: SessionCode,
    password: Option<PasswordHash>,
    rules: Rules,
    /// The host first, then guests in the order in which they came. Empty once the session is over.
    people: Vec<Participant>,
    former: VecDeque<Former>,
    connections: Connections,
    invites: Invites,
    chat: Chat,
    /// Nobody new comes in.
    locked: bool,
    /// How many people ever came.
    came: u64,
    /// What the host told last, and when.
    film: Option<FilmStatus>,
    film_at: Now,
    /// The time of the input in hand.
    now: Now,
    relays: RelayStage,
    revision: u64,
    over_since: Option<Now>,
    /// The input in hand changed what a snapshot shows.
    changed: bool,
    /// Something is to be written down.
    unsaved: bool,
    /// The input in hand welcomed this socket, which got its snapshot so.
    welcomed: Option<SocketId>,
    outputs: VecDeque<Output>,
}

impl Session {
    /// Opens a session with its host.
    pub fn create(
        code: SessionCode,
        password: Option<PasswordHash>,
        invite: InviteKey,
        rules: Rules,
        host: Newcomer,
    ) -> Self {
        let mut session = Self {
            code,
            password,
            rules,
            people: Vec::new(),
            former: VecDeque::new(),
            connections: Connections::default(),
            invites: Invites::new([], invite),
            chat: Chat::default(),
            locked: false,
            came: 0,
            film: None,
            film_at: Now::default(),
            now: Now::default(),
            relays: RelayStage::default(),
            revision: 0,
            over_since: None,
            changed: false,
            unsaved: true,
            welcomed: None,
            outputs: VecDeque::new(),
        };
        session.admit(host);
        session.flush();
        session
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Now) {
        self.now = now;
        self.expire(now);
        let answered = match input {
            Input::Join { newcomer, admitted } => {
                let socket = newcomer.socket;
                self.join(newcomer, admitted).map_err(|refusal| (socket, refusal))
            }
            Input::Resume { socket, token, fresh, chat_seen } => {
                self.resume(socket, &token, fresh, chat_seen).map_err(|refusal| (socket, refusal))
            }
            Input::Message { from, message, at } => self.message(from, message, at).map_err(|refusal| (from, refusal)),
            Input::Lost { socket } => {
                self.lose(socket, now);
                Ok(())
            }
            Input::Relays(stage) => {
                self.set_relays(stage);
                Ok(())
            }
            Input::RelayOver { participant, provider, reason } => {
                if let Some(to) = self.socket_of(participant) {
                    let message = ServerMessage::RelayOver { provider, reason };
                    self.outputs.push_back(Output::Send { to, message });
                }
                Ok(())
            }
            Input::EndedByOperator => {
                if !self.is_over() {
                    self.end(EndReason::ByOperator, now);
                }
                Ok(())
            }
            Input::Time => Ok(()),
        };
        if let Err((socket, refusal)) = answered {
            self.send(socket, refusal.message());
        }
        self.flush();
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call again with [`Input::Time`]; after the end, when the session can be forgotten.
    pub fn next_timeout(&self) -> Option<Now> {
        if let Some(over) = self.over_since {
            return Some(over + LATE_REPORTS);
        }
        self.people.iter().filter_map(Participant::gone_at).min()
    }

    /// How many are in it, the host counted, and those whose line is gone for now.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// Whether the session is over; it then only answers for late reports.
    pub const fn is_over(&self) -> bool {
        self.over_since.is_some()
    }

    /// Its host; `None` once it is over.
    pub fn host(&self) -> Option<ParticipantId> {
        self.people.first().map(|host| host.id)
    }

    /// Whether this participant is in it.
    pub fn includes(&self, participant: ParticipantId) -> bool {
        self.people.iter().any(|person| person.id == participant)
    }

    /// Who sits at this socket.
    pub fn at(&self, socket: SocketId) -> Option<ParticipantId> {
        self.place_of(socket).map(|place| self.people[place].id)
    }

    /// Whether a participant sits at this socket.
    pub fn has(&self, socket: SocketId) -> bool {
        self.place_of(socket).is_some()
    }

    /// Whether the token is the host's.
    pub fn is_host(&self, token: &ParticipantToken) -> bool {
        self.place_of_token(token) == Some(0)
    }

    /// What a newcomer has to know here.
    pub fn door(&self) -> Door {
        match &self.password {
            Some(password) => Door::Password(password.clone()),
            None => Door::Open,
        }
    }

    /// Whether the key of a link lets in.
    pub fn admits(&self, key: InviteKey) -> bool {
        !self.is_over() && self.invites.admits(key)
    }

    /// The host, where the token is that of somebody in the session.
    pub fn authenticate(&self, token: &ParticipantToken) -> Option<ParticipantId> {
        self.place_of_token(token).and(self.people.first()).map(|host| host.id)
    }

    /// Whose report a page sends as it goes away; `None` where token and connection do not belong together. Also answers
    /// for those who left and for a session that is over.
    pub fn reporter(&self, token: &ParticipantToken, connection: ConnectionId) -> Option<Reporter> {
        let present = self.people.iter().find(|person| person.is_proved_by(token)).map(|person| person.id);
        let former = || self.former.iter().find(|former| former.is_proved_by(token)).map(|former| former.id);
        self.counted(present.or_else(former)?, connection)
    }

    /// Whether usage counts, or lately counted, this connection of this participant.
    fn counted(&self, participant: ParticipantId, connection: ConnectionId) -> Option<Reporter> {
        let mine = |known: &&Connection| known.id == connection && known.offered && known.has_end(participant);
        if self.connections.open().iter().any(|known| mine(&known)) {
            return Some(Reporter { participant, open: true });
        }
        self.connections.closed().find(mine).map(|_| Reporter { participant, open: false })
    }

    fn set_relays(&mut self, stage: RelayStage) {
        if self.over_since.is_none() && self.relays != stage {
            self.relays = stage;
            self.change();
        }
    }

    fn lose(&mut self, socket: SocketId, now: Now) {
        if let Some(place) = self.place_of(socket) {
            self.people[place].presence = Presence::Away { since: now };
            self.change();
        }
    }

    /// Gives up the places of those who stayed away for too long.
    fn expire(&mut self, now: Now) {
        if self.people.first().and_then(Participant::gone_at).is_some_and(|gone| gone <= now) {
            self.end(EndReason::HostGone, now);
        }
        while let Some(place) = self.people.iter().position(|person| person.gone_at().is_some_and(|gone| gone <= now)) {
            self.remove_guest(place, false);
        }
    }

    /// Takes a guest out, with the connection. Not for the host, whose leaving is [`Self::end`].
    fn remove_guest(&mut self, place: usize, by_host: bool) {
        let guest = self.people.remove(place);
        if let Some(connection) = self.connections.of_guest(guest.id).map(|connection| connection.id) {
            self.close(connection);
            self.tell_host_of_close(connection);
        }
        self.remember(&guest, by_host);
        self.change();
    }

    fn end(&mut self, reason: EndReason, now: Now) {
        for connection in self.connections.open().to_vec() {
            self.close(connection.id);
        }
        for person in std::mem::take(&mut self.people) {
            if let Presence::Here(socket) = person.presence {
                self.send(socket, ServerMessage::Ended { reason });
                self.outputs.push_back(Output::Disconnect { socket, why: Disconnect::Ended });
            }
            self.remember(&person, false);
        }
        self.changed = false;
        self.over_since = Some(now);
        self.outputs.push_back(Output::Ended { reason });
    }

    fn remember(&mut self, person: &Participant, removed: bool) {
        if self.former.len() == FORMER_KEPT {
            self.former.pop_front();
        }
        self.former.push_back(person.former(removed));
        self.outputs.push_back(Output::Left { participant: person.id });
    }

    /// Ends a connection for usage; telling the ends is the caller's, who knows which of them asked.
    fn close(&mut self, connection: ConnectionId) {
        self.unsaved = true;
        if self.connections.close(connection).is_some_and(|connection| connection.offered) {
            self.outputs.push_back(Output::ConnectionClosed { connection });
        }
    }

    /// Tells the host of a connection just closed, if it ever heard of it.
    fn tell_host_of_close(&mut self, connection: ConnectionId) {
        let knows = self.connections.closed().last().is_some_and(|closed| closed.id == connection && closed.host_knows);
        if let (true, Some(host)) = (knows, self.host_socket()) {
            self.send(host, ServerMessage::ConnectionClosed { connection });
        }
    }

    fn send(&mut self, to: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { to, message });
    }

    /// Notes that a snapshot would show something else from now on, and that it is to be written down.
    fn change(&mut self) {
        self.unsaved = true;
        self.show_change();
    }

    /// Notes that a snapshot would show something else from now on.
    fn show_change(&mut self) {
        if !self.changed {
            self.changed = true;
            self.revision += 1;
        }
    }

    /// Sends the snapshot that the input in hand asked for.
    fn flush(&mut self) {
        let welcomed = self.welcomed.take();
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let to: Vec<_> =
            self.people.iter().filter_map(Participant::socket).filter(|to| Some(*to) != welcomed).collect();
        if !to.is_empty() {
            self.outputs.push_back(Output::Snapshot { to, snapshot: self.snapshot() });
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: self.revision,
            code: self.code,
            participants: self.people.iter().map(Participant::info).collect(),
            film: self.film_now(),
            locked: self.locked,
            relay: self.relays,
        }
    }

    /// The film has moved on since the host told of it: whoever gets a snapshot in between must not jump back.
    fn film_now(&self) -> Option<FilmStatus> {
        let told = self.film.as_ref()?;
        let position_ms = told.position_after(self.now.since(self.film_at));
        Some(FilmStatus { position_ms, ..told.clone() })
    }

    /// The key for the host's invite links.
    fn key_for_host(&mut self) -> Option<InviteKey> {
        if self.is_over() {
            return None;
        }
        let (key, is_new) = self.invites.give();
        self.unsaved |= is_new;
        Some(key)
    }

    fn place_of(&self, socket: SocketId) -> Option<usize> {
        self.people.iter().position(|person| person.socket() == Some(socket))
    }

    fn place_of_token(&self, token: &ParticipantToken) -> Option<usize> {
        self.people.iter().position(|person| person.is_proved_by(token))
    }

    fn host_socket(&self) -> Option<SocketId> {
        self.people.first().and_then(Participant::socket)
    }

    fn socket_of(&self, id: ParticipantId) -> Option<SocketId> {
        self.people.iter().find(|person| person.id == id).and_then(Participant::socket)
    }
}
