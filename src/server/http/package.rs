//! The files that the pages load, at an address that names their build.
//!
//! A page loads some of its parts late, and no part works with those of another build. So a page asks for all of them below
//! the address of its own build, and once the server has another one there is nothing there: the page says so, instead of
//! running one build's code with the other's.

use crate::app::FilesAt;
use axum::{
    extract::{Path as InPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use leptos::config::LeptosOptions;
use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// The built files. Cheap to clone.
#[derive(Clone)]
pub(super) struct Package(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    /// Read anew when a file has changed, as it does while somebody builds in place.
    known: Mutex<Option<(Vec<Stamp>, String)>>,
}

/// A file, and what changes when it is written.
type Stamp = (PathBuf, u64, Option<SystemTime>);

impl Package {
    pub(super) fn new(options: &LeptosOptions) -> Self {
        let folder = Path::new(&*options.site_root).join(&*options.site_pkg_dir);
        Self(Arc::new(Inner { folder, known: Mutex::default() }))
    }

    /// What the address of the files begins with, now.
    async fn root(&self) -> String {
        format!("/build/{}", self.build().await)
    }

    /// The same on every machine that has the same files. A disk may be slow, and nobody else waits for it.
    async fn build(&self) -> String {
        let inner = Arc::clone(&self.0);
        // Where the server stops meanwhile there is none.
        tokio::task::spawn_blocking(move || inner.build()).await.unwrap_or_default()
    }
}

impl Inner {
    fn build(&self) -> String {
        let stamps = stamps(&self.folder);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, build)) = known.as_ref().filter(|(read, _)| *read == stamps) {
            return build.clone();
        }
        let mut hasher = DefaultHasher::new();
        for (path, ..) in &stamps {
            path.file_name().hash(&mut hasher);
            fs::read(path).unwrap_or_default().hash(&mut hasher);
        }
        let build = format!("{:016x}", hasher.finish());
        *known = Some((stamps, build.clone()));
        build
    }
}

/// Code only: a stylesheet fits every build well enough.
fn stamps(folder: &Path) -> Vec<Stamp> {
    let code = |path: &Path| path.extension().is_some_and(|ending| ending == "js" || ending == "wasm");
    let stamp = |path: PathBuf| fs::metadata(&path).ok().map(|file| (path, file.len(), file.modified().ok()));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut stamps: Vec<_> = entries.map(|entry| entry.path()).filter(|path| code(path)).filter_map(stamp).collect();
    stamps.sort();
    stamps
}

/// Tells whoever renders a page where its files are, with [`FilesAt`] among what comes with the request.
pub(super) async fn tell_where(State(package): State<Package>, mut request: Request, next: Next) -> Response {
    let files = FilesAt(package.root().await);
    request.extensions_mut().insert(files);
    next.run(request).await
}

/// Lets requests pass that are about the build that is here.
pub(super) async fn of_this_build(
    State(package): State<Package>,
    InPath(address): InPath<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    if address.get("build") == Some(&package.build().await) {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{process::Command, thread, time::Duration};

    #[tokio::test]
    async fn while_the_files_are_read_nobody_else_waits() {
        let folder = tempfile::tempdir().unwrap();
        // What is read from it is there once somebody writes it.
        let slow = folder.path().join("slow.js");
        assert!(Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let package = Package(Arc::new(Inner { folder: folder.path().to_owned(), known: Mutex::default() }));
        // Were it read here, this would end here after all, and not well.
        let late = slow.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(20));
            let _nobody_reads = fs::write(late, "too late");
        });
        let asked = tokio::spawn(async move { package.root().await });
        tokio::task::yield_now().await;
        assert!(!asked.is_finished(), "this test went on only when the files had been read");
        tokio::task::spawn_blocking(move || fs::write(slow, "code")).await.unwrap().unwrap();
        let root = asked.await.unwrap();
        assert!(root.starts_with("/build/") && root.len() == "/build/".len() + 16, "{root}");
    }
}
