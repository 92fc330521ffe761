//! `tessro doctor`: whether everything that a session needs works, step by step, and what to do where it does not.
//!
//! - [`step`], [`subject`]: what is checked, and of what. `trouble`, `advice`, `site`: what can be wrong, in words, and what to do. [`report`]: what is said.
//! - `reach`, `turn`, `leg`, `visit`: the way to a relay, and what is done there.
//! - `clock`: whether clocks agree. `relays`, `front`: the chains of steps, for providers and for this server.
//! - `proof`: how doctor and server know each other. [`rounds`]: the same checks in the running server, on a timer. [`checks`]:
//!   what they came to.
//!
//! A chain ends at its first failure, since each step needs those before it. Works with ICE servers, whoever minted them. Holds
//! credentials for as long as it uses them, and says none of them.

mod advice;
mod checks;
mod clock;
mod front;
mod leg;
pub mod proof;
mod reach;
mod relays;
pub mod report;
pub mod rounds;
mod site;
mod step;
mod subject;
mod trouble;
mod turn;
mod visit;

pub use checks::{Check, Checks};
pub use reach::Trust;
pub use report::{Finding, Outcome, Report};
pub use site::SiteTrouble;
pub use step::Step;
pub use subject::Subject;
pub use trouble::{Flaw, Trouble};

use self::{report::Cause, visit::Visit};
use super::{
    clock::Clock,
    config::Config,
    providers::{IceSet, Line, Provider, RelayDesk, StunUrls, Way},
    serve::relay::{NoRelay, OwnRelay},
};
use crate::domain::ProviderKind;
use std::{io::Write, process::ExitCode, time::Duration};

/// What one request to this server or to an API may take.
const REQUEST: Duration = Duration::from_secs(5);

/// Nothing is broken.
const ALL_WELL: u8 = 0;
/// Something is.
const SOMETHING_BROKEN: u8 = 1;
/// Nothing could be looked at.
pub const UNUSABLE: u8 = 2;

/// Why nothing can be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// There are no certificates to trust.
    #[error("HTTPS cannot be set up ({0}): install the system's CA certificates.")]
    Https(#[from] reqwest::Error),
    /// The same, a layer below.
    #[error("TLS cannot be set up ({0}): install the system's CA certificates.")]
    Tls(#[from] rustls::Error),
    /// The built-in relay was asked for and is not to be had.
    #[error("The built-in relay cannot run: {0}.")]
    Relay(#[from] NoRelay),
}

/// Whoever looks.
#[derive(Debug)]
pub struct Doctor {
    config: Config,
    providers: Vec<Provider>,
    /// Why the built-in relay stays off, if it does.
    relay_off_because: Option<String>,
    stun: StunUrls,
    trust: Trust,
    http: reqwest::Client,
    /// For the server's own address.
    http_from_within: reqwest::Client,
    clock: Clock,
}

impl Doctor {
    /// A doctor for what these settings describe, with the built-in relay where it can be had.
    pub fn new(config: Config, relay: Option<&RelayDesk>, trust: Trust, clock: Clock) -> Result<Self, DoctorError> {
        let providers = Provider::all(&config, relay, &clock)?;
        let stun = StunUrls::of(&config, relay);
        Ok(Self { providers, ..Self::of_a_server(config, stun, trust, clock)? })
    }

    /// The same with what there is to say of the built-in relay on this machine.
    pub fn beside(config: Config, relay: &OwnRelay, trust: Trust, clock: Clock) -> Result<Self, DoctorError> {
        let relay_off_because = relay.off_because().map(str::to_owned);
        Ok(Self { relay_off_because, ..Self::new(config, relay.desk().as_ref(), trust, clock)? })
    }

    /// One for a running server with these settings, its port among them. Its providers are told anew at each look: keys change.
    pub fn of_a_server(config: Config, stun: StunUrls, trust: Trust, clock: Clock) -> Result<Self, DoctorError> {
        let client = || {
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
            client.no_proxy().http1_only().timeout(REQUEST)
        };
        let http = client().tls_backend_preconfigured(trust.settings()).build()?;
        let http_from_within = client().danger_accept_invalid_certs(true).build()?;
        Ok(Self { config, providers: Vec::new(), relay_off_because: None, stun, trust, http, http_from_within, clock })
    }

    /// Looks at everything, and tells each step as it ends.
    pub async fn examine(&self, told: &mut (dyn FnMut(&Finding) + Send)) -> Vec<Finding> {
        let mut notes = Notes { findings: Vec::new(), told };
        for provider in &self.providers {
            self.examine_provider(provider, &mut notes).await;
        }
        if let Some(reason) = &self.relay_off_because {
            let subject = Subject::Api { provider: ProviderKind::Relay.into() };
            notes.skipped(&subject, Step::Credential, &format!("the built-in relay stays off: {reason}"));
        }
        self.examine_rest(&mut notes).await;
        notes.findings
    }

    /// Looks at what a running server has beside its relays: the clocks of these providers, STUN, and the way to the server.
    async fn look_around(&self, line: &Line) -> Vec<Finding> {
        let mut told = |_: &Finding| ();
        let mut notes = Notes { findings: Vec::new(), told: &mut told };
        for provider in line.providers() {
            self.examine_clock(provider, &mut notes).await;
        }
        self.examine_rest(&mut notes).await;
        notes.findings
    }

    async fn examine_rest(&self, notes: &mut Notes<'_>) {
        self.examine_stun(notes).await;
        self.examine_site(notes).await;
    }

    async fn examine_stun(&self, notes: &mut Notes<'_>) {
        let stun = IceSet::from(&self.stun);
        for target in stun.targets() {
            if target.way != Way::Stun {
                continue;
            }
            let subject = Subject::Stun { url: target.url.clone() };
            let visit = match Visit::resolve(&target, &self.trust).await {
                Ok(visit) => visit,
                Err(trouble) => {
                    notes.failed(&subject, Step::Name, trouble);
                    continue;
                }
            };
            notes.passed(&subject, Step::Name, "resolves");
            notes.tell(&subject, Step::Port, visit.knock().await.map(|()| "answers over UDP".to_owned()));
        }
    }
}

/// Looks at everything, prints it, and gives the code to leave with.
pub async fn run(config: Config, json: bool) -> Result<ExitCode, DoctorError> {
    let clock = Clock::system();
    // Lives while it is looked at.
    let relay = OwnRelay::beside(&config, &clock).await?;
    let doctor = Doctor::beside(config, &relay, Trust::system()?, clock)?;
    let mut told = |finding: &Finding| {
        // With JSON the output is the report alone, and whoever waits for it reads here.
        if json { say(&mut std::io::stderr(), finding) } else { say(&mut std::io::stdout(), finding) }
    };
    let findings = doctor.examine(&mut told).await;
    let report = Report::of(&findings);
    if json {
        say(&mut std::io::stdout(), &serde_json::json!(report));
    } else {
        say(&mut std::io::stdout(), &report);
    }
    Ok(ExitCode::from(if report.is_well() { ALL_WELL } else { SOMETHING_BROKEN }))
}

/// A reader that has gone away is no reason to stop: the exit code still tells.
fn say(out: &mut impl Write, line: &impl std::fmt::Display) {
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// What was found so far, told as it is found.
struct Notes<'a> {
    findings: Vec<Finding>,
    told: &'a mut (dyn FnMut(&Finding) + Send),
}

impl Notes<'_> {
    fn note(&mut self, subject: &Subject, step: Step, outcome: Outcome) {
        let finding = Finding { subject: subject.clone(), step, outcome };
        (self.told)(&finding);
        self.findings.push(finding);
    }

    fn passed(&mut self, subject: &Subject, step: Step, detail: &str) {
        self.note(subject, step, Outcome::Passed(detail.to_owned()));
    }

    fn skipped(&mut self, subject: &Subject, step: Step, why: &str) {
        self.note(subject, step, Outcome::Skipped(why.to_owned()));
    }

    fn failed(&mut self, subject: &Subject, step: Step, cause: impl Into<Cause>) {
        self.note(subject, step, Outcome::Failed(cause.into()));
    }

    /// Notes how a step ended; true if the chain goes on.
    fn tell<C: Into<Cause>>(&mut self, subject: &Subject, step: Step, ended: Result<String, C>) -> bool {
        match ended {
            Ok(detail) => self.passed(subject, step, &detail),
            Err(cause) => {
                self.failed(subject, step, cause);
                return false;
            }
        }
        true
    }
}
