//! The house stands as `lib.rs` says: imports point one way, and features are asked about at the front door only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may import.
const ROOMS: [(&str, &[&str]); 6] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("stream", &["domain", "protocol"]),
    ("app", &["domain", "protocol", "stream"]),
    ("browser", &["domain", "protocol", "stream", "app"]),
    ("server", &["domain", "protocol"]),
];

/// Imports that a single file may have beyond its room's: where the server mounts the pages, where the bodies of the server
/// functions, which the browser's build drops, call the server, and where a crowd behaves as pages do.
const DOORS: [(&str, &str); 3] = [("server/http", "app"), ("app/api", "server"), ("server/loadgen", "stream")];

/// Who may name what makes several servers one, outside of `server/cluster`: where it is joined, what keeps a count of rates, and what
/// sessions and the books say to other servers. The books know no more than that each server has a name.
const DOORS_OF_THE_CLUSTER: [(&str, &[&str]); 8] = [
    ("server/serve.rs", &["Cluster", "ClusterError", "Rates", "Teller"]),
    ("server/guard.rs", &["Rates"]),
    ("server/guard/address.rs", &["Rates"]),
    ("server/guard/neighbourhood.rs", &["Rates"]),
    ("server/signaling/doorkeeper.rs", &["Rates"]),
    ("server/signaling/sessions.rs", &["Cluster", "Rates"]),
    ("server/signaling/shared", &["BEAT_EVERY", "Beat", "Cluster", "GONE_AFTER", "RunId", "Standing", "millis"]),
    ("server/usage", &["NodeName"]),
];

/// Who speaks to a Redis: servers that are one, sessions among them, and whoever hears coturn's statistics there. The settings look
/// whether an address is one.
const REDIS: [&str; 4] =
    ["server/cluster", "server/signaling/shared", "server/providers/usage", "server/config/secret.rs"];

pub(super) fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    assert!(found.len() > 40, "the sources are not where they should be");
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
    found.iter().map(|path| (path.strip_prefix(&root).unwrap().display().to_string(), text(path))).collect()
}

/// A source without its comments.
fn code(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a source names with `crate::`, alone or in braces, outside comments.
fn imports(source: &str) -> Vec<&'static str> {
    let code = code(source);
    let groups: Vec<_> = code.split("use crate::{").skip(1).filter_map(|rest| rest.split(';').next()).collect();
    let names = |room: &str| {
        code.contains(&format!("crate::{room}"))
            || groups.iter().any(|group| {
                let named = |before: &str| group.contains(&format!("{before}{room}::"));
                group.starts_with(&format!("{room}::")) || [" ", "\n", "{", ","].iter().any(|before| named(before))
            })
    };
    ROOMS.iter().map(|(room, _)| *room).filter(|room| names(room)).collect()
}

#[test]
fn imports_point_one_way() {
    for (path, source) in sources() {
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| path.starts_with(room)) else {
            continue;
        };
        for import in imports(&source) {
            let door = DOORS.iter().any(|(place, other)| path.starts_with(place) && *other == import);
            assert!(
                import == *room || allowed.contains(&import) || door,
                "src/{path} imports `{import}`, which `{room}` must not know"
            );
        }
    }
}

#[test]
fn features_are_asked_about_in_lib_only() {
    for (path, source) in sources() {
        if path == "lib.rs" || path.starts_with("tests") {
            continue;
        }
        let gate = source.lines().find(|line| line.contains("cfg(") && line.contains("feature"));
        assert_eq!(gate, None, "src/{path} asks about a feature; gates stand in lib.rs");
    }
}

#[test]
fn only_the_browser_room_uses_web_sys() {
    for (path, source) in sources() {
        let uses = source.contains("web_sys::");
        assert!(!uses || path.starts_with("browser") || path.starts_with("tests"), "src/{path} uses web_sys");
    }
}

/// What a source names of `server/cluster`, alone or in braces.
fn of_the_cluster(code: &str) -> BTreeSet<String> {
    let named = code.split("cluster::").skip(1).flat_map(|rest| {
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next(),
            None => rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next(),
        };
        names.unwrap_or_default().split(',')
    });
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Sources of the server, without those of the settings, whose own `cluster` says where servers meet, and of the cluster itself.
fn beside_the_cluster() -> impl Iterator<Item = (String, String)> {
    let sources = sources().into_iter().map(|(path, source)| (path, code(&source)));
    sources.filter(|(path, _)| {
        let own = ["server/cluster", "server/config", "tests"];
        own.iter().all(|room| !path.starts_with(room))
    })
}

#[test]
fn what_makes_several_servers_one_comes_in_by_its_doors_alone() {
    let mut used = BTreeMap::<&str, BTreeSet<String>>::new();
    for (path, code) in beside_the_cluster() {
        let names = of_the_cluster(&code);
        if names.is_empty() {
            continue;
        }
        let door = DOORS_OF_THE_CLUSTER.iter().find(|(door, _)| path.starts_with(door));
        let (door, allowed) =
            door.unwrap_or_else(|| panic!("src/{path} names {names:?} of the cluster, and is no door"));
        let beyond: Vec<_> = names.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(beyond.is_empty(), "src/{path} names {beyond:?} of the cluster, and {door} is no door for that");
        used.entry(*door).or_default().extend(names);
    }
    for (door, names) in DOORS_OF_THE_CLUSTER {
        let names: BTreeSet<_> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(used.get(door), Some(&names), "{door} is wider than what comes in by it");
    }
}

#[test]
fn a_redis_is_spoken_to_by_those_alone_who_have_one() {
    for (path, source) in sources() {
        let speaks = code(&source).contains("redis::") && !path.starts_with("tests");
        assert!(!speaks || REDIS.iter().any(|room| path.starts_with(room)), "src/{path} speaks to a Redis");
    }
}

/// Everything else of the cluster is made of one that was joined.
#[test]
fn nothing_is_joined_where_no_redis_was_set() {
    let before_its_tests = |code: &str| code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let joining = beside_the_cluster().filter(|(_, code)| before_its_tests(code).contains("Cluster::join("));
    let joining: Vec<_> = joining.collect();
    let [(path, code)] = joining.as_slice() else {
        panic!("the cluster is joined in {:?}", joining.iter().map(|(path, _)| path).collect::<Vec<_>>());
    };
    assert_eq!(path, "server/serve.rs");
    let arm = code.lines().find(|line| line.contains("Cluster::join(")).unwrap();
    assert!(arm.trim_start().starts_with("Some(meeting) =>"), "{arm}");
    assert!(code.contains("let cluster = match &config.cluster {"), "src/{path} decides otherwise");
}
