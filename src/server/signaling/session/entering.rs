//! Coming into a session, for the first time and again.

use super::chat::{REACTED, SAID};
use super::{Disconnect, Newcomer, Output, Participant, Presence, Refusal, Session, SocketId};
use crate::domain::{Nameless, ParticipantToken, Role, TokenSecret};
use crate::protocol::{EndReason, ServerMessage, WireToken};
use crate::server::signaling::bucket::Bucket;

impl Session {
    /// A guest comes in, if there is room and they may.
    pub(super) fn join(&mut self, newcomer: Newcomer, admitted: bool) -> Result<(), Refusal> {
        // This first: how full a session is, or locked, is for those who may come in.
        if self.is_over() || self.password.is_some() && !admitted {
            return Err(Refusal::CannotEnter);
        }
        if self.locked {
            return Err(Refusal::SessionLocked);
        }
        if self.people.len() >= self.rules.limit {
            return Err(Refusal::SessionFull);
        }
        let known = self.people.iter().map(|person| person.id).chain(self.former.iter().map(|former| former.id));
        if known.into_iter().any(|id| id == newcomer.id) {
            return Err(Refusal::Unlucky);
        }
        self.admit(newcomer);
        Ok(())
    }

    /// Gives a newcomer a place at the end: the first is the host.
    pub(super) fn admit(&mut self, newcomer: Newcomer) {
        let role = if self.people.is_empty() { Role::Host } else { Role::Guest };
        let numbered = Nameless::new(role, newcomer.number);
        let nameless = newcomer.name.is_none().then_some(numbered);
        let name = newcomer.name.unwrap_or_else(|| numbered.name());
        self.came += 1;
        self.people.push(Participant {
            id: newcomer.id,
            secret: newcomer.secret.into(),
            name,
            nameless,
            role,
            presence: Presence::Here(newcomer.socket),
            host_grace: self.rules.host_grace,
            watching: false,
            came: self.came,
            said: Bucket::full(SAID.0, SAID.1, self.now),
            reacted: Bucket::full(REACTED.0, REACTED.1, self.now),
        });
        self.change();
        self.welcome(self.people.len() - 1, newcomer.secret, 0);
    }

    /// A participant comes back to the same place. The last to come has it: a page that was duplicated, or whose old
    /// socket is not known to be dead yet.
    pub(super) fn resume(
        &mut self,
        socket: SocketId,
        token: &ParticipantToken,
        fresh: bool,
        chat_seen: u64,
    ) -> Result<(), Refusal> {
        let Some(place) = self.place_of_token(token) else {
            if self.former.iter().any(|former| former.removed && former.is_proved_by(token)) {
                self.send(socket, ServerMessage::Ended { reason: EndReason::Removed });
                return Ok(());
            }
            return Err(Refusal::UnknownParticipant);
        };
        match self.people[place].presence {
            Presence::Here(former) if former == socket => return Err(Refusal::AlreadyJoined),
            Presence::Here(former) => {
                self.send(former, Refusal::ResumedElsewhere.message());
                self.outputs.push_back(Output::Disconnect { socket: former, why: Disconnect::ResumedElsewhere });
            }
            Presence::Away { .. } => self.change(),
        }
        self.people[place].presence = Presence::Here(socket);
        if fresh {
            self.start_anew(place);
        }
        self.welcome(place, token.secret, chat_seen);
        if !fresh {
            self.catch_up(place);
        }
        Ok(())
    }

    /// Ends what the page held before it was loaded anew.
    fn start_anew(&mut self, place: usize) {
        let (id, is_host) = (self.people[place].id, self.people[place].is_host());
        if std::mem::take(&mut self.people[place].watching) {
            self.change();
        }
        for connection in self.connections.open().to_vec() {
            if !connection.has_end(id) {
                continue;
            }
            self.close(connection.id);
            if connection.host == id {
                self.tell_guest_of_close(&connection);
            } else {
                self.tell_host_of_close(connection.id);
            }
        }
        if is_host && self.film.take().is_some() {
            self.change();
        }
    }

    /// Tells what may have been missed. Repeating it is harmless: what is over stays over, and asking for an offer again
    /// is what guests do themselves.
    fn catch_up(&mut self, place: usize) {
        let Some(socket) = self.people[place].socket() else {
            return;
        };
        let (id, is_host) = (self.people[place].id, self.people[place].is_host());
        let over: Vec<_> = self
            .connections
            .closed()
            .filter(|closed| if closed.host == id { closed.host_knows } else { closed.guest == id })
            .map(|closed| closed.id)
            .collect();
        for connection in over {
            self.send(socket, ServerMessage::ConnectionClosed { connection });
        }
        if is_host {
            let waiting: Vec<_> =
                self.connections.open().iter().filter(|open| !open.offered).map(|open| open.id).collect();
            for connection in waiting {
                self.ask_host(connection);
            }
        }
    }

    fn welcome(&mut self, place: usize, secret: TokenSecret, chat_seen: u64) {
        let person = &self.people[place];
        let Some(socket) = person.socket() else {
            return;
        };
        let token = ParticipantToken { code: self.code, participant: person.id, secret };
        let (you, is_host) = (person.id, person.is_host());
        let message = ServerMessage::Welcome {
            token: WireToken(token),
            you,
            snapshot: self.snapshot(),
            chat: self.chat.after(chat_seen),
            invite: if is_host { self.key_for_host() } else { None },
        };
        self.welcomed = Some(socket);
        self.send(socket, message);
    }
}
