//! The dashboard in `deploy/` asks for figures that there are.

use super::app::TestApp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What this server calls its own.
const PREFIX: &str = "tessro_";

/// Grafana's words for units that a panel may have.
const UNITS: [&str; 7] = ["decbytes", "percent", "short", "reqps", "s", "bool_yes_no", "currencyUSD"];

fn dashboard() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana-dashboard.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every panel, those in rows too.
fn panels(of: &Value) -> Vec<&Value> {
    let own = of["panels"].as_array().into_iter().flatten();
    own.flat_map(|panel| std::iter::once(panel).chain(panels(panel))).collect()
}

/// The names of ours in a query, each with the labels that it is picked by.
fn asked(query: &str) -> Vec<(String, BTreeSet<String>)> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(at) = rest.find(PREFIX) {
        let from = &rest[at..];
        let end = from.find(|letter| !is_name(letter)).unwrap_or(from.len());
        rest = &from[end..];
        let picked = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
        let labels =
            picked.split(',').filter_map(|part| part.split_once(['=', '!'])).map(|(label, _)| label.trim().to_owned());
        found.push((from[..end].to_owned(), labels.collect()));
    }
    found
}

/// The labels that a query sorts by, or a legend shows.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1).filter_map(|part| part.split(close).next());
    parts.flat_map(|part| part.split(',')).map(str::trim).collect()
}

/// What `/metrics` gives: each name, with the labels that any line of it has.
fn given(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut given = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
        let labels = labels.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label.to_owned());
        given.entry(name.to_owned()).or_default().extend(labels);
    }
    given
}

/// A server of which everything there is to tell has happened: its relay is tried, and gives credentials.
async fn figures() -> BTreeMap<String, BTreeSet<String>> {
    let relay = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", "0"), ("TURN_CHECK_EVERY", "1s")];
    let app = TestApp::start(&relay).await;
    app.get("/api/turn-credentials").await;
    for _ in 0..300 {
        let given = given(&app.get("/metrics").await.text);
        if ["tessro_relay_round_trip_seconds", "tessro_check"].iter().all(|name| given.contains_key(*name)) {
            return given;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the relay and the server are not tried");
}

#[tokio::test]
async fn every_figure_on_the_dashboard_is_one_that_the_server_gives() {
    let (given, dashboard) = (figures().await, dashboard());
    let mut queries = 0;
    for panel in panels(&dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap();
            let asked = asked(query);
            assert!(!asked.is_empty(), "{query} asks for nothing of ours");
            let mut sorted_by = between(query, "by (", ")");
            sorted_by.extend(between(target["legendFormat"].as_str().unwrap_or_default(), "{{", "}}"));
            for (name, picked_by) in asked {
                let Some(labels) = given.get(&name) else { panic!("{name} is not given: {:?}", given.keys()) };
                for label in picked_by.iter().map(String::as_str).chain(sorted_by.iter().copied()) {
                    assert!(labels.contains(label), "{name} has no {label} in {query}: {labels:?}");
                }
            }
            queries += 1;
        }
    }
    assert!(queries >= 12, "{queries} queries");
}

#[test]
fn every_panel_has_a_title_a_unit_a_query_and_a_number_of_its_own() {
    let dashboard = dashboard();
    for field in ["title", "uid", "schemaVersion"] {
        assert!(!dashboard[field].is_null(), "{field}");
    }
    let panels = panels(&dashboard);
    let mut numbers = BTreeSet::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap_or_default();
        assert!(!title.is_empty(), "{panel}");
        assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{title} has the number of another panel");
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
        assert!(UNITS.contains(&unit), "{title}: {unit}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title}");
        let letters: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert_eq!(letters.len(), targets.len(), "{title}: each query has a letter of its own");
        // Whoever imports it chooses the source.
        for source in targets.iter().map(|target| &target["datasource"]).chain([&panel["datasource"]]) {
            assert!(source.is_null() || source["uid"].as_str().unwrap().starts_with("${"), "{title}: {source}");
        }
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{title}: {place}");
    }
    assert!(panels.len() >= 12);
}
