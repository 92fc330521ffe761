//! The pages: rendered on the server, brought to life in the browser.
//!
//! Views know one thing, the [`session::SessionHandle`] in their context, and read nothing else that differs between
//! server and browser: no storage, no clock, and no language but the one that [`language`] holds. So the server's HTML and the first rendering in the browser are
//! the same. Everything that people read stands in [`words`].

pub mod admin;
pub mod api;
pub mod charts;
pub mod chat;
pub mod check;
pub mod components;
pub mod device;
pub mod keys;
pub mod language;
pub mod pages;
pub mod player;
pub mod session;
pub mod words;

#[cfg(test)]
mod tests;

use components::Broken;
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};
use pages::{AdminRoute, CheckRoute, HomePage, LostPage, SessionRoute};
pub use pages::{LATE_STYLES, load_admin, load_check, load_session};
use wasm_split_helpers::SplitLoaderError;

/// What the address of the files of the server's build begins with; provided by the server.
#[derive(Debug, Clone, Default)]
pub struct FilesAt(pub String);

/// Shows [`Broken`] where the app's own file cannot be had, of which the app cannot tell. It takes this back when it begins.
const UNTIL_THE_APP_IS_THERE: &str =
    "onunhandledrejection = () => document.getElementById('broken')?.removeAttribute('hidden')";

/// The whole document around [`App`].
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let FilesAt(root) = use_context().unwrap_or_default();
    let language = language::use_language().get_untracked();
    view! {
        <!DOCTYPE html>
        <html lang=language.tag()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f6f3ee" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#121316" />
                <meta name="description" content=words::DESCRIPTION.to(language) />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link rel="stylesheet" id="leptos" href="/pkg/tessro.css" />
                <script nonce=use_nonce() inner_html=UNTIL_THE_APP_IS_THERE></script>
                <AutoReload options=options.clone() />
                <HydrationScripts options root />
                <leptos_meta::MetaTags />
            </head>
            <body>
                <App />
                <Broken />
            </body>
        </html>
    }
}

/// The pages by address. Those that are loaded late are sent whole: sent in parts, they are put together by a script that has no
/// nonce, which the policy of a page does not let run.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    session::provide_session();
    view! {
        <Title text="Tessro" />
        <Router>
            <Routes fallback=LostPage>
                <Route path=path!("/") view=HomePage />
                <Route path=path!("/admin") view={Lazy::<AdminRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/check") view={Lazy::<CheckRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/s/:code") view={Lazy::<SessionRoute>::new()} ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}

/// Waits until the page at this address is here. The server's HTML is brought to life in one go, before anything that it
/// shows can change: so this comes first.
pub async fn load(path: &str) -> Result<(), SplitLoaderError> {
    match path.trim_end_matches('/') {
        "/admin" => load_admin().await,
        "/check" => load_check().await,
        path if path.starts_with("/s/") => load_session().await,
        _ => Ok(()),
    }
}
