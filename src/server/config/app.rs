//! Where the app listens and what it serves.

use super::values;
use crate::server::guard::Origin;
use axum_client_ip::ClientIpSource;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The app's own settings.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The app")]
pub struct AppConfig {
    /// Port to listen on; 0 takes any free one and says which.
    #[arg(long, env, default_value = "3001", value_parser = values::port)]
    pub port: u16,

    /// Address to listen on. The default is reachable from this machine only; 0.0.0.0 is every IPv4 address, :: every one.
    #[arg(long, env, default_value = "127.0.0.1", value_parser = values::host)]
    pub host: String,

    /// Public origin of the app, such as `https://tessro.example`. The only one whose pages may open the socket or read the
    /// API from elsewhere. Unset: pages from the address that the request itself names; over plain HTTP only where that is an IP
    /// address, `localhost`, or a name that nobody can own, such as `films.local`.
    #[arg(long, env, value_parser = values::origin)]
    pub client_url: Option<Origin>,

    /// Directory that keeps what has to outlive a restart.
    #[arg(long, env, default_value = "./data")]
    pub data_dir: PathBuf,

    /// What tells the address of a visitor: `ConnectInfo` (the connection itself), or behind a reverse proxy the header that it
    /// writes: `RightmostXForwardedFor`, `XRealIp`, `CfConnectingIp`, `TrueClientIp`, `FlyClientIp`, `CloudFrontViewerAddress`,
    /// `XEnvoyExternalAddress`.
    #[arg(long, env, default_value = "ConnectInfo", value_parser = values::client_ip_source)]
    pub client_ip_source: ClientIpSource,

    /// How many people a session holds, the host counted.
    #[arg(long, env, default_value = "8", value_parser = values::session_limit)]
    pub session_limit: usize,

    /// How long a session waits for its host after their line is gone, such as 90s, 5m or 1h. Guests are told meanwhile; after
    /// it the session is over.
    #[arg(long, env, default_value = "5m", value_parser = values::grace)]
    pub host_grace: Duration,

    /// File with the certificate, in PEM and with those between it and its root, for which the app speaks HTTPS by itself. Read
    /// again when it changes. Unset: HTTP, for behind a reverse proxy.
    #[arg(long, env)]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key, in PEM.
    #[arg(long, env)]
    pub tls_key: Option<PathBuf>,

    /// Directory with the built pages. Unset: `../site` beside the executable, else `site` beside it.
    #[arg(long, env)]
    pub site_root: Option<PathBuf>,

    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or one of them for a part alone, as in
    /// `info,tessro::server::signaling=debug`. Names and codes appear at debug.
    #[arg(long, env, default_value = "info", value_parser = values::log_filter)]
    pub rust_log: String,
}

impl AppConfig {
    /// The files of the certificate, where there is one.
    pub fn certificate(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// The directory with the built pages, given where the executable is.
    pub fn site_root(&self, executable: Option<&Path>) -> PathBuf {
        if let Some(set) = &self.site_root {
            return set.clone();
        }
        let Some(beside) = executable.and_then(Path::parent) else {
            return PathBuf::from("site");
        };
        let of_the_build = beside.parent().unwrap_or(beside).join("site");
        let installed = beside.join("site");
        if !of_the_build.is_dir() && installed.is_dir() { installed } else { of_the_build }
    }
}
