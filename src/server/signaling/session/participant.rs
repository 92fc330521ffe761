//! One person in a session, present or away.

use super::secret::SecretHash;
use super::{GUEST_GRACE, SocketId};
use crate::domain::{Nameless, Now, ParticipantId, ParticipantName, ParticipantToken, Role};
use crate::protocol::ParticipantInfo;
use crate::server::signaling::bucket::Bucket;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where a participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// At a socket.
    Here(SocketId),
    /// Without one; the place is kept.
    Away {
        /// Since when.
        since: Now,
    },
}

/// One person in a session.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) id: ParticipantId,
    pub(super) secret: SecretHash,
    pub(super) name: ParticipantName,
    /// They gave none.
    pub(super) nameless: Option<Nameless>,
    pub(super) role: Role,
    pub(super) presence: Presence,
    /// How long the session waits for them while they are the host.
    pub(super) host_grace: Duration,
    /// A guest's picture runs.
    pub(super) watching: bool,
    /// The how-manieth they came: guests keep that order whoever was the host meanwhile.
    pub(super) came: u64,
    /// What they may still say.
    pub(super) said: Bucket,
    /// And react.
    pub(super) reacted: Bucket,
}

/// What is remembered of somebody who is not in the session any more: enough to take a last usage report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Former {
    pub(super) id: ParticipantId,
    /// The host removed them.
    pub(super) removed: bool,
    secret: SecretHash,
}

impl Participant {
    /// Whether this is the host.
    pub(super) fn is_host(&self) -> bool {
        self.role == Role::Host
    }

    /// Where they are, if they are.
    pub(super) const fn socket(&self) -> Option<SocketId> {
        match self.presence {
            Presence::Here(socket) => Some(socket),
            Presence::Away { .. } => None,
        }
    }

    /// When their place is given up.
    pub(super) fn gone_at(&self) -> Option<Now> {
        let Presence::Away { since } = self.presence else {
            return None;
        };
        let grace = match self.role {
            Role::Host => self.host_grace,
            Role::Guest => GUEST_GRACE,
        };
        Some(since + grace)
    }

    /// Whether the token is theirs.
    pub(super) fn is_proved_by(&self, token: &ParticipantToken) -> bool {
        self.id == token.participant && self.secret.is_of(token.secret)
    }

    /// What everyone in the session sees of them.
    pub(super) fn info(&self) -> ParticipantInfo {
        ParticipantInfo {
            id: self.id,
            name: self.name.clone(),
            nameless: self.nameless,
            role: self.role,
            connected: self.socket().is_some(),
            watching: self.watching,
        }
    }

    /// What is remembered once they are gone.
    pub(super) fn former(&self, removed: bool) -> Former {
        Former { id: self.id, removed, secret: self.secret }
    }
}

impl Former {
    /// Whether the token was theirs.
    pub(super) fn is_proved_by(&self, token: &ParticipantToken) -> bool {
        self.id == token.participant && self.secret.is_of(token.secret)
    }
}
