//! Every provider against a stand-in for its API: what it is asked, what is made of its answers, and every fault.

mod cloudflare;
mod faults;
mod made_up;
mod metered;
mod own_relay;
mod twilio;
mod xirsys;

use super::app::install_ring;
use crate::{
    domain::{ParticipantId, SessionCode, UnixMillis},
    server::{
        clock::Clock,
        config::Config,
        providers::{Grant, Provider, Whom},
    },
};
use serde_json::{Value, json};
use std::ffi::OsString;
use wiremock::{MockServer, Request};

/// Variables as they are set in a test.
pub(super) type Variables = Vec<(&'static str, String)>;

/// When all of it happens.
const WALL: UnixMillis = UnixMillis(1_800_000_000_000);

/// Settings with these variables and no others.
pub(super) fn config(variables: &Variables) -> Config {
    install_ring();
    let find = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
    Config::read(["tessro".into()], find).unwrap().1
}

/// The provider that these variables configure.
fn provider(variables: &Variables) -> (Provider, Clock) {
    let (clock, _) = Clock::by_hand(WALL);
    let mut all = Provider::all(&config(variables), None, &clock).unwrap();
    assert_eq!(all.len(), 1);
    (all.remove(0), clock)
}

fn whom() -> Whom {
    Whom::Participant((SessionCode::from_random(1), ParticipantId::from_random(2)))
}

/// What providers call them.
fn pseudonym() -> String {
    whom().pseudonym().to_string()
}

async fn mint(variables: &Variables) -> Result<Grant, String> {
    let (provider, clock) = provider(variables);
    provider.mint(whom(), provider.life(), &clock).await.map_err(|failure| failure.to_string())
}

/// What a browser would be given, as JSON.
fn servers(grant: &Grant) -> Value {
    serde_json::to_value(grant.servers.to_servers()).unwrap()
}

fn life(grant: &Grant) -> u64 {
    assert_eq!(grant.issued_at, WALL);
    grant.life().as_secs()
}

async fn requests(stand_in: &MockServer) -> Vec<Request> {
    stand_in.received_requests().await.unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Method, path and query.
fn target(request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A relay with a login.
fn relay(urls: &Value) -> Value {
    json!({"urls": urls, "username": "minted-username", "credential": "minted-credential"})
}
