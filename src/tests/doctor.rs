//! The doctor against set-ups that work and set-ups that are broken, each built for real on loopback.

mod apis;
pub(super) mod coturn;
mod metrics;
mod own_relay;
mod proxy;
mod relays;
mod rounds;
mod site;
pub(super) mod tls;

use super::providers::{Variables, config};
use crate::server::{
    clock::Clock,
    doctor::{Doctor, Finding, Report, Step, Trust},
};
use std::sync::Mutex;

/// Looks at a set-up with these variables, and no STUN server beside it.
async fn examine_with(variables: &[(&'static str, &str)], trust: Trust, clock: Clock) -> Vec<Finding> {
    let mut set: Variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    for (name, value) in [("STUN_URLS", ""), ("DATA_DIR", "/proc/no-data-in-this-test")] {
        if set.iter().all(|(there, _)| *there != name) {
            set.push((name, value.to_owned()));
        }
    }
    let doctor = Doctor::new(config(&set), None, trust, clock).unwrap();
    let told = Mutex::new(Vec::new());
    let findings = doctor.examine(&mut |finding| told.lock().unwrap().push(finding.clone())).await;
    assert_eq!(told.into_inner().unwrap(), findings, "each is told as it is found");
    findings
}

async fn examine(variables: &[(&'static str, &str)]) -> Vec<Finding> {
    examine_with(variables, tls::nobody(), Clock::system()).await
}

/// The steps that are about providers.
fn of_providers(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.subject.provider().is_some()).collect()
}

/// The only step that failed for a provider, and the line that is printed of it.
fn broken(findings: &[Finding]) -> (Step, String) {
    only_failure(&of_providers(findings))
}

/// The only step that failed for the server itself.
fn broken_site(findings: &[Finding]) -> (Step, String) {
    only_failure(&findings.iter().filter(|finding| finding.subject.provider().is_none()).collect::<Vec<_>>())
}

fn only_failure(findings: &[&Finding]) -> (Step, String) {
    let failed: Vec<_> = findings.iter().filter(|finding| finding.is_failure()).collect();
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(failed.len(), 1, "{}", lines.join("\n"));
    let line = failed[0].to_string();
    assert!(line.starts_with("BROKEN ") && line.contains("What to do: "), "{line}");
    (failed[0].step, line)
}

/// All that anybody gets to read.
fn printed(findings: &[Finding]) -> String {
    let report = Report::of(findings);
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    format!("{}\n{report}\n{}", lines.join("\n"), serde_json::to_string(&report).unwrap())
}

#[track_caller]
fn assert_says(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "`{word}` is not said: {line}");
    }
}

#[tokio::test]
async fn the_report_says_the_same_to_people_and_to_programs() {
    let findings = examine(&[("COTURN_URLS", "turn:nowhere.invalid"), ("COTURN_SHARED_SECRET", "north")]).await;
    let report = Report::of(&findings);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((report.is_well(), &json["ok"], &json["failed"]), (false, &false.into(), &2.into()));
    let steps = json["steps"].as_array().unwrap();
    assert_eq!(steps.len(), findings.len());
    let expected = serde_json::json!({
        "provider": "coturn", "url": null, "step": "credential", "outcome": "passed",
        "detail": "made here, lives 24 h, 1 relay addresses", "advice": null,
    });
    assert_eq!(steps[0], expected);
    assert_eq!((&steps[1]["step"], &steps[1]["outcome"]), (&"name".into(), &"failed".into()));
    assert!(steps[1]["advice"].as_str().unwrap().contains("COTURN_URLS"));
    assert!(report.to_string().starts_with("2 of 3 steps are broken"), "{report}");
}
