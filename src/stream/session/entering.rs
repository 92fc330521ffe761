//! Coming in: creating, joining, resuming, and being refused.

use super::{Kept, RoleCore, Session};
use crate::domain::{Now, ParticipantId, ParticipantName, SessionCode};
use crate::protocol::{ClientMessage, EndReason, ErrorCode, Password, Snapshot, WireToken};
use crate::stream::guest::Guest;
use crate::stream::host::Host;
use crate::stream::outbox::{Keep, Output};
use crate::stream::view::{Phase, Problem};

impl Session {
    pub(super) fn start(&mut self, kept: Kept, origin: String, now: Now) {
        self.origin = origin;
        self.token = kept.token;
        self.invited = kept.invite;
        self.chat.kept(kept.unsaid);
        self.profile.name = kept.name;
        self.relay_only = kept.hide_address;
        self.kept_film = kept.film;
        if let Some((answer, age)) = kept.ice {
            self.ice.kept(answer, age, now, &mut self.random);
        }
    }

    pub(super) fn session_mounted(&mut self, typed: &str, now: Now) {
        let code = SessionCode::parse(typed).ok();
        if self.phase == Phase::Outside {
            self.problem = None;
            self.code = code;
            if let Some(token) = self.token.filter(|token| Some(token.code) == code) {
                self.enter(ClientMessage::Resume { token: WireToken(token), fresh: true, chat_seen: 0 }, now);
            }
        }
        if self.ice.want(now) {
            self.fetch_ice();
        } else {
            self.ice_settled(false, now);
        }
    }

    /// The start page: whoever was on their way into a session, or had left one, starts afresh.
    pub(super) fn home_mounted(&mut self) {
        match self.phase {
            Phase::Inside => return,
            Phase::Entering => {
                if let Some(output) = self.link.unwant() {
                    self.out.push(Output::Link(output));
                }
            }
            Phase::Outside | Phase::Ended(_) => {}
        }
        self.phase = Phase::Outside;
        (self.opening, self.code, self.problem) = (None, None, None);
        // The start page needs no ICE servers, so it mints no credentials.
        self.ice.rest();
    }

    /// Name and password as typed, or the problem with them.
    pub(super) fn typed(&mut self, name: &str, password: &str) -> Option<(Option<ParticipantName>, Option<Password>)> {
        self.problem = None;
        let typed_name = name.trim();
        let parsed = if typed_name.is_empty() { Ok(None) } else { ParticipantName::parse(typed_name).map(Some) };
        let Ok(name) = parsed else {
            self.problem = Some(Problem::NameTooLong);
            return None;
        };
        let Ok(password) = Password::typed(password) else {
            self.problem = Some(Problem::PasswordTooLong);
            return None;
        };
        typed_name.clone_into(&mut self.profile.name);
        self.out.push(Output::Keep(Keep::Name(self.profile.name.clone())));
        Some((name, password))
    }

    pub(super) fn enter(&mut self, opening: ClientMessage, now: Now) {
        if matches!(self.phase, Phase::Entering | Phase::Inside) {
            return;
        }
        self.say_leave();
        if !matches!(opening, ClientMessage::Resume { .. }) {
            // What was left unsaid belongs to another session.
            self.chat.forget(&mut self.out);
        }
        self.phase = Phase::Entering;
        self.problem = None;
        self.opening = Some(opening);
        if let Some(output) = self.link.want(now) {
            self.out.push(Output::Link(output));
        } else {
            self.say_first();
        }
    }

    /// The first words on a socket: who this is, or wants to be.
    pub(super) fn say_first(&mut self) {
        if !self.link.is_open() {
            return;
        }
        let token = self.token.filter(|_| self.phase == Phase::Inside || self.leaving.is_some());
        let chat_seen = self.chat.seen();
        let resume = || token.map(|token| ClientMessage::Resume { token: WireToken(token), fresh: false, chat_seen });
        if let Some(first) = self.opening.clone().or_else(resume) {
            self.out.push(Output::Send(first));
        }
    }

    pub(super) fn welcome(&mut self, token: WireToken, you: ParticipantId, snapshot: Snapshot, now: Now) {
        let came_back = matches!(self.opening.take(), Some(ClientMessage::Resume { .. }));
        self.problem = None;
        self.out.heard = true;
        self.phase = Phase::Inside;
        self.code = Some(snapshot.code);
        self.me = Some(you);
        self.token = Some(token.0);
        self.out.push(Output::Keep(Keep::Token(self.token)));
        // Before a connection is built.
        let fetch = self.ice.joined();
        let was = self.role();
        // A snapshot from a server that was restarted counts from the beginning again.
        self.snapshot = None;
        self.take_snapshot(snapshot, now);
        self.told_watching = self.myself().is_some_and(|person| person.watching);
        let kept = self.kept_film.take().filter(|_| came_back && matches!(self.role, Some(RoleCore::Host(_))));
        self.sources.came_back(kept, &mut self.film, &mut self.out);
        if was == self.role() {
            match &self.role {
                Some(RoleCore::Host(_)) => {
                    self.film.forget_told();
                    self.as_host(now, Host::resumed);
                }
                Some(RoleCore::Guest(_)) => self.as_guest(now, Guest::resumed),
                None => {}
            }
        }
        self.tell_film(now);
        if fetch || self.ice.want(now) {
            self.fetch_ice();
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other refusal means the same here")]
    pub(super) fn refused(&mut self, code: ErrorCode, now: Now) {
        let opening = self.opening.take();
        let resuming = matches!(opening, Some(ClientMessage::Resume { .. }));
        let entering = self.phase == Phase::Entering;
        match code {
            ErrorCode::UnknownParticipant if resuming || !entering => {
                self.end(EndReason::PlaceLost, now);
            }
            ErrorCode::ResumedElsewhere => {
                self.end(EndReason::PlaceLost, now);
                self.problem = Some(Problem::ResumedElsewhere);
            }
            code if entering => {
                self.phase = Phase::Outside;
                self.problem = Some(problem(code));
            }
            // A message that was refused while inside: the session goes on, and whoever sent it tries again by itself.
            _ => {}
        }
    }
}

/// What people are told of a refusal at the door.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other refusal is no fault of the person's")]
fn problem(code: ErrorCode) -> Problem {
    match code {
        ErrorCode::CannotEnter => Problem::CannotEnter,
        ErrorCode::SessionLocked => Problem::SessionLocked,
        ErrorCode::SessionFull => Problem::SessionFull,
        ErrorCode::ServerFull => Problem::ServerFull,
        ErrorCode::TooManyRequests | ErrorCode::TooManyMessages => Problem::TooManyTries,
        _ => Problem::ServerAway,
    }
}
