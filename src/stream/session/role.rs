//! What this person is in the session, as the snapshots tell it: the host may hand the session over at any moment.

use super::{RoleCore, Session};
use crate::domain::{Now, Role};
use crate::protocol::ClientMessage;
use crate::stream::film::HostFilm;
use crate::stream::host::Host;
use crate::stream::outbox::Output;
use crate::stream::view::Picture;

impl Session {
    /// Becomes what the snapshot says. Whatever belonged to the former role is over: a former host's film is taken off the
    /// stage, and so is a former guest's picture.
    pub(super) fn take_role(&mut self, now: Now) {
        let Some(role) = self.myself().map(|person| person.role) else { return };
        let former = self.role();
        if former == Some(role) {
            return;
        }
        if former.is_some() {
            self.as_host(now, Host::replace_all);
            self.as_guest(now, |guest, around, _, out| guest.leave(around.now, out));
            self.film = HostFilm::default();
            (self.film_problem, self.sound_blocked) = (None, false);
            self.sources.over(&mut self.out);
            self.out.push(Output::ClearStage);
        }
        self.sources.is(Some(role));
        self.told_watching = self.myself().is_some_and(|person| person.watching);
        self.role = Some(match role {
            Role::Host => RoleCore::Host(Host::default()),
            Role::Guest => {
                self.invite = None;
                RoleCore::Guest(Box::default())
            }
        });
    }

    /// Tells the others when the picture begins to run here, and when it does not any more.
    pub(super) fn tell_watching(&mut self, now: Now) {
        let Some(RoleCore::Guest(guest)) = &self.role else { return };
        let watching = guest.picture(now) == Picture::Connected;
        if self.out.heard && self.told_watching != watching {
            self.told_watching = watching;
            self.out.say(ClientMessage::Watching { watching });
        }
    }
}
