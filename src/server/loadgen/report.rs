//! What a crowd saw, for people as a table and for programs as JSON.

use super::{
    board::Fared,
    crowd::{Joins, Storm},
    process::Memory,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What a crowd saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// How many sessions there were.
    pub sessions: u64,
    /// How many were inside at the end.
    pub inside: u64,
    /// How coming in went.
    pub joins: Joins,
    /// The server's memory before anybody came, and when all of them were there.
    pub memory: Option<[Memory; 2]>,
    /// How what was said fared, by kind.
    pub talk: BTreeMap<&'static str, Fared>,
    /// The server's processor time while they talked.
    pub server_cpu_seconds: Option<f64>,
    /// How each storm went.
    pub storms: Vec<Storm>,
    /// What the server refused, and how often.
    pub refused: BTreeMap<String, u64>,
}

impl LoadReport {
    /// Whether everything that was said arrived, and everybody is there.
    pub fn is_well(&self) -> bool {
        let arrived = self.talk.values().all(|fared| fared.arrived == fared.due);
        let back = self.storms.iter().all(|storm| storm.back == storm.people);
        arrived && back && self.inside == self.joins.people && self.refused.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Joins { people, seconds } = self.joins;
        let pace = ratio(people, seconds);
        writeln!(f, "{} sessions, {people} people in {seconds:.2} s: {pace:.0} joins/s", self.sessions)?;
        if let Some([empty, full]) = self.memory {
            let each = ratio(full.rss.saturating_sub(empty.rss), 1024.0 * ratio(people, 1.0));
            let [empty, rss, pss] = [empty.rss, full.rss, full.pss].map(|bytes| ratio(bytes, 1e6));
            writeln!(f, "memory: {rss:.1} MB resident ({pss:.1} MB PSS), {empty:.1} before: {each:.1} KiB each")?;
        }
        if !self.talk.is_empty() {
            let head = ["", "said", "arrived", "missing", "p50 ms", "p99 ms", "p99.9 ms", "most ms"];
            row(f, head.map(str::to_owned))?;
        }
        for (kind, fared) in &self.talk {
            let times =
                [fared.p50_us, fared.p99_us, fared.p999_us, fared.most_us].map(|us| format!("{:.2}", ratio(us, 1e3)));
            let [p50, p99, p999, most] = times;
            let missing = fared.due.saturating_sub(fared.arrived);
            let counts = [fared.said, fared.arrived, missing].map(|count| count.to_string());
            let [said, arrived, missing] = counts;
            row(f, [(*kind).to_owned(), said, arrived, missing, p50, p99, p999, most])?;
        }
        if let Some(cpu) = self.server_cpu_seconds {
            let arrived = self.talk.values().map(|fared| fared.arrived).sum();
            writeln!(f, "server: {cpu:.2} s of processor time, {:.0} messages per second of it", ratio(arrived, cpu))?;
        }
        for Storm { people, back, first_ms, half_ms, all_ms } in &self.storms {
            let when = format!("the first after {first_ms} ms, half after {half_ms} ms, the last after {all_ms} ms");
            writeln!(f, "storm: {back} of {people} came back, {when}")?;
        }
        for (why, times) in &self.refused {
            writeln!(f, "refused {times} times: {why}")?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, [kind, rest @ ..]: [String; 8]) -> fmt::Result {
    write!(f, "{kind:<8}")?;
    for cell in rest {
        write!(f, " {cell:>9}")?;
    }
    writeln!(f)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(part: u64, whole: f64) -> f64 {
    part as f64 / whole
}
