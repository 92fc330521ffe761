//! The files that the pages load, at an address that names their build.
//!
//! A page loads some of its parts late, and no part works with those of another build. So a page asks for all of them below
//! the address of its own build, and once the server has another one there is nothing there: the page says so, instead of
//! running one build's code with the other's.

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
    pub(super) fn root(&self) -> String {
        format!("/build/{}", self.build())
    }

    /// The same on every machine that has the same files.
    fn build(&self) -> String {
        let stamps = stamps(&self.0.folder);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Lets requests pass that are about the build that is here.
pub(super) async fn of_this_build(
    State(package): State<Package>,
    InPath(address): InPath<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    if address.get("build") == Some(&package.build()) {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}
