//! What `docs/security.md`, `docs/faults.md` and `docs/several-machines.md` say is shown by a test is shown by one that exists.

use super::house::sources;
use std::{collections::BTreeMap, fs, path::Path};

const DOCUMENTS: [&str; 3] = ["docs/security.md", "docs/faults.md", "docs/several-machines.md"];

/// Rows of tables whose last column says what shows the rest.
fn rows(text: &str) -> Vec<&str> {
    let tables = text.split("\n\n").filter(|part| part.contains("| shown by |"));
    tables.flat_map(|table| table.lines().filter(|line| line.starts_with('|')).skip(2)).collect()
}

fn is_there(named: &str, sources: &BTreeMap<String, String>) -> bool {
    if named.starts_with("end2end/") {
        return Path::new(env!("CARGO_MANIFEST_DIR")).join(named).is_file();
    }
    let (module, test) = named.rsplit_once("::").unwrap_or(("", named));
    // Modules of tests may stand in the file that they test.
    let files = [module, module.strip_suffix("::tests").unwrap_or(module)].map(|path| path.replace("::", "/") + ".rs");
    files.iter().filter_map(|file| sources.get(file)).any(|source| source.contains(&format!("fn {test}(")))
}

#[test]
fn each_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: BTreeMap<_, _> = sources().into_iter().collect();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let rows = rows(&text);
        assert!(rows.len() >= 5, "{document} has tables that say what shows what");
        for row in rows {
            let shown_by = row.trim_end_matches(['|', ' ']).rsplit_once('|').unwrap().1;
            let named: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{document} does not say what shows this: {row}");
            for named in named {
                assert!(is_there(named, &sources), "{document} names {named}, which is not there");
            }
        }
    }
}
