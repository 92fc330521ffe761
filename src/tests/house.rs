//! The house stands as `lib.rs` says: imports point one way, and features are asked about at the front door only.

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

/// The rooms that a source names with `crate::`, alone or in braces, outside comments.
fn imports(source: &str) -> Vec<&'static str> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
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
