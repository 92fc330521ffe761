//! The chain of a provider: its API, a credential, and every relay that the credential is for.

use super::{
    Doctor, Notes, Step, Subject, Trouble,
    clock::{self, Next, Trial},
    reach,
    visit::Visit,
};
use crate::{
    domain::{ProviderKind, UnixMillis},
    server::providers::{Grant, Login, Provider, Target, Way, Whom},
};
use reqwest::header;
use std::time::Duration;
use url::Url;

impl Doctor {
    pub(super) async fn examine_provider(&self, provider: &Provider, notes: &mut Notes<'_>) {
        let subject = Subject::Api { provider: provider.name().clone() };
        if let Some(api) = provider.api()
            && !self.examine_api(api, &subject, notes).await
        {
            return;
        }
        let Some(grant) = self.mint(provider, &subject, notes).await else { return };
        // One clock is enough to look at.
        let mut clock_is_known = provider.api().is_some();
        for target in grant.servers.targets() {
            let asked_for = (!clock_is_known && target.way != Way::Stun).then_some(provider);
            clock_is_known |= self.examine_relay(provider, &target, asked_for, notes).await;
        }
    }

    /// True if the chain goes on.
    async fn examine_api(&self, api: &Url, subject: &Subject, notes: &mut Notes<'_>) -> bool {
        let Some((host, port)) = place(api) else { return true };
        let addresses = match reach::resolve(&host, port).await {
            Ok(addresses) => addresses,
            Err(trouble) => {
                notes.failed(subject, Step::Name, trouble);
                return false;
            }
        };
        notes.passed(subject, Step::Name, &format!("{host} resolves"));
        let connection = match reach::connect(&addresses).await {
            Ok(connection) => connection,
            Err(trouble) => {
                notes.failed(subject, Step::Port, trouble);
                return false;
            }
        };
        notes.passed(subject, Step::Port, &format!("{port} answers over TCP"));
        if api.scheme() == "https" {
            let secured = reach::secure(connection, &host, &self.trust).await;
            if !notes.tell(subject, Step::Tls, secured.map(|_| "the certificate holds".to_owned())) {
                return false;
            }
        }
        let Some(theirs) = self.date_of(api).await else {
            notes.skipped(subject, Step::Clock, "the API tells no time");
            return true;
        };
        notes.tell(subject, Step::Clock, clock::by_date(self.clock.wall(), theirs))
    }

    /// The time that an answer of this API tells, whatever else it says.
    async fn date_of(&self, api: &Url) -> Option<UnixMillis> {
        let answer = self.http.head(api.clone()).send().await.ok()?;
        let date = answer.headers().get(header::DATE)?.to_str().ok()?;
        let millis = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
        u64::try_from(millis).ok().map(UnixMillis)
    }

    /// The provider's clock alone, as far as it can be told without a credential of its.
    pub(super) async fn examine_clock(&self, provider: &Provider, notes: &mut Notes<'_>) {
        let name = provider.name();
        if let Some(api) = provider.api() {
            if let Some(theirs) = self.date_of(api).await {
                let subject = Subject::Api { provider: name.clone() };
                notes.tell(&subject, Step::Clock, clock::by_date(self.clock.wall(), theirs));
            }
            return;
        }
        let first = Trial::FIRST.expires_at(self.clock.wall());
        let Some(signed) = provider.signed_until(first, Whom::stranger()) else { return };
        for target in signed.targets() {
            if target.way == Way::Stun {
                continue;
            }
            let Ok(visit) = Visit::resolve(&target, &self.trust).await else { continue };
            let subject = Subject::Relay { provider: name.clone(), url: target.url.clone(), way: target.way };
            match self.try_clock(Some(provider), &target, &visit).await {
                Some(Next::Agree(how)) => return notes.passed(&subject, Step::Clock, how),
                Some(Next::Differ { ours_ahead }) => {
                    return notes.failed(&subject, Step::Clock, Trouble::ClockOff { by: None, ours_ahead });
                }
                // Another way there may tell it.
                Some(Next::NotTold | Next::Try(_)) | None => {}
            }
        }
    }

    async fn mint(&self, provider: &Provider, subject: &Subject, notes: &mut Notes<'_>) -> Option<Grant> {
        match provider.mint(Whom::stranger(), provider.life(), &self.clock).await {
            Ok(grant) => {
                let relays = grant.servers.targets().iter().filter(|target| target.way != Way::Stun).count();
                let how = if provider.api().is_some() { "minted" } else { "made here" };
                notes.passed(
                    subject,
                    Step::Credential,
                    &format!("{how}, lives {}, {relays} relay addresses", long(grant.life())),
                );
                Some(grant)
            }
            Err(failure) => {
                notes.failed(subject, Step::Credential, Trouble::of_minting(&failure));
                None
            }
        }
    }

    /// One address of a set. `clock_of`: who can sign credentials for it that tell its time. True if the time was told.
    async fn examine_relay(
        &self,
        provider: &Provider,
        target: &Target,
        clock_of: Option<&Provider>,
        notes: &mut Notes<'_>,
    ) -> bool {
        let subject = Subject::Relay { provider: provider.name().clone(), url: target.url.clone(), way: target.way };
        let visit = match Visit::resolve(target, &self.trust).await {
            Ok(visit) => visit,
            Err(trouble) => {
                notes.failed(&subject, Step::Name, trouble);
                return false;
            }
        };
        notes.passed(&subject, Step::Name, &format!("{} resolves", target.host));
        let over = if matches!(target.way, Way::Udp | Way::Stun) { "UDP" } else { "TCP" };
        let port = visit.knock().await.map(|()| format!("{} answers over {over}", target.port));
        if !notes.tell(&subject, Step::Port, port) || target.way == Way::Stun {
            return false;
        }
        if target.way == Way::Tls {
            let held = visit.shake_hands().await.map(|()| "the certificate holds".to_owned());
            if !notes.tell(&subject, Step::Tls, held) {
                return false;
            }
        }
        let mut told = false;
        if let Some(next) = self.try_clock(clock_of, target, &visit).await {
            match next {
                Next::Agree(how) => notes.passed(&subject, Step::Clock, how),
                Next::Differ { ours_ahead } => {
                    notes.failed(&subject, Step::Clock, Trouble::ClockOff { by: None, ours_ahead });
                    return true;
                }
                // The allocation says what is wrong.
                Next::NotTold | Next::Try(_) => {}
            }
            told = !matches!(next, Next::NotTold | Next::Try(_));
        }
        let mut allocates = false;
        let mut tell = |step, ended: Result<String, Trouble>| {
            allocates |= step == Step::Allocation && ended.is_ok();
            notes.tell(&subject, step, ended);
        };
        visit.echo_twice(&mut tell).await;
        let may_have_v6 = visit.is_reached_over_v6() || provider.name().kind() == ProviderKind::Relay;
        if allocates && may_have_v6 {
            // Whoever has IPv6 alone needs it; everybody else goes on without, so that it is nothing to be mended.
            match visit.allocate_v6().await {
                Ok(_) => notes.passed(&subject, Step::Ipv6, "a relayed address of IPv6"),
                Err(trouble) => {
                    notes.skipped(&subject, Step::Ipv6, &format!("no relayed address of IPv6: {trouble}"));
                }
            }
        }
        told
    }

    /// What credentials tell of the relay's clock; `None` where nobody signs them here, or the relay fails otherwise.
    async fn try_clock(&self, provider: Option<&Provider>, target: &Target, visit: &Visit<'_>) -> Option<Next> {
        let mut trial = Trial::FIRST;
        loop {
            let expires_at = trial.expires_at(self.clock.wall());
            let signed = provider?.signed_until(expires_at, Whom::stranger())?;
            let taken = match visit.try_login(login_for(target, &signed)?).await {
                Ok(()) => true,
                Err(Trouble::Denied(super::turn::UNAUTHENTICATED)) => false,
                Err(_) => return None,
            };
            let next = trial.next(taken);
            let Next::Try(another) = next else { return Some(next) };
            trial = another;
        }
    }
}

/// The login that a set has for the same address.
fn login_for(target: &Target, set: &crate::server::providers::IceSet) -> Option<Login> {
    set.targets().into_iter().find(|other| other.url == target.url)?.login
}

/// Host and port of a URL, the host without brackets.
pub(super) fn place(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((host, url.port_or_known_default()?))
}

fn long(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 7_200 => format!("{} h", seconds / 3_600),
        seconds if seconds >= 120 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
