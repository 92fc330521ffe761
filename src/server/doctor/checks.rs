//! What the running server's checks beside those of relays came to: one verdict on each thing, for `/metrics` and the log.
//!
//! A thing that could not be tried has no verdict. The log is told when one fails and when it passes again, and not at each
//! round. Knows nothing of how anything is checked.

use super::{
    report::{Finding, Outcome},
    step::Step,
    subject::Subject,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The clocks of this machine, and of providers and relays that tell theirs.
    Clock,
    /// The STUN servers that browsers are given.
    Stun,
    /// Data can be written.
    DataDirectory,
    /// The server answers at its own port.
    Server,
    /// The public address leads to this very server.
    PublicOrigin,
    /// A WebSocket can be opened there.
    WebSocket,
    /// What tells the address of visitors does, and nobody can forge it.
    ClientAddress,
}

impl Check {
    /// For labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Stun => "stun",
            Self::DataDirectory => "data_directory",
            Self::Server => "server",
            Self::PublicOrigin => "public_origin",
            Self::WebSocket => "web_socket",
            Self::ClientAddress => "client_address",
        }
    }

    /// Which one a finding belongs to; `None` for those of relays.
    const fn of(finding: &Finding) -> Option<Self> {
        match (&finding.subject, finding.step) {
            (_, Step::Clock) => Some(Self::Clock),
            (Subject::Stun { .. }, _) => Some(Self::Stun),
            (Subject::Site, Step::DataDirectory) => Some(Self::DataDirectory),
            (Subject::Site, Step::Server) => Some(Self::Server),
            // The way there is a part of it.
            (Subject::Site, Step::Name | Step::Port | Step::Tls | Step::PublicOrigin) => Some(Self::PublicOrigin),
            (Subject::Site, Step::WebSocket) => Some(Self::WebSocket),
            (Subject::Site, Step::ClientAddress) => Some(Self::ClientAddress),
            (
                Subject::Site,
                Step::Credential | Step::Allocation | Step::Permission | Step::Echo | Step::RelayedAddress | Step::Ipv6,
            )
            | (Subject::Api { .. } | Subject::Relay { .. }, _) => None,
        }
    }
}

/// The verdicts of the last round. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Checks(Arc<Mutex<Verdicts>>);

#[derive(Debug, Default)]
struct Verdicts {
    /// Of the last round: true where it passes.
    last: BTreeMap<Check, bool>,
    /// Those that failed when they were last tried, whichever round that was.
    failing: BTreeSet<Check>,
}

/// What is worth a line in the log.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Fails(Check, String),
    PassesAgain(Check),
}

impl Checks {
    /// Takes in the findings of a round, and says in the log what changed.
    pub fn note(&self, findings: &[Finding]) {
        let news = self.verdicts().hear(findings);
        for one in news {
            match one {
                News::Fails(check, why) => {
                    tracing::warn!(check = check.word(), "A check of this server fails ({why}). See `tessro doctor`");
                }
                News::PassesAgain(check) => {
                    tracing::info!(check = check.word(), "A check of this server passes again");
                }
            }
        }
    }

    /// What passes, and what does not.
    pub fn standing(&self) -> BTreeMap<Check, bool> {
        self.verdicts().last.clone()
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verdicts {
    fn hear(&mut self, findings: &[Finding]) -> Vec<News> {
        let mut verdicts = BTreeMap::<Check, Result<(), String>>::new();
        for finding in findings {
            let Some(check) = Check::of(finding) else { continue };
            match &finding.outcome {
                Outcome::Passed(_) => {
                    verdicts.entry(check).or_insert(Ok(()));
                }
                // Of several the first one is said.
                Outcome::Failed(_) => {
                    let verdict = verdicts.entry(check).or_insert(Ok(()));
                    if verdict.is_ok() {
                        *verdict = Err(finding.detail());
                    }
                }
                Outcome::Skipped(_) => {}
            }
        }
        self.last = verdicts.iter().map(|(check, verdict)| (*check, verdict.is_ok())).collect();
        let mut news = Vec::new();
        for (check, verdict) in verdicts {
            match verdict {
                Ok(()) if self.failing.remove(&check) => news.push(News::PassesAgain(check)),
                Err(why) if self.failing.insert(check) => news.push(News::Fails(check, why)),
                Ok(()) | Err(_) => {}
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::doctor::Trouble;

    fn finding(subject: Subject, step: Step, outcome: Outcome) -> Finding {
        Finding { subject, step, outcome }
    }

    fn passed() -> Outcome {
        Outcome::Passed(String::new())
    }

    fn failed() -> Outcome {
        Outcome::Failed(Trouble::Silent.into())
    }

    fn stun(outcome: Outcome) -> Finding {
        finding(Subject::Stun { url: "stun:relay.example".into() }, Step::Port, outcome)
    }

    #[test]
    fn one_failure_on_the_way_is_a_failure_and_what_was_not_tried_has_no_verdict() {
        let checks = Checks::default();
        let site = |step, outcome| finding(Subject::Site, step, outcome);
        let api = Subject::Api { provider: "cloudflare".parse().unwrap() };
        checks.note(&[
            finding(api.clone(), Step::Credential, failed()),
            finding(api, Step::Clock, passed()),
            stun(failed()),
            stun(passed()),
            site(Step::DataDirectory, passed()),
            site(Step::Server, passed()),
            site(Step::Name, passed()),
            site(Step::Port, failed()),
            site(Step::ClientAddress, Outcome::Skipped(String::new())),
        ]);
        let expected = [
            (Check::Clock, true),
            (Check::Stun, false),
            (Check::DataDirectory, true),
            (Check::Server, true),
            (Check::PublicOrigin, false),
        ];
        assert_eq!(checks.standing(), BTreeMap::from(expected));
        checks.note(&[site(Step::DataDirectory, failed())]);
        assert_eq!(checks.standing(), BTreeMap::from([(Check::DataDirectory, false)]));
    }

    #[test]
    fn a_change_is_news_once() {
        let mut verdicts = Verdicts::default();
        assert!(verdicts.hear(&[stun(passed())]).is_empty(), "that all is well at the start is none");
        assert_eq!(verdicts.hear(&[stun(failed())]), [News::Fails(Check::Stun, "no answer".into())]);
        assert!(verdicts.hear(&[stun(failed())]).is_empty());
        assert!(verdicts.hear(&[]).is_empty(), "it was not tried");
        assert_eq!(verdicts.hear(&[stun(passed())]), [News::PassesAgain(Check::Stun)]);
        assert!(verdicts.hear(&[stun(passed())]).is_empty());
    }
}
