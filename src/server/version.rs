//! Which Tessro this is.

use std::sync::LazyLock;

/// The version, and the commit where the build was told it (`TESSRO_COMMIT`): `0.1.0 (2f2dcda5a1b0)`. A commit that ends in
/// `-dirty` had changes that nobody committed.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| written(env!("CARGO_PKG_VERSION"), commit()));
    &VERSION
}

/// The commit that was built, where that is known.
pub fn commit() -> Option<&'static str> {
    told(option_env!("TESSRO_COMMIT"))
}

/// What was told; a build that is told an empty one is told none, as by a container's default.
fn told(commit: Option<&'static str>) -> Option<&'static str> {
    commit.filter(|commit| !commit.is_empty())
}

fn written(package: &str, commit: Option<&str>) -> String {
    match commit {
        Some(commit) => format!("{package} ({commit})"),
        None => package.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_stands_behind_the_version_where_it_is_known() {
        for (of_the_build, expected) in [
            (None, "0.1.0"),
            (Some(""), "0.1.0"),
            (Some("2f2dcda5a1b0"), "0.1.0 (2f2dcda5a1b0)"),
            (Some("2f2dcda5a1b0-dirty"), "0.1.0 (2f2dcda5a1b0-dirty)"),
        ] {
            assert_eq!(written("0.1.0", told(of_the_build)), expected);
        }
    }
}
