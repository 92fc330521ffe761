//! What the page shows of all this.

use super::{RoleCore, Session};
use crate::domain::{Now, ParticipantId, Role};
use crate::protocol::{FilmState, ParticipantInfo};
use crate::stream::view::{Called, FilmView, Person, Phase, Picture, SessionView};
use std::time::Duration;

impl Session {
    /// What the page shows now.
    pub fn view(&self, now: Now) -> SessionView {
        let people = self.snapshot.iter().flat_map(|snapshot| &snapshot.participants).map(|person| Person {
            id: person.id,
            name: called(person),
            role: person.role,
            you: self.me == Some(person.id),
            connected: person.connected,
            watching: person.watching,
        });
        let my_name = self.myself().map(called).unwrap_or_default();
        SessionView {
            phase: self.phase,
            code: self.code,
            role: self.role().or(self.was.filter(|_| matches!(self.phase, Phase::Ended(_)))),
            people: people.collect(),
            film: self.film_view(now),
            chat: self.chat.lines(self.me, &my_name),
            reactions: self.chat.flying(),
            locked: self.snapshot.as_ref().is_some_and(|snapshot| snapshot.locked),
            invited: self.invited.is_some_and(|(code, _)| Some(code) == self.code),
            link: self.link.view(),
            picture: match &self.role {
                Some(RoleCore::Guest(guest)) => guest.picture(now),
                Some(RoleCore::Host(_)) | None => Picture::None,
            },
            connection: self.connection_view(),
            ice: self.ice.view().clone(),
            problem: self.problem,
            film_problem: self.film_problem.clone(),
            hide_address: self.relay_only,
            sound_blocked: self.sound_blocked,
            invite: self.invite_link(),
            invite_copied: self.copied_until.is_some_and(|until| now < until),
            relay_lasts: self.ice.lasts(now).map(|left| left.as_secs() / 60),
            relays: self.snapshot.as_ref().map(|snapshot| snapshot.relay).unwrap_or_default(),
            profile: self.profile.clone(),
            upload: matches!(self.role, Some(RoleCore::Host(_))).then(|| self.quality.upload(now)).flatten(),
            quality: self.quality.choice(),
            spare_relays: self.quality.spares_relays(),
            sources: self.sources.view(),
        }
    }

    pub(super) fn film_view(&self, now: Now) -> Option<FilmView> {
        let (film, elapsed) = match &self.role {
            Some(RoleCore::Host(_)) => (self.film.status().filter(|film| !film.returning)?, Duration::ZERO),
            Some(RoleCore::Guest(_)) | None => (self.snapshot.as_ref()?.film.as_ref()?, now.since(self.snapshot_at)),
        };
        Some(FilmView {
            title: film.title.clone(),
            position_ms: film.position_after(elapsed) / 1000 * 1000,
            duration_ms: film.duration_ms,
            state: film.state,
            kind: film.kind,
            returning: film.returning,
        })
    }

    /// A guest's film clock: the snapshot's position, moved on.
    pub(super) fn move_clock(&mut self, now: Now) {
        let elapsed = now.since(self.snapshot_at);
        if let Some(film) = self.snapshot.as_mut().and_then(|snapshot| snapshot.film.as_mut()) {
            film.position_ms = film.position_after(elapsed);
        }
        self.snapshot_at = now;
    }

    pub(super) fn clock_runs(&self) -> bool {
        let film = self.snapshot.as_ref().and_then(|snapshot| snapshot.film.as_ref());
        matches!(self.role, Some(RoleCore::Guest(_)))
            && film.is_some_and(|film| film.state == FilmState::Playing && !film.kind.is_live())
    }

    /// The link to send to guests, with the key where the server gave one: to the host.
    fn invite_link(&self) -> Option<String> {
        let code = self.code.filter(|_| self.phase == Phase::Inside)?;
        let key = self.invite.map(|key| format!("#k={}", key.expose())).unwrap_or_default();
        Some(format!("{}/s/{code}{key}", self.origin))
    }

    pub(super) fn myself(&self) -> Option<&ParticipantInfo> {
        self.snapshot.as_ref()?.participants.iter().find(|person| self.me == Some(person.id))
    }

    /// What somebody is called; empty once they are gone.
    pub(super) fn name_of(&self, id: ParticipantId) -> Called {
        let mut people = self.snapshot.iter().flat_map(|snapshot| &snapshot.participants);
        people.find(|person| person.id == id).map(called).unwrap_or_default()
    }

    pub(super) fn role(&self) -> Option<Role> {
        self.role.as_ref().map(|role| match role {
            RoleCore::Host(_) => Role::Host,
            RoleCore::Guest(_) => Role::Guest,
        })
    }
}

fn called(person: &ParticipantInfo) -> Called {
    Called::told(&person.name, person.nameless)
}
