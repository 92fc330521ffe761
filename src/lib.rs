//! Tessro: a host picks a film on their own disk, guests open a link and watch it, browser to browser over WebRTC.
//!
//! # The house
//! - [`domain`]: the words of the product. No I/O, no clock, no framework.
//! - [`protocol`]: what crosses the wire between browser and server, with its limits.
//! - [`stream`]: what a browser decides, written without a browser (sans-IO).
//! - `app`: the pages, rendered on the server and brought to life in the browser.
//! - `browser`: the only users of `web_sys`; carries out what [`stream`] decides.
//! - `server`: signaling, credentials, usage and the HTTP front door.
//!
//! Imports point one way: `domain <- protocol <- stream <- app <- browser` and `domain <- protocol <- server`. The first
//! three rooms compile without any feature, so the compiler keeps frameworks out of them; `tests::house` checks the rest.

// Before the modules that use it. With the feature `split` and `cargo leptos build --split`, functions that are declared so
// come in a file of their own, which the start page does not load: it takes a build that is cut. Everywhere else they are
// plain functions of the same form, so that building while you write needs no switch.
#[cfg(feature = "split")]
macro_rules! part {
    (of $part:ident: $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty $body:block, loaded by $load:ident) => {
        #[wasm_split_helpers::wasm_split(
            $part,
            fallible,
            preload($load),
            return_wrapper(let done = _; { Ok(done) } -> Result<$output, wasm_split_helpers::SplitLoaderError>)
        )]
        $(#[$doc])*
        $vis fn $name($($arg: $type),*) -> $output $body
    };
}
#[cfg(all(any(feature = "ssr", feature = "hydrate"), not(feature = "split")))]
macro_rules! part {
    (of $part:ident: $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty $body:block, loaded by $load:ident) => {
        $vis fn $load() -> impl Future<Output = Result<(), wasm_split_helpers::SplitLoaderError>> {
            std::future::ready(Ok(()))
        }

        $(#[$doc])*
        $vis async fn $name($($arg: $type),*) -> Result<$output, wasm_split_helpers::SplitLoaderError> {
            $load().await?;
            Ok($body)
        }
    };
}

pub mod domain;
pub mod protocol;
pub mod stream;

#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod app;
#[cfg(feature = "hydrate")]
pub mod browser;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(all(test, feature = "ssr"))]
mod tests;

/// The built pages, where they were built into the executable.
#[cfg(feature = "packed")]
static PAGES: Option<include_dir::Dir<'_>> = Some(include_dir::include_dir!("$TESSRO_SITE"));
#[cfg(all(feature = "ssr", not(feature = "packed")))]
static PAGES: Option<include_dir::Dir<'_>> = None;

/// Brings the server's page to life, as soon as all of its parts are here: called by the script that `cargo leptos` writes.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    use leptos::prelude::*;

    browser::breakage::watch();
    wasm_bindgen_futures::spawn_local(async {
        if browser::start::ready().await {
            leptos::mount::hydrate_body(|| {
                provide_context(browser::language::start());
                provide_context(browser::start::start());
                provide_context(browser::check::start());
                provide_context(browser::admin::start());
                view! { <app::App /> }
            });
        }
    });
}
