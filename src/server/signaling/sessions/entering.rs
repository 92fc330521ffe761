//! Coming in: who may, and the seat that they get.
//!
//! Who may is decided at the server that the socket is at, wherever the session is, and before anybody is let in: otherwise its answers
//! would differ between a session that is elsewhere and one that is nowhere, and tell which codes there are
//! (`tests::cluster::guessing`). The session's server shows what it asks for, and lets in whoever another server sends.

use super::{Seat, Sessions, seat};
use crate::domain::{InviteKey, ParticipantId, ParticipantName, SessionCode, TokenSecret};
use crate::protocol::{ClientMessage, Password};
use crate::server::guard::ClientAddress;
use crate::server::paths::Country;
use crate::server::signaling::doorkeeper::Knock;
use crate::server::signaling::line::{Farewell, Line};
use crate::server::signaling::live::LiveSession;
use crate::server::signaling::refusal::Refusal;
use crate::server::signaling::session::{Input, Newcomer, PasswordHash, Session, SocketId};
use crate::server::signaling::shared::{Elsewhere, Entering, Shown, opened};
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Codes tried for a new session. With ten thousand sessions, two in a row collide once in 3 x 10^8 times.
const CODES_TRIED: usize = 8;

/// Nobody comes in.
enum NotIn {
    /// And this is why.
    Refused(Refusal),
    /// It cannot be told now whether they may.
    TryAgain,
}

impl From<Refusal> for NotIn {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Sessions {
    /// Lets a socket come in by its first message. Where it may not, the line is told why.
    pub(in super::super) async fn enter(
        &self,
        line: &Line,
        from: ClientAddress,
        country: Option<Country>,
        message: ClientMessage,
    ) -> Option<Seat> {
        let resumes = matches!(message, ClientMessage::Resume { .. });
        let entered = match self.may_enter(from, &message).await {
            Ok(()) => self.find_seat(line, country, message).await,
            Err(not_in) => Err(not_in),
        };
        match entered {
            Ok(seat) => {
                // Whoever gets in costs nothing; whoever does not has one try less.
                if resumes && seat.is_none() {
                    self.0.failures.spend(from, self.clock().now());
                }
                seat
            }
            Err(NotIn::Refused(refusal)) => {
                line.send(&refusal.message());
                None
            }
            Err(NotIn::TryAgain) => {
                line.close(Farewell::TryAgain);
                None
            }
        }
    }

    /// Whether somebody may come in; counts what they may not do too often.
    async fn may_enter(&self, from: ClientAddress, message: &ClientMessage) -> Result<(), NotIn> {
        if let ClientMessage::Join { code, password, invite, .. } = message {
            return self.may_join(from, *code, password.clone(), *invite).await;
        }
        let now = self.clock().now();
        if matches!(message, ClientMessage::Create { .. }) {
            if self.is_full() {
                return Err(Refusal::ServerFull.into());
            }
            if !self.0.creations.left(from, now) {
                return Err(Refusal::TooManySessions.into());
            }
            self.0.creations.spend(from, now);
        } else if matches!(message, ClientMessage::Resume { .. }) && !self.0.failures.left(from, now) {
            return Err(Refusal::TooManyTries.into());
        }
        Ok(())
    }

    async fn may_join(
        &self,
        from: ClientAddress,
        code: SessionCode,
        password: Option<Password>,
        invite: Option<InviteKey>,
    ) -> Result<(), NotIn> {
        let doorkeeper = &self.0.doorkeeper;
        // Another server is troubled for those alone who may try.
        if invite.is_none() && doorkeeper.makes_wait(from, code) {
            return Err(Refusal::TooManyTries.into());
        }
        let Shown { door, invited } = self.look_at_door(code, invite).await?;
        let admitted = doorkeeper.admits(Knock { from, code, door, invited, password }).await;
        if let (Err(Refusal::CannotEnter), Some(shared)) = (admitted, &self.0.around.shared) {
            shared.failed(doorkeeper.pseudonym(from), doorkeeper.pseudonym_around(from), code);
        }
        Ok(admitted?)
    }

    /// What a session shows, wherever it is.
    async fn look_at_door(&self, code: SessionCode, invite: Option<InviteKey>) -> Result<Shown, NotIn> {
        if let Some(shared) = &self.0.around.shared
            && !self.is_here(code)
        {
            match Box::pin(shared.door(self, code, invite)).await {
                Ok(shown) => return Ok(shown),
                Err(Elsewhere::Unknown) => return Err(NotIn::TryAgain),
                Err(Elsewhere::Not) => {}
            }
        }
        Ok(self.shows(code, invite).unwrap_or(Shown { door: None, invited: false }))
    }

    /// What a session of this server shows to somebody with this link, or none.
    pub(in super::super) fn shows(&self, code: SessionCode, invite: Option<InviteKey>) -> Option<Shown> {
        let session = self.find(code)?;
        Some(Shown { door: session.door(), invited: invite.is_some_and(|key| session.admits(key)) })
    }

    /// Another server says that somebody failed there.
    pub(in super::super) fn failed_elsewhere(&self, from: u64, around: Option<u64>, code: SessionCode) {
        self.0.doorkeeper.failed(from, around, code);
    }

    /// The seat of somebody who may come in.
    async fn find_seat(
        &self,
        line: &Line,
        country: Option<Country>,
        message: ClientMessage,
    ) -> Result<Option<Seat>, NotIn> {
        if let Some((shared, code)) = self.0.around.shared.as_ref().zip(opened(&message))
            && !self.is_here(code)
        {
            let entering = || Entering { country, message: judged(message.clone()) };
            match Box::pin(shared.enter(self, line, code, entering)).await {
                Ok(seat) => return Ok(seat.map(Seat::There)),
                Err(Elsewhere::Unknown) => return Err(NotIn::TryAgain),
                Err(Elsewhere::Not) => {}
            }
        }
        Ok(self.enter_here(line, country, message).await)
    }

    /// Lets somebody who may come in into a session of this server. Where there is no seat, the line is told why.
    pub(in super::super) async fn enter_here(
        &self,
        line: &Line,
        country: Option<Country>,
        message: ClientMessage,
    ) -> Option<Seat> {
        let socket = SocketId(self.0.sockets.fetch_add(1, Ordering::Relaxed));
        let is_new = !matches!(message, ClientMessage::Resume { .. });
        let entered = match message {
            ClientMessage::Create { name, password } => self.create(socket, line, name, password).await,
            // Places are kept for those who have one. How full it is here is for those who may come in.
            ClientMessage::Join { .. } if self.is_full() => Err(Refusal::ServerFull),
            ClientMessage::Join { code, name, .. } => {
                let input = Input::Join { newcomer: newcomer(socket, name), admitted: true };
                self.enter_found(self.find(code), socket, line, input, Refusal::CannotEnter)
            }
            ClientMessage::Resume { token, fresh, chat_seen } => {
                let input = Input::Resume { socket, token: token.0, fresh, chat_seen };
                self.enter_found(self.find(token.0.code), socket, line, input, Refusal::UnknownParticipant)
            }
            ClientMessage::Leave
            | ClientMessage::Ready { .. }
            | ClientMessage::Signal { .. }
            | ClientMessage::Close { .. }
            | ClientMessage::Film { .. }
            | ClientMessage::Usage { .. }
            | ClientMessage::Chat { .. }
            | ClientMessage::React { .. }
            | ClientMessage::Lock { .. }
            | ClientMessage::Remove { .. }
            | ClientMessage::HandOver { .. }
            | ClientMessage::Watching { .. }
            | ClientMessage::Ping => Err(Refusal::NotJoined),
        };
        match entered {
            Ok(session) => {
                let session = session?;
                if is_new {
                    self.0.people.fetch_add(1, Ordering::Relaxed);
                }
                if let Some((participant, country)) = session.at(socket).zip(country) {
                    self.0.around.paths.is_from(participant, country);
                }
                Some(Seat::Here(seat::OwnSeat { sessions: self.clone(), session, socket }))
            }
            Err(refusal) => {
                line.send(&refusal.message());
                None
            }
        }
    }

    fn is_full(&self) -> bool {
        self.0.people.load(Ordering::Relaxed) >= self.0.settings.most_people
    }

    async fn create(
        &self,
        socket: SocketId,
        line: &Line,
        name: Option<ParticipantName>,
        password: Option<Password>,
    ) -> Result<Option<Arc<LiveSession>>, Refusal> {
        let password = self.0.doorkeeper.keep(password).await?;
        let host = newcomer(socket, name);
        let session = self.found(socket, line, password, &host)?;
        if let Some(shared) = &self.0.around.shared
            && !shared.found(session.code()).await
        {
            self.lock().remove(&session.code());
            return Err(Refusal::Unlucky);
        }
        session.greet(&self.0.around);
        // Read once the session can be found: a change before that went past it.
        let stage = *self.0.around.usage.stage_changes().borrow();
        session.handle(Input::Relays(stage), &self.0.around);
        tracing::info!("A session was created");
        Ok(Some(session))
    }

    /// Puts a new session under a code that is free.
    fn found(
        &self,
        socket: SocketId,
        line: &Line,
        password: Option<PasswordHash>,
        host: &Newcomer,
    ) -> Result<Arc<LiveSession>, Refusal> {
        let mut live = self.lock();
        if live.len() >= self.0.settings.most_sessions {
            return Err(Refusal::ServerFull);
        }
        for _ in 0..CODES_TRIED {
            let code = SessionCode::from_random(rand::random());
            if let Entry::Vacant(place) = live.entry(code) {
                let invite = InviteKey::from_random(rand::random());
                let core = Session::create(code, password, invite, self.0.settings.rules, host.clone());
                let session = Arc::new(LiveSession::start(code, core, socket, line.clone()));
                return Ok(Arc::clone(place.insert(session)));
            }
        }
        Err(Refusal::Unlucky)
    }

    fn enter_found(
        &self,
        session: Option<Arc<LiveSession>>,
        socket: SocketId,
        line: &Line,
        input: Input,
        missing: Refusal,
    ) -> Result<Option<Arc<LiveSession>>, Refusal> {
        let session = session.ok_or(missing)?;
        let inside = session.enter(socket, line, input, &self.0.around);
        Ok(inside.then_some(session))
    }
}

/// What goes to the session's server of how somebody comes in: not what they typed, nor the key that they have.
fn judged(message: ClientMessage) -> ClientMessage {
    if let ClientMessage::Join { code, name, .. } = message {
        return ClientMessage::Join { code, name, password: None, invite: None };
    }
    message
}

fn newcomer(socket: SocketId, name: Option<ParticipantName>) -> Newcomer {
    Newcomer {
        socket,
        id: ParticipantId::from_random(rand::random()),
        secret: TokenSecret::from_random(rand::random()),
        name,
        number: rand::random(),
    }
}
