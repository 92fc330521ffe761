//! Who may ask, and how often.
//!
//! Three kinds of callers have buckets of their own: participants, who proved themselves with their token, by participant;
//! other people's apps, which have an API key, by app; everyone else by network address. [`Tries`] and [`Delays`]
//! count who comes to the door and is not let in. Decides and counts; refuses to know what is being asked for. The check of the
//! `Origin` header that keeps other sites' pages out is here as well.

mod address;
mod bucket;
mod client_apps;
mod delays;
pub mod forwarded;
pub mod origin;
mod rate;
mod tries;

pub use address::ClientAddress;
pub use bucket::{Allowance, TooMany};
pub use client_apps::{ClientApp, ClientAppConfig, ClientApps, KeyDigest};
pub use delays::Delays;
pub use origin::Origin;
pub use rate::RateLimit;
pub use tries::Tries;

use crate::domain::{ParticipantId, SessionCode};
use bucket::Bucket;
use std::sync::Arc;

/// What a participant may ask for in credentials. A page asks once in hours; this is room for reloads and for trouble, and for
/// credentials that live for half a minute: one request in 5 s, for ever.
pub const PARTICIPANT_RATE: RateLimit = RateLimit::of(60, 300);

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Someone whose token is valid.
    Participant(SessionCode, ParticipantId),
    /// An app whose API key is valid.
    App(Arc<ClientApp>),
    /// Anyone else.
    Stranger(ClientAddress),
}

/// Counts requests for credentials.
#[derive(Debug)]
pub struct Guard {
    participants: Bucket<(SessionCode, ParticipantId)>,
    strangers: Bucket<ClientAddress>,
}

impl Guard {
    /// A guard that lets strangers pass at this rate.
    pub fn new(strangers: RateLimit) -> Self {
        Self { participants: Bucket::new(PARTICIPANT_RATE), strangers: Bucket::new(strangers) }
    }

    /// Counts a request and says whether it may pass.
    pub fn admit(&self, caller: &Caller) -> Result<Allowance, TooMany> {
        match caller {
            Caller::Participant(code, participant) => self.participants.take(&(*code, *participant)),
            Caller::App(app) => app.admit(),
            Caller::Stranger(address) => self.strangers.take(address),
        }
    }

    /// Drops those who have not asked for so long that their buckets are full again. To be called now and then.
    pub fn forget_idle(&self) {
        self.participants.forget_idle();
        self.strangers.forget_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn a_participant_has_an_allowance_of_their_own() {
        let guard = Guard::new(RateLimit::of(1, 300));
        let code = SessionCode::from_random(1);
        let (ada, ben) = (ParticipantId::from_random(1), ParticipantId::from_random(2));
        let stranger = Caller::Stranger(IpAddr::from([192, 0, 2, 1]).into());
        assert!(guard.admit(&stranger).is_ok() && guard.admit(&stranger).is_err());
        for _ in 0..PARTICIPANT_RATE.requests().get() {
            assert!(guard.admit(&Caller::Participant(code, ada)).is_ok());
        }
        assert!(guard.admit(&Caller::Participant(code, ada)).is_err());
        assert!(guard.admit(&Caller::Participant(code, ben)).is_ok());
    }
}
