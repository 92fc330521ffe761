//! The HTTP front door: pages, the API, and their way to the rest of the server.
//!
//! - [`router`]: every address, on one screen.
//! - [`edge`]: what makes server functions keep the API's contract.
//! - [`desk`]: who asks for credentials, and what they get. [`functions`]: what stands behind the server functions.
//! - [`turn_rest`]: the same credentials in the form that other people's apps speak. [`cors`]: whose pages may read them.
//! - [`document`]: what all of it looks like, for programs.
//! - [`beacon`]: the last report of a page that goes away.
//! - [`health`]: that the server serves. [`metrics`]: figures, and who may read them.
//! - [`check`]: what a check of a connection sent over relays.
//! - [`admin`]: the operator's page: what it is told, and what it may have done.
//! - [`crowd`]: what holds for every request. [`headers`]: what every answer tells the browser.
//! - [`package`]: the files that the pages load.
//!
//! Knows who calls and what is answered; refuses to know how credentials are minted or bytes are counted.

mod admin;
mod beacon;
mod check;
mod cors;
mod crowd;
mod desk;
mod document;
mod edge;
mod error;
pub mod functions;
mod headers;
mod health;
mod metrics;
mod package;
mod router;
mod turn_rest;

pub use desk::parameter;
pub use router::{addresses, app};

use super::{
    config::{AppConfig, MoneyConfig},
    doctor::Checks,
    guard::{ClientApps, Flow, Guard, Origin},
    metrics::Answers,
    operator::Operator,
    providers::{Grants, Voices},
    signaling::Sessions,
    usage::Usage,
};
use axum::extract::FromRef;
use axum_client_ip::ClientIpSource;
use leptos::config::{Env, LeptosOptions};
use std::{
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What requests need of the server. Every layer that a request passes has a clone of it, so all of it is shared.
#[derive(Clone)]
pub struct AppState(Arc<Needs>);

/// What requests need of the server.
pub struct Needs {
    /// Where the built pages are.
    pub leptos: LeptosOptions,
    /// Everyone who is connected.
    pub sessions: Sessions,
    /// The month's usage.
    pub usage: Usage,
    /// Credentials.
    pub grants: Grants,
    /// Who may ask for them.
    pub guard: Arc<Guard>,
    /// How often one address may ask for anything.
    pub flow: Arc<Flow>,
    /// Other people's apps that may ask as well.
    pub apps: ClientApps,
    /// What tells a visitor's address.
    pub client_ip_source: ClientIpSource,
    /// What callers of the credential API got so far.
    pub answers: Answers,
    /// What the checks in the background came to.
    pub checks: Checks,
    /// The operator's page.
    pub operator: Operator,
    /// What relays cost.
    pub money: MoneyConfig,
    /// What others than browsers count.
    pub voices: Voices,
    /// Where a doctor proves that it is ours.
    pub data_dir: PathBuf,
    /// The server speaks TLS itself.
    pub has_certificate: bool,
    /// The only origin whose pages may read the API from elsewhere.
    pub client_url: Option<Origin>,
}

impl From<Needs> for AppState {
    fn from(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }
}

impl Deref for AppState {
    type Target = Needs;

    fn deref(&self) -> &Needs {
        &self.0
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// Where leptos finds the built pages. Made from our own settings: its own way of configuring reads variables that no
/// `--help` of ours documents.
pub fn leptos_options(config: &AppConfig, executable: Option<&Path>, address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("tessro")
        .site_root(config.site_root(executable).display().to_string())
        .site_pkg_dir("pkg")
        .site_addr(address)
        // As in Cargo.toml, for `cargo leptos watch`.
        .reload_port(3002)
        .env(if cfg!(debug_assertions) { Env::DEV } else { Env::PROD })
        .build()
}
