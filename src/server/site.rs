//! The built pages, within the executable.
//!
//! `script/release` builds them first and then the server around them (feature `packed`), so that one file is all that goes to
//! another machine. It unpacks them into `DATA_DIR` when it starts, where whatever serves files finds them precompressed, as
//! it does in every other build. A folder belongs to one build: an upgrade brings its own, and takes away what others left.

use include_dir::{Dir, DirEntry};
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the folders' names begin with.
const NAME: &str = "site-";

/// The pages cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[error(
    "the pages within this executable cannot be unpacked to {folder}: {source}. Make the directory writable for the user that runs \
     Tessro and see that there are 10 MB left, or set DATA_DIR to another one"
)]
pub struct UnpackError {
    folder: PathBuf,
    source: io::Error,
}

/// Unpacks the pages, unless they are there, and says where.
pub fn unpack(pages: &Dir<'_>, data_dir: &Path) -> Result<PathBuf, UnpackError> {
    let folder = data_dir.join(format!("{NAME}{}", build(pages)));
    let unpacked = if folder.is_dir() { Ok(()) } else { unpack_to(pages, &folder) };
    unpacked.map_err(|source| UnpackError { folder: folder.clone(), source })?;
    forget_others(data_dir, &folder);
    Ok(folder)
}

/// The same for the same files.
fn build(pages: &Dir<'_>) -> String {
    fn read(entries: &[DirEntry<'_>], hash: &mut Sha256) {
        for entry in entries {
            hash.update(entry.path().as_os_str().as_encoded_bytes());
            hash.update(entry.as_file().map(include_dir::File::contents).unwrap_or_default());
            read(entry.children(), hash);
        }
    }
    let mut hash = Sha256::default();
    read(pages.entries(), &mut hash);
    let number = hash.finalize().iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{number:016x}")
}

/// Under another name until it is whole: whoever is stopped half-way leaves nothing that looks like pages.
fn unpack_to(pages: &Dir<'_>, folder: &Path) -> io::Result<()> {
    let begun = folder.with_file_name(format!("{NAME}unpacking-{}", std::process::id()));
    fs::create_dir_all(&begun)?;
    let moved = pages.extract(&begun).and_then(|()| fs::rename(&begun, folder));
    if moved.is_err() {
        // What is left of it is in nobody's way.
        let _left = fs::remove_dir_all(&begun);
    }
    // Another process of the same build was faster.
    if folder.is_dir() { Ok(()) } else { moved }
}

/// An older build that still runs has its files open no longer than a request lasts, and its pages reload once they miss one.
fn forget_others(data_dir: &Path, folder: &Path) {
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAME));
    for other in entries.map(|entry| entry.path()).filter(is_ours).filter(|path| path != folder) {
        if let Err(error) = fs::remove_dir_all(&other) {
            tracing::warn!(%error, "The pages of another build could not be deleted: delete what begins with {NAME} in DATA_DIR by hand");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use include_dir::include_dir;

    static ONE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/public");
    static NEXT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/deploy");

    #[test]
    fn pages_are_unpacked_once_and_an_upgrade_takes_those_of_others_away() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("usage.db"), "what was counted").unwrap();
        let folder = unpack(&ONE, data.path()).unwrap();
        assert_eq!(fs::read(folder.join("favicon.svg")).unwrap(), fs::read("public/favicon.svg").unwrap());
        fs::write(folder.join("mark"), "").unwrap();
        assert_eq!(unpack(&ONE, data.path()).unwrap(), folder);
        assert!(folder.join("mark").exists(), "they are there already");

        let upgraded = unpack(&NEXT, data.path()).unwrap();
        assert!(upgraded.join("proxies/Caddyfile").exists(), "folders too");
        assert!(!folder.exists() && data.path().join("usage.db").exists());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named_with_the_way_out() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("data");
        fs::write(&file, "").unwrap();
        let sentence = unpack(&ONE, &file).unwrap_err().to_string();
        assert!(sentence.contains(&file.display().to_string()) && sentence.contains("set DATA_DIR"), "{sentence}");
    }
}
