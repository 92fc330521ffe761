//! A place in a session, at this server or at another one, and the turn that is waited for before.

use super::Sessions;
use crate::protocol::ClientMessage;
use crate::server::signaling::live::LiveSession;
use crate::server::signaling::session::{Input, SocketId};
use crate::server::signaling::shared::EdgeSeat;
use std::sync::Arc;
use std::time::Duration;

/// A socket's place in a session. Dropping it is losing the socket: the place is kept for the grace period.
pub(in super::super) enum Seat {
    /// At this server.
    Here(OwnSeat),
    /// At another one.
    There(EdgeSeat),
}

/// A place in a session of this server.
pub(in super::super) struct OwnSeat {
    pub(super) sessions: Sessions,
    pub(super) session: Arc<LiveSession>,
    pub(super) socket: SocketId,
}

impl Sessions {
    /// How long whoever says this has to wait for a turn. Who knows no session and no place in one takes none: no crowd of
    /// strangers makes people wait.
    pub(in super::super) fn turn(&self, message: &ClientMessage) -> Duration {
        let may_enter = if let ClientMessage::Resume { token, .. } = message {
            self.find(token.0.code).is_some_and(|session| session.authenticate(&token.0).is_some())
        } else if let ClientMessage::Join { code, .. } = message {
            self.find(*code).is_some()
        } else {
            true
        };
        if may_enter { self.0.turnstile.turn(self.clock().now()) } else { Duration::ZERO }
    }
}

impl Seat {
    /// Takes the participant's message.
    pub(in super::super) fn take(&self, message: ClientMessage) {
        match self {
            Self::Here(seat) => seat.take(message),
            Self::There(seat) => seat.take(message),
        }
    }
}

impl OwnSeat {
    fn take(&self, message: ClientMessage) {
        let around = &self.sessions.0.around;
        let message = Input::Message { from: self.socket, message, at: around.clock.wall() };
        self.session.handle(message, around);
    }
}

impl Drop for OwnSeat {
    fn drop(&mut self) {
        self.session.lose(self.socket, &self.sessions.0.around);
    }
}
