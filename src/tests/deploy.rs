//! What is in `deploy/` says what the guides and the settings say. Proxies are tried in [`super::proxies`].

use std::{collections::BTreeSet, fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands behind a word on each line that has it.
fn behind(text: &str, word: &str) -> BTreeSet<String> {
    let found = text.lines().filter_map(|line| Some(line.split_once(word)?.1.trim().to_owned()));
    found.collect()
}

#[test]
fn the_composition_keeps_coturn_out_of_the_same_networks_as_the_guide() {
    let word = "denied-peer-ip=";
    let (composed, guide) = (behind(&read("deploy/compose.yaml"), word), behind(&read("docs/coturn.md"), word));
    assert!(composed.len() > 10 && composed == guide, "{:?}", composed.symmetric_difference(&guide));
}

#[test]
fn whatever_sets_a_variable_sets_one_that_there_is() {
    // Where the composition's own are, and Docker's.
    let others = ["DOMAIN", "PUBLIC_ADDRESS", "VALKEY_PASSWORD", "TESSRO_CACHE", "TESSRO_COMMIT"];
    let example = read(".env.example");
    let known = |name: &str| {
        others.contains(&name)
            || example.lines().any(|line| line.trim_start_matches('#').starts_with(&format!("{name}=")))
    };
    let is_name = |word: &&str| {
        word.len() > 3
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    };
    let mut seen = 0;
    for path in [
        "deploy/compose.yaml",
        "deploy/Dockerfile",
        "deploy/tessro.service",
        "deploy/tessro-relay.service",
        "deploy/proxies/nginx.conf",
        "deploy/proxies/Caddyfile",
        "deploy/proxies/haproxy.cfg",
        "deploy/proxies/apache.conf",
    ] {
        let text = read(path);
        // `NAME: value`, `NAME=value` and `${NAME}`.
        for line in text.lines() {
            let set = line.split([' ', '{', '"']).filter_map(|word| word.split_once([':', '=', '}']));
            for name in set.map(|(name, _)| name).filter(is_name) {
                assert!(known(name), "{path} speaks of {name}, which is no setting");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} names are too few: are they still written so?");
}
