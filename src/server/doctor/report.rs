//! What the doctor says: a line for each step as it ends, and the verdict.
//!
//! Pure: makes text and JSON of what was found.

use super::{site::SiteTrouble, step::Step, subject::Subject, trouble::Trouble};
use serde::Serialize;
use std::fmt;

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it was about.
    pub subject: Subject,
    /// Which step.
    pub step: Step,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a step ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All well, and what was seen.
    Passed(String),
    /// It could not be tried, and why; nothing is known to be wrong.
    Skipped(String),
    /// It failed, and the rest of its chain was not tried.
    Failed(Cause),
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Something about a network, a provider or a relay.
    Trouble(Trouble),
    /// Something about this server.
    Site(SiteTrouble),
}

impl From<Trouble> for Cause {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<SiteTrouble> for Cause {
    fn from(trouble: SiteTrouble) -> Self {
        Self::Site(trouble)
    }
}

impl Finding {
    /// What to do, where it failed.
    pub fn advice(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Failed(Cause::Trouble(trouble)) => Some(trouble.advice(self.step, &self.subject)),
            Outcome::Failed(Cause::Site(trouble)) => Some(trouble.advice()),
            Outcome::Passed(_) | Outcome::Skipped(_) => None,
        }
    }

    /// Whether something is broken.
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    pub(super) fn detail(&self) -> String {
        match &self.outcome {
            Outcome::Passed(detail) | Outcome::Skipped(detail) => detail.clone(),
            Outcome::Failed(Cause::Trouble(trouble)) => trouble.to_string(),
            Outcome::Failed(Cause::Site(trouble)) => trouble.to_string(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Passed(_) => "ok     ",
            Outcome::Skipped(_) => "skipped",
            Outcome::Failed(_) => "BROKEN ",
        };
        write!(f, "{mark}  {}  {}: {}", self.subject, self.step, self.detail())?;
        match self.advice() {
            Some(advice) => write!(f, ". What to do: {advice}."),
            None => Ok(()),
        }
    }
}

/// All of it, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Nothing is broken.
    ok: bool,
    /// How many steps failed.
    failed: usize,
    steps: Vec<StepReport>,
}

#[derive(Debug, Serialize)]
struct StepReport {
    /// `cloudflare:eu`, or `null` where it is about no provider.
    provider: Option<String>,
    url: Option<String>,
    step: Step,
    outcome: &'static str,
    detail: String,
    advice: Option<String>,
}

impl Report {
    /// The report on these findings, in their order.
    pub fn of(findings: &[Finding]) -> Self {
        let failed = findings.iter().filter(|finding| finding.is_failure()).count();
        let step = |finding: &Finding| StepReport {
            provider: finding.subject.provider().map(ToString::to_string),
            url: finding.subject.url().map(str::to_owned),
            step: finding.step,
            outcome: match finding.outcome {
                Outcome::Passed(_) => "passed",
                Outcome::Skipped(_) => "skipped",
                Outcome::Failed(_) => "failed",
            },
            detail: finding.detail(),
            advice: finding.advice(),
        };
        Self { ok: failed == 0, failed, steps: findings.iter().map(step).collect() }
    }

    /// Whether nothing is broken.
    pub fn is_well(&self) -> bool {
        self.ok
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, skipped) = (self.steps.len(), self.steps.iter().filter(|step| step.outcome == "skipped").count());
        let left_out = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        if self.ok {
            write!(f, "All is well: {} steps passed{left_out}.", steps - skipped)
        } else {
            write!(f, "{} of {steps} steps are broken{left_out}: what to do stands beside them.", self.failed)
        }
    }
}
