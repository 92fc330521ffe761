//! The page's peer connections: what comes for them goes to the role that has them, and what it needs of the rest of the
//! page is done for it.

use super::{RoleCore, Session};
use crate::domain::{ConnectionId, Now, ProviderName};
use crate::protocol::{ClientMessage, FilmState, FilmStatus, Signal, Snapshot, SourceKind, limits};
use crate::stream::guest::{Around, Guest};
use crate::stream::host::Host;
use crate::stream::ice::Need;
use crate::stream::link::DEAF_IN_TROUBLE;
use crate::stream::outbox::{Outbox, Output};
use crate::stream::peer::{PeerEvent, PeerState, Sample};
use crate::stream::random::Random;
use std::time::Duration;

/// What a role needs to know of its surroundings, borrowed field by field: the role itself is changed meanwhile.
macro_rules! around {
    ($session:ident, $now:expr) => {
        Around {
            ice: &$session.ice,
            relay_only: $session.relay_only,
            film_plays: film_plays($session.snapshot.as_ref()),
            now: $now,
        }
    };
}

impl Session {
    /// `renewed`: the credentials in hand are others than before.
    pub(super) fn ice_settled(&mut self, renewed: bool, now: Now) {
        if let Some(servers) = self.ice.servers() {
            self.out.push(Output::UseIce(servers.to_vec()));
        }
        // First, so that a restart that waits for these credentials is known to be the one that they are for.
        if renewed {
            self.as_host(now, Host::renewed);
            self.as_guest(now, |guest, around, _, out| guest.renewed(around, out));
        }
        self.as_host(now, Host::ice_settled);
        self.as_guest(now, Guest::ice_settled);
    }

    /// The relays of this provider are over for this page, or those of all: others are asked for, and until there are any nothing goes
    /// over them.
    pub(super) fn relay_over(&mut self, provider: Option<&ProviderName>) {
        let Some(fetch) = self.ice.relay_over(provider) else { return };
        self.relay_is_over = true;
        if fetch {
            self.fetch_ice();
        }
    }

    /// An answer came after the relay in hand was over: what runs over that one ends, and begins anew with what there is now. A restart
    /// of ICE alone may leave it where it is.
    pub(super) fn leave_relay(&mut self, now: Now) {
        if std::mem::take(&mut self.relay_is_over) {
            self.as_host(now, Host::leave_relay);
            self.as_guest(now, Guest::leave_relay);
        }
    }

    pub(super) fn signal(&mut self, id: ConnectionId, signal: Signal, now: Now) {
        let around = around!(self, now);
        match &mut self.role {
            Some(RoleCore::Host(host)) => host.signal(id, signal, &around, &mut self.out),
            Some(RoleCore::Guest(guest)) => guest.signal(id, signal, &around, &mut self.out),
            None => {}
        }
    }

    pub(super) fn peer_event(&mut self, id: ConnectionId, event: PeerEvent, now: Now) {
        if event == PeerEvent::State(PeerState::Connected) {
            self.quality.connected(id, now);
        }
        match event {
            PeerEvent::SideOpened => {
                self.forget_channels();
                self.sources.side_opened(id, now, &mut self.out);
            }
            PeerEvent::Told(text) => self.sources.side_told(id, &text, now, &mut self.out),
            PeerEvent::Described(_)
            | PeerEvent::Candidate(_)
            | PeerEvent::State(_)
            | PeerEvent::Sampled(_)
            | PeerEvent::Broken => self.role_event(id, event, now),
        }
    }

    fn role_event(&mut self, id: ConnectionId, event: PeerEvent, now: Now) {
        let around = around!(self, now);
        match &mut self.role {
            Some(RoleCore::Host(host)) => host.event(id, event, &around, &mut self.out),
            Some(RoleCore::Guest(guest)) => guest.event(id, event, &around, &mut self.random, &mut self.out),
            None => {}
        }
    }

    pub(super) fn sampled(&mut self, id: ConnectionId, sample: Sample, now: Now) {
        self.quality_sampled(id, &sample, now);
        let around = around!(self, now);
        match &mut self.role {
            Some(RoleCore::Host(host)) => host.sampled(id, &sample, now),
            Some(RoleCore::Guest(guest)) => guest.sampled(id, &sample, &around, &mut self.out),
            None => {}
        }
        self.out.meters.sampled(id, sample, now);
    }

    /// What the role needs of the rest of the page.
    pub(super) fn serve_role(&mut self, now: Now) {
        let (ice, line) = match &mut self.role {
            Some(RoleCore::Host(host)) => (host.wants_ice(), false),
            Some(RoleCore::Guest(guest)) => {
                let wants = guest.wants();
                (wants.ice, wants.line)
            }
            None => (None, false),
        };
        if line {
            self.doubt_line(DEAF_IN_TROUBLE, now);
        }
        if let Some(need) = ice {
            if self.ice.freshen(need, now) {
                let silent = self.ice.provider().filter(|_| need == Need::FromAnother).cloned();
                self.fetch_ice_without(silent);
            } else {
                self.ice_settled(false, now);
            }
        }
    }

    pub(super) fn doubt_line(&mut self, deaf: Duration, now: Now) {
        if self.link.doubt(deaf, now) {
            self.out.push(Output::Send(ClientMessage::Ping));
        } else if let Some(output) = self.link.try_now(now) {
            self.out.push(Output::Link(output));
        }
    }

    /// Side channels go with their connections.
    fn forget_channels(&mut self) {
        let left = self.connections();
        self.sources.keep_channels(|id| left.contains(&id));
    }

    pub(super) fn look_every(&self) -> Duration {
        let sooner = match &self.role {
            Some(RoleCore::Guest(guest)) => guest.look_every(),
            Some(RoleCore::Host(_)) | None => None,
        };
        sooner.unwrap_or(limits::POLL_EVERY)
    }

    pub(super) fn has_peers(&self) -> bool {
        !self.connections().is_empty()
    }

    /// The connections that are up or on their way.
    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        match &self.role {
            Some(RoleCore::Host(host)) => host.connections().collect(),
            Some(RoleCore::Guest(guest)) => guest.connection().into_iter().collect(),
            None => Vec::new(),
        }
    }

    pub(super) fn fetch_ice(&mut self) {
        self.fetch_ice_without(None);
    }

    /// Not from this one, if anybody else has any: its relay is silent.
    pub(super) fn fetch_ice_without(&mut self, silent: Option<ProviderName>) {
        let token = self.token.filter(|token| Some(token.code) == self.code);
        self.ice.asked(token.is_some());
        self.out.push(Output::FetchIce { token, silent });
    }

    pub(super) fn as_host(&mut self, now: Now, work: impl FnOnce(&mut Host, &Around<'_>, &mut Outbox)) {
        let around = around!(self, now);
        if let Some(RoleCore::Host(host)) = &mut self.role {
            work(host, &around, &mut self.out);
        }
    }

    pub(super) fn as_guest(&mut self, now: Now, work: impl FnOnce(&mut Guest, &Around<'_>, &mut Random, &mut Outbox)) {
        let around = around!(self, now);
        if let Some(RoleCore::Guest(guest)) = &mut self.role {
            work(guest, &around, &mut self.random, &mut self.out);
        }
    }
}

/// Whether something ought to arrive at a guest: the host is there and its film runs.
fn film_plays(snapshot: Option<&Snapshot>) -> bool {
    snapshot.is_some_and(|snapshot| {
        let host_here = snapshot.participants.first().is_some_and(|host| host.connected);
        // Of a screen on which nothing moves, nothing has to come.
        let moves = |film: &FilmStatus| film.state == FilmState::Playing && film.kind != SourceKind::Screen;
        host_here && snapshot.film.as_ref().is_some_and(moves)
    })
}
