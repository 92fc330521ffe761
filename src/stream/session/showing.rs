//! What the page shows of all this.

use super::{RoleCore, Session};
use crate::domain::{Now, Role};
use crate::protocol::FilmState;
use crate::stream::view::{FilmView, Person, Phase, Picture, SessionView};
use std::time::Duration;

impl Session {
    /// What the page shows now.
    pub fn view(&self, now: Now) -> SessionView {
        let people = self.snapshot.iter().flat_map(|snapshot| &snapshot.participants).map(|person| Person {
            id: person.id,
            name: person.name.to_string(),
            role: person.role,
            you: self.me == Some(person.id),
            connected: person.connected,
        });
        SessionView {
            phase: self.phase,
            code: self.code,
            role: self.role().or(self.was.filter(|_| matches!(self.phase, Phase::Ended(_)))),
            people: people.collect(),
            film: self.film_view(now),
            link: self.link.view(),
            picture: match &self.role {
                Some(RoleCore::Guest(guest)) => guest.picture(now),
                Some(RoleCore::Host(_)) | None => Picture::None,
            },
            ice: self.ice.view().clone(),
            problem: self.problem,
            film_problem: self.film_problem.clone(),
            hide_address: self.relay_only,
            sound_blocked: self.sound_blocked,
            invite: self.code.filter(|_| self.phase == Phase::Inside).map(|code| format!("{}/s/{code}", self.origin)),
            invite_copied: self.copied_until.is_some_and(|until| now < until),
            relay_limit_reached: self.snapshot.as_ref().is_some_and(|snapshot| snapshot.relay_limit_reached),
            profile: self.profile.clone(),
        }
    }

    pub(super) fn film_view(&self, now: Now) -> Option<FilmView> {
        let (film, elapsed) = match &self.role {
            Some(RoleCore::Host(_)) => (self.film.status()?, Duration::ZERO),
            Some(RoleCore::Guest(_)) | None => (self.snapshot.as_ref()?.film.as_ref()?, now.since(self.snapshot_at)),
        };
        Some(FilmView {
            title: film.title.clone(),
            position_ms: film.position_after(elapsed) / 1000 * 1000,
            duration_ms: film.duration_ms,
            state: film.state,
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
        matches!(self.role, Some(RoleCore::Guest(_))) && film.is_some_and(|film| film.state == FilmState::Playing)
    }

    pub(super) fn role(&self) -> Option<Role> {
        self.role.as_ref().map(|role| match role {
            RoleCore::Host(_) => Role::Host,
            RoleCore::Guest(_) => Role::Guest,
        })
    }
}
