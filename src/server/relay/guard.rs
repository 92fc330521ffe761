//! Who is let in: looks at every request before anything is done for it.
//!
//! Long-term credentials (RFC 8489 section 9.2) whose password follows from the username, so there is no list of users
//! that could grow; nonces that carry their own proof, so there is none of those either. Until a request has shown a nonce
//! of ours and a password, all that it can cost is an answer, and of those each address has a budget. Refuses to know what
//! an admitted request asks for.

use super::{
    bars::Bars,
    budget::Budget,
    client::{Client, Moment},
    credential::{Claim, Holder, Mint, SessionTag},
    message::{Class, Draft, ErrorCode, Key, Message, Method, attribute},
    nonce::{Freshness, Nonces},
};
use crate::domain::UnixMillis;
use serde::{Deserialize, Serialize};

/// Requests without proof from one address: all participants behind it, each with every connection, URL and interface, at
/// once; and the rate at which somebody else could be sent answers in that address's name.
const STRANGERS: (u32, u32) = (1024, 32);

/// Requests for one's own address, which prove nothing ever. Browsers also ask to keep a NAT's hole open.
const BINDINGS: (u32, u32) = (1024, 128);

/// Whom something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Whom {
    /// Everyone in it.
    Session(SessionTag),
    /// One of them.
    Participant(Holder),
}

impl Whom {
    pub(super) fn includes(self, holder: Holder) -> bool {
        match self {
            Self::Session(session) => holder.session() == session,
            Self::Participant(participant) => holder == participant,
        }
    }
}

/// A request that may be carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof {
    /// Who asks.
    pub(super) claim: Claim,
    /// What the answer is signed with.
    pub(super) key: Key,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may be carried out.
    Admitted(Proof),
    /// It is answered with this.
    Refused(Vec<u8>),
    /// It is as if it had never come.
    Ignored,
}

/// Decides who is let in.
#[derive(Debug)]
pub(super) struct Guard {
    mint: Mint,
    realm: String,
    nonces: Nonces,
    strangers: Budget,
    bindings: Budget,
    barred: Bars,
}

impl Guard {
    pub(super) fn new(mint: Mint, realm: String, nonces: Nonces) -> Self {
        let [strangers, bindings] = [STRANGERS, BINDINGS].map(|(burst, rate)| Budget::new(burst, rate));
        Self { mint, realm, nonces, strangers, bindings, barred: Bars::default() }
    }

    /// Whether a request for one's own address is answered.
    pub(super) fn admits_binding(&mut self, client: &Client, at: Moment) -> bool {
        self.bindings.take(client.remote.ip(), at.now)
    }

    /// Looks at a request that needs a credential, in the order of
    /// <https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4>.
    pub(super) fn examine(&mut self, client: &Client, request: &Message<'_>, at: Moment) -> Verdict {
        debug_assert_eq!(request.class(), Class::Request, "answers and indications carry no proof");
        if !request.claims_integrity() {
            return self.refuse(client, request, ErrorCode::Unauthorized, at);
        }
        let (Some(username), Some(realm), Some(nonce)) = (
            request.text(attribute::USERNAME),
            request.attribute(attribute::REALM),
            request.attribute(attribute::NONCE),
        ) else {
            return self.refuse(client, request, ErrorCode::BadRequest, at);
        };
        match self.nonces.judge(nonce, client, at.now) {
            Freshness::Fresh => {}
            // Browsers close without trying again, so a goodbye is taken at any age: it can only end what its sender has.
            Freshness::Stale if is_goodbye(request) => {}
            Freshness::Stale | Freshness::Foreign => return self.refuse(client, request, ErrorCode::StaleNonce, at),
        }
        let proof = (realm == self.realm.as_bytes())
            .then(|| self.mint.recognise(username, &self.realm))
            .flatten()
            .and_then(|(claim, keys)| Some((claim, keys.into_iter().find(|key| request.holds(key))?)))
            .filter(|(claim, _)| claim.remaining(at.wall).is_some() && !self.barred.hold(claim.holder, at.wall));
        match proof {
            Some((claim, key)) => Verdict::Admitted(Proof { claim, key }),
            None => self.refuse(client, request, ErrorCode::Unauthorized, at),
        }
    }

    /// Lets someone in no more, whatever they show, until then. Whoever is barred for longer stays so.
    pub(super) fn bar(&mut self, whom: Whom, until: UnixMillis, wall: UnixMillis) {
        self.barred.add(whom, until, wall);
    }

    fn refuse(&mut self, client: &Client, request: &Message<'_>, code: ErrorCode, at: Moment) -> Verdict {
        if !self.strangers.take(client.remote.ip(), at.now) {
            return Verdict::Ignored;
        }
        let answer = Draft::error(request, code);
        // With what is needed to try again, but for those who cannot even write a request.
        let answer = if code == ErrorCode::BadRequest {
            answer
        } else {
            answer
                .with(attribute::REALM, self.realm.as_bytes())
                .with(attribute::NONCE, self.nonces.make(client, at.now).as_bytes())
        };
        Verdict::Refused(answer.unsigned())
    }
}

/// A Refresh that ends the allocation.
fn is_goodbye(request: &Message<'_>) -> bool {
    request.method() == Method::Refresh && request.number(attribute::LIFETIME) == Some(0)
}
