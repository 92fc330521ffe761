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

/// Brings the server's page to life: called by the script that `cargo leptos` writes.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    use leptos::prelude::*;

    browser::breakage::watch();
    leptos::mount::hydrate_body(|| {
        provide_context(browser::task::start());
        view! { <app::App /> }
    });
}
