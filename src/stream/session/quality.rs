//! What the quality hears of a page, and what it asks of the connections.

use super::{Output, RoleCore, Session};
use crate::domain::{ConnectionId, Now};
use crate::protocol::{ClientMessage, Signal};
use crate::stream::peer::{PeerCommand, Sample};
use crate::stream::view::ConnectionView;

impl Session {
    /// A host's quality hears of its own connections, a guest tells what it sees.
    pub(super) fn quality_sampled(&mut self, id: ConnectionId, sample: &Sample, now: Now) {
        match &self.role {
            Some(RoleCore::Host(_)) => self.quality.sampled(id, sample, now),
            Some(RoleCore::Guest(guest)) if guest.connection() == Some(id) => {
                if let Some(seen) = self.watching.look(id, sample, now) {
                    self.out.say(ClientMessage::Signal { connection: id, signal: Signal::Seen(seen) });
                }
            }
            Some(RoleCore::Guest(_)) | None => {}
        }
    }

    /// How the picture comes or goes.
    pub(super) fn connection_view(&self) -> Option<ConnectionView> {
        let relay = |id: ConnectionId| Some(self.out.meters.relay(id)?.title());
        match &self.role {
            Some(RoleCore::Host(host)) => self.quality.connection(host.connections().filter_map(relay).collect()),
            Some(RoleCore::Guest(guest)) => {
                let id = guest.connection()?;
                self.watching.connection(id, relay(id).into_iter().collect())
            }
            None => None,
        }
    }

    /// Brings every connection's senders into line with what is right now.
    pub(super) fn tune(&mut self, now: Now) {
        let Some(RoleCore::Host(host)) = &self.role else { return };
        self.quality.connections(host.connections(), now);
        self.quality.film(self.film.status(), now);
        for (id, encoding) in self.quality.tick(now) {
            self.out.peer(id, PeerCommand::Encode(encoding));
        }
        // Last: before the track gives more, every encoder knows how much of it to leave out.
        if let Some(size) = self.quality.capture() {
            self.out.push(Output::Capture(size));
        }
    }

    /// When `tune` has something to do.
    pub(super) fn quality_timeout(&self) -> Option<Now> {
        match &self.role {
            Some(RoleCore::Host(_)) => self.quality.next_timeout(),
            Some(RoleCore::Guest(_)) | None => None,
        }
    }
}
