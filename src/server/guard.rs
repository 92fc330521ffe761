//! Who may ask, and how often.
//!
//! Three kinds of callers have buckets of their own: participants, who proved themselves with their token, by participant;
//! other people's apps, which have an API key, by app; everyone else by network address, and of IPv6 by
//! [`Neighbourhood`] too. [`Tries`] and [`Delays`] count who comes to the door and is not let in, [`Flow`] every request, and [`Room`] the
//! connections that are open. Decides and counts; refuses to know what is being asked for. The check of the `Origin` header that keeps other sites' pages out is here
//! as well.

mod address;
mod bucket;
mod client_apps;
mod delays;
mod flow;
pub mod forwarded;
mod neighbourhood;
mod operators;
pub mod origin;
mod rate;
mod room;
mod tries;

pub use address::ClientAddress;
pub use bucket::{Allowance, TooMany};
pub use client_apps::{ClientApp, ClientAppConfig, ClientApps, KeyDigest};
pub use delays::Delays;
pub use flow::{Flow, FlowRates, Kind};
pub use neighbourhood::{Neighbourhood, WIDER};
pub use operators::{NotLetIn, Operators};
pub use origin::Origin;
pub use rate::RateLimit;
pub use room::{NoPlace, Place, Room};
pub use tries::Tries;

use crate::domain::{ByteCount, ParticipantId, SessionCode};
use crate::protocol::limits;
use crate::server::cluster::Rates;
use bucket::Bucket;
use neighbourhood::ByAddress;
use std::sync::Arc;

/// What a participant may ask for in credentials. A page asks once in hours; this is room for reloads and for trouble, and for
/// credentials that live for half a minute: one request in 5 s, for ever.
pub const PARTICIPANT_RATE: RateLimit = RateLimit::of(60, 300);

/// How many checks of a connection all strangers together may begin in a day, all of them at once if need be: so many that
/// what they may send comes to half a percent of what may be relayed in a month. Whatever they make up is bounded by it too.
pub fn checks_a_day(limit: ByteCount) -> RateLimit {
    let share = limit.get() / 200 / limits::CHECK_BYTES;
    // One in five minutes is plenty, and a small budget has room for some all the same.
    RateLimit::of(u32::try_from(share.clamp(8, 288)).unwrap_or(8), 24 * 60 * 60)
}

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
    strangers: ByAddress,
    checks: ByAddress,
    all_checks: Bucket<()>,
    /// What all nodes count together, where there are several.
    all_nodes: Option<Rates>,
}

impl Guard {
    /// A guard that lets each stranger pass at this rate, and begin as many checks of their connection; all of them together
    /// begin no more than `checks`.
    pub fn new(strangers: RateLimit, checks: RateLimit) -> Self {
        Self {
            participants: Bucket::new(PARTICIPANT_RATE),
            strangers: ByAddress::new(strangers),
            checks: ByAddress::new(strangers),
            all_checks: Bucket::new(checks),
            all_nodes: None,
        }
    }

    /// The same, where other nodes admit people too. While they cannot be asked, what is counted here holds.
    #[must_use]
    pub fn among(self, all_nodes: Option<Rates>) -> Self {
        Self { all_nodes, ..self }
    }

    /// Counts a request and says whether it may pass.
    pub async fn admit(&self, caller: &Caller) -> Result<Allowance, TooMany> {
        match caller {
            Caller::Participant(code, participant) => {
                let here = self.participants.take(&(*code, *participant))?;
                let whose = || format!("{code} {participant}").into_bytes();
                self.at_all_nodes(here, ("participants", self.participants.rate()), whose).await
            }
            Caller::App(app) => {
                let here = app.admit()?;
                self.at_all_nodes(here, ("apps", app.rate()), || app.name().as_bytes().to_vec()).await
            }
            Caller::Stranger(address) => self.by_address(&self.strangers, "strangers", *address).await,
        }
    }

    /// Counts a check that is to begin, and says whether it may.
    pub async fn admit_check(&self, address: ClientAddress) -> Result<(), TooMany> {
        self.by_address(&self.checks, "checks", address).await?;
        let here = self.all_checks.take(&())?;
        self.at_all_nodes(here, ("all-checks", self.all_checks.rate()), Vec::new).await.map(drop)
    }

    /// A number that stands for an address in the books: at all nodes the same, and where there is one, until this process ends.
    pub fn pseudonym(&self, address: ClientAddress) -> u64 {
        address.pseudonym(self.all_nodes.as_ref())
    }

    /// Counts what comes from an address, and from around it.
    async fn by_address(&self, bucket: &ByAddress, what: &str, address: ClientAddress) -> Result<Allowance, TooMany> {
        let here = bucket.take(address)?;
        let own = self.at_all_nodes(here, (what, bucket.rate()), || address.bytes().to_vec()).await?;
        let (Some(neighbourhood), true) = (Neighbourhood::of(address), self.all_nodes.is_some()) else {
            return Ok(own);
        };
        let (what, rate) = (format!("{what}-around"), bucket.neighbourhoods_rate());
        own.within(self.at_all_nodes(own, (what.as_str(), rate), || neighbourhood.bytes().to_vec()).await)
    }

    /// Who may pass here is counted at all nodes.
    async fn at_all_nodes(
        &self,
        here: Allowance,
        (what, rate): (&str, RateLimit),
        whose: impl FnOnce() -> Vec<u8>,
    ) -> Result<Allowance, TooMany> {
        let Some(rates) = &self.all_nodes else { return Ok(here) };
        rates.take(what, &whose(), rate).await.unwrap_or(Ok(here))
    }

    /// Drops those who have not asked for so long that their buckets are full again. To be called now and then.
    pub fn forget_idle(&self) {
        self.participants.forget_idle();
        self.strangers.forget_idle();
        self.checks.forget_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[tokio::test]
    async fn a_participant_has_an_allowance_of_their_own() {
        let guard = Guard::new(RateLimit::of(1, 300), RateLimit::of(1, 300));
        let code = SessionCode::from_random(1);
        let (ada, ben) = (ParticipantId::from_random(1), ParticipantId::from_random(2));
        let stranger = Caller::Stranger(IpAddr::from([192, 0, 2, 1]).into());
        assert!(guard.admit(&stranger).await.is_ok() && guard.admit(&stranger).await.is_err());
        for _ in 0..PARTICIPANT_RATE.requests().get() {
            assert!(guard.admit(&Caller::Participant(code, ada)).await.is_ok());
        }
        assert!(guard.admit(&Caller::Participant(code, ada)).await.is_err());
        assert!(guard.admit(&Caller::Participant(code, ben)).await.is_ok());
    }

    #[tokio::test]
    async fn checks_are_counted_by_address_and_all_together() {
        let guard = Guard::new(RateLimit::of(2, 300), RateLimit::of(3, 86_400));
        let [ada, ben] = [1, 2].map(|last| ClientAddress::from(IpAddr::from([192, 0, 2, last])));
        assert!(
            guard.admit_check(ada).await.is_ok()
                && guard.admit_check(ada).await.is_ok()
                && guard.admit_check(ada).await.is_err()
        );
        assert!(guard.admit_check(ben).await.is_ok());
        let wait = guard.admit_check(ben).await.unwrap_err().retry_after;
        assert!(wait > std::time::Duration::from_hours(7), "the day's are used up: {wait:?}");
    }

    #[test]
    fn a_day_s_checks_are_a_small_part_of_the_month() {
        let of = |gb| checks_a_day(ByteCount::parse_gb(gb).unwrap()).requests().get();
        assert_eq!((of("0.02"), of("20"), of("1000")), (8, 16, 288));
    }
}
