//! Going: the person is out at once, their last counters and their goodbye follow.

use super::{RoleCore, Session};
use crate::domain::Now;
use crate::protocol::{ClientMessage, EndReason, ServerMessage, UsageBeacon, WireToken};
use crate::stream::film::HostFilm;
use crate::stream::host::Host;
use crate::stream::meter::Meters;
use crate::stream::outbox::{Keep, Output};
use crate::stream::view::Phase;
use std::time::Duration;

/// Whoever leaves stays on the line until the last counters of their connections are on disk, at most this long.
const LAST_COUNTERS: Duration = Duration::from_secs(2);
/// A host stays at least this long, so that the guests' last counters arrive while the session is still there.
const GUESTS_COUNTERS: Duration = Duration::from_millis(400);

/// The person has left, and the last counters are on their way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub(super) earliest: Now,
    pub(super) latest: Now,
}

impl Session {
    pub(super) fn leave(&mut self, now: Now) {
        if !self.out.heard {
            self.end(EndReason::YouLeft, now);
            return;
        }
        let hosted_someone = matches!(self.role, Some(RoleCore::Host(_))) && self.has_peers();
        let earliest = if hosted_someone { now + GUESTS_COUNTERS } else { now };
        self.leaving = Some(Leaving { earliest, latest: now + LAST_COUNTERS });
        self.go(EndReason::YouLeft, now);
    }

    /// The last words of somebody who left.
    pub(super) fn say_leave(&mut self) {
        if self.leaving.take().is_some() {
            self.out.say(ClientMessage::Leave);
            self.hang_up();
        }
    }

    pub(super) fn end(&mut self, reason: EndReason, now: Now) {
        self.leaving = None;
        self.go(reason, now);
        self.hang_up();
    }

    /// When the goodbye is due: as soon as everything is on disk, or when that takes too long.
    pub(super) fn leaves_at(&self, leaving: Leaving) -> Now {
        if self.out.meters.is_empty() { leaving.earliest } else { leaving.latest }
    }

    pub(super) fn hang_up(&mut self) {
        let reports = self.out.meters.last_words(self.snapshot_at);
        if let Some(token) = self.token.take().filter(|_| !reports.is_empty()) {
            self.out.push(Output::Beacon(UsageBeacon { token: WireToken(token), reports }));
        }
        // Without the token nothing more can be said of these connections.
        self.out.meters = Meters::default();
        self.out.heard = false;
        self.ice.rest();
        if let Some(output) = self.link.unwant() {
            self.out.push(Output::Link(output));
        }
    }

    pub(super) fn go(&mut self, reason: EndReason, now: Now) {
        self.as_host(now, Host::replace_all);
        self.as_guest(now, |guest, around, _, out| guest.leave(around.now, out));
        self.was = self.role();
        self.role = None;
        self.opening = None;
        self.snapshot = None;
        self.me = None;
        self.invite = None;
        self.chat.forget(&mut self.out);
        self.film = HostFilm::default();
        self.film_problem = None;
        self.kept_film = None;
        self.sources.over(&mut self.out);
        self.sound_blocked = false;
        self.phase = Phase::Ended(reason);
        self.out.push(Output::ClearStage);
        self.out.push(Output::Keep(Keep::Token(None)));
    }

    /// What still counts for somebody who left: that they are heard again after a lost line, and what is on disk.
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is for those who stay")]
    pub(super) fn last_answers(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Welcome { .. } => self.out.heard = true,
            ServerMessage::UsageAck { connection, sequence } => self.out.meters.acknowledged(connection, sequence),
            _ => {}
        }
    }
}
