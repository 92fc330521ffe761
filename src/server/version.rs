//! Which Tessro this is.

use std::sync::LazyLock;

/// The version, and the commit where the build was told it (`TESSRO_COMMIT`): `0.1.0 (2f2dcda5a1b0)`. A commit that ends in
/// `-dirty` had changes that nobody committed.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match commit() {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    });
    &VERSION
}

/// The commit that was built, where that is known.
pub fn commit() -> Option<&'static str> {
    option_env!("TESSRO_COMMIT").filter(|commit| !commit.is_empty())
}
