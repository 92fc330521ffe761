//! The real app on a free port with a directory of its own, and a stand-in for Cloudflare's API.

use crate::server::{clock::Clock, config::Config, relay::Relay, serve::Server};
use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    ffi::OsString,
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// The token that the app under test has for Cloudflare. It must turn up nowhere but in the stand-in's requests.
pub(super) const API_TOKEN: &str = "api-token-0123456789";

/// A running app.
pub(super) struct TestApp {
    /// `http://127.0.0.1:PORT`, or `https:` where there is a certificate.
    pub(super) url: String,
    http: Client,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    data: Option<TempDir>,
    relay: Option<Weak<Relay>>,
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    /// Checks that it is an error in the API's form, and gives its code.
    pub(super) fn error_code(&self) -> String {
        let body = self.json();
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(!body["error"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
        body["code"].as_str().unwrap().to_owned()
    }
}

impl TestApp {
    /// Starts it with these variables set and no others, on a free port and with a fresh directory.
    pub(super) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), variables).await
    }

    /// Starts it with a directory that another one has used.
    pub(super) async fn start_in(data: TempDir, variables: &[(&str, &str)]) -> Self {
        Self::start_by(Clock::system(), data, variables).await
    }

    /// The same by a clock that a test may move.
    pub(super) async fn start_by(clock: Clock, data: TempDir, variables: &[(&str, &str)]) -> Self {
        let server = Server::start(config(&data, variables), clock).await.unwrap();
        Self::serve(server, data, variables)
    }

    /// Serves with one that was started with this directory and these variables.
    pub(super) fn serve(server: Server, data: TempDir, variables: &[(&str, &str)]) -> Self {
        let relay = server.relay().map(|relay| Arc::downgrade(&relay));
        let scheme = if variables.iter().any(|(name, _)| *name == "TLS_CERT") { "https" } else { "http" };
        let url = format!("{scheme}://{}", server.address());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            server.run(async { drop(stopped.await) }).await.unwrap();
        });
        // Whether a certificate is the right one is tested where it is read.
        let http = Client::builder()
            .danger_accept_invalid_certs(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { url, http, stop: Some(stop), running: Some(running), data: Some(data), relay }
    }

    /// For settings that it does not start with: what it says.
    pub(super) async fn refuses(variables: &[(&str, &str)]) -> String {
        Self::refuses_in(&tempfile::tempdir().unwrap(), variables).await
    }

    /// For a directory that it does not start with: what it says.
    pub(super) async fn refuses_in(data: &TempDir, variables: &[(&str, &str)]) -> String {
        match Server::start(config(data, variables), Clock::system()).await {
            Ok(_) => panic!("it starts"),
            Err(error) => error.to_string(),
        }
    }

    /// The built-in relay, while it runs.
    pub(super) fn relay(&self) -> Option<Arc<Relay>> {
        self.relay.as_ref()?.upgrade()
    }

    /// Starts it with a key for this stand-in.
    pub(super) async fn with_cloudflare(stand_in: &str, more: &[(&str, &str)]) -> Self {
        let mut variables = vec![
            ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
            ("CLOUDFLARE_TURN_API_TOKEN", API_TOKEN),
            ("CLOUDFLARE_TURN_API_BASE", stand_in),
        ];
        variables.extend(more);
        Self::start(&variables).await
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.url.split_once("://").unwrap().1.parse().unwrap()
    }

    pub(super) fn port(&self) -> u16 {
        self.address().port()
    }

    pub(super) fn data_dir(&self) -> String {
        self.data.as_ref().unwrap().path().display().to_string()
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Stops it as SIGTERM does, waits until it is gone, and gives the directory back.
    pub(super) async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        if let Some(running) = self.running.take() {
            tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
        }
        self.data.take().unwrap()
    }
}

/// These variables and no others, on a free port. Where nothing is said of the built-in relay there is none: on a machine
/// with a public address it would be open to the world while the tests run.
pub(super) fn config(data: &TempDir, variables: &[(&str, &str)]) -> Config {
    install_ring();
    let mut set: HashMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    set.entry("PORT".to_owned()).or_insert_with(|| "0".into());
    // Stand-ins count who asks them.
    set.entry("TURN_CHECK_EVERY".to_owned()).or_insert_with(|| "off".into());
    set.entry("PROVIDER_USAGE_EVERY".to_owned()).or_insert_with(|| "off".into());
    set.insert("DATA_DIR".to_owned(), data.path().into());
    if !set.keys().any(|name| name.starts_with("TURN_RELAY")) {
        set.insert("TURN_RELAY".to_owned(), "off".into());
    }
    Config::read(["tessro".into()], |name| set.get(name).cloned()).unwrap().1
}

/// A stand-in that answers every mint with `answer`.
pub(super) async fn cloudflare(answer: ResponseTemplate) -> MockServer {
    let stand_in = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/turn/keys/key-id/credentials/generate-ice-servers"))
        .respond_with(answer)
        .mount(&stand_in)
        .await;
    stand_in
}

/// What Cloudflare answers these days.
pub(super) fn minted() -> Value {
    json!({"iceServers": [
        {"urls": ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"]},
        {
            "urls": [
                "turn:turn.cloudflare.com:3478?transport=udp", "turn:turn.cloudflare.com:53?transport=udp",
                "turn:turn.cloudflare.com:3478?transport=tcp", "turns:turn.cloudflare.com:443?transport=tcp",
            ],
            "username": "minted-username",
            "credential": "minted-credential",
        },
    ]})
}

pub(super) fn install_ring() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Everything that this process has logged since the first call, by all tests together.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Starts to listen, at every level of ours.
    pub(super) fn listen() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let filter = EnvFilter::new("trace,hyper=info,h2=info");
            let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone()).try_init();
            log
        })
        .clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
