//! Behind the proxies whose settings stand in `deploy/proxies`, each of them real: pages, sockets, and whose address counts.

use super::{
    app::{Answer, TestApp},
    ports::free_port,
};
use crate::{
    protocol::{ClientMessage, ServerMessage},
    server::certificate::tests::write,
};
use futures::{SinkExt as _, StreamExt as _};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

/// A visitor at an address of their own; loopback has plenty.
const VISITORS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 7), Ipv4Addr::new(127, 0, 0, 8)];

/// A proxy with its settings as they stand in the repository, but for names, ports and the certificate.
struct Proxy {
    process: Child,
    address: SocketAddr,
    trust: Arc<rustls::ClientConfig>,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Asked first: who is killed leaves the processes that it has started. It may be gone already.
        let _asked = kill_process(Pid::from_child(&self.process), Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _killed = self.process.kill();
        let _status = self.process.wait();
    }
}

/// What a proxy needs to know.
struct Place {
    folder: PathBuf,
    listens: u16,
    certificate: PathBuf,
    key: PathBuf,
}

impl Proxy {
    /// `run` writes the file that the proxy reads, from the settings, and says how to start it. Ready once it answers.
    async fn start(file: &str, app: &TestApp, run: impl FnOnce(&str, &Place) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key, trust) = write(&folder);
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), free_port());
        let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/proxies").join(file);
        let settings = fs::read_to_string(settings).unwrap().replace("127.0.0.1:3001", &app.address().to_string());
        let place = Place { folder: folder.path().to_owned(), listens: address.port(), certificate, key };
        let mut command = run(&settings, &place);
        let process = command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process
            .unwrap_or_else(|error| panic!("{file} has nobody to read it ({error}): run script/bootstrap native"));
        let proxy = Self { process, address, trust, _folder: folder };
        for _ in 0..600 {
            if TcpStream::connect(address).await.is_ok() {
                return proxy;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{file} does not listen within half a minute");
    }

    /// A visitor asks, and pretends to be somebody else.
    async fn asked(&self, from: Ipv4Addr, path: &str, pretends: &str) -> Answer {
        let client = reqwest::Client::builder()
            .danger_accept_invalid_certs(true)
            .no_proxy()
            .local_address(IpAddr::V4(from))
            .resolve("tessro.example", self.address)
            .build()
            .unwrap();
        let request = client.get(format!("https://tessro.example:{}{path}", self.address.port()));
        let headers = ["x-forwarded-for", "x-real-ip", "forwarded"];
        let request = headers.into_iter().fold(request, |request, name| request.header(name, pretends));
        Answer::read(request.send().await.unwrap()).await
    }

    /// What the server says to somebody who creates a session over a socket.
    async fn heard(&self) -> ServerMessage {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let stream =
            TlsConnector::from(Arc::clone(&self.trust)).connect("localhost".try_into().unwrap(), stream).await.unwrap();
        let origin = format!("https://localhost:{}", self.address.port());
        let mut request = format!("wss://localhost:{}/ws", self.address.port()).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let create = ClientMessage::Create { name: None, password: None };
        socket.send(Message::text(serde_json::to_string(&create).unwrap())).await.unwrap();
        let message = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
        serde_json::from_str(message.unwrap().unwrap().to_text().unwrap()).unwrap()
    }
}

/// Where system programs are is not on everybody's PATH.
fn program(name: &str) -> Command {
    let system = Path::new("/usr/sbin").join(name);
    Command::new(if system.exists() { system.as_os_str() } else { name.as_ref() })
}

/// An app that believes the header of its proxy.
async fn app(source: &str) -> TestApp {
    TestApp::start(&[("CLIENT_IP_SOURCE", source), ("RATE_LIMIT_CREDENTIALS", "2/1h")]).await
}

/// Pages and sockets pass, and each visitor has an allowance of their own, whoever they pretend to be.
async fn serves(proxy: &Proxy) {
    let [one, another] = VISITORS;
    let page = proxy.asked(one, "/", "192.0.2.1").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<title>") && !page.header("content-security-policy").is_empty());
    assert!(!page.header("strict-transport-security").is_empty(), "it is told that the visitor came over TLS");
    let ask = async |from, pretends: &str| proxy.asked(from, "/api/turn-credentials", pretends).await.status;
    assert_eq!([ask(one, "192.0.2.1").await, ask(one, "192.0.2.2").await], [200, 200]);
    assert_eq!(ask(one, "192.0.2.3").await, 429, "another address in a header is no other visitor");
    assert_eq!(ask(another, "127.0.0.7").await, 200, "nor is anybody charged for somebody else");
    assert!(matches!(proxy.heard().await, ServerMessage::Welcome { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx() {
    let app = app("XRealIp").await;
    let plain = free_port();
    let proxy = Proxy::start("nginx.conf", &app, |settings, place| {
        let settings = settings
            .replace("listen 443 ssl", &format!("listen {} ssl", place.listens))
            // Not every machine that tests has IPv6.
            .replace("    listen [::]:443 ssl;\n", "")
            .replace("listen 80;", &format!("listen 127.0.0.1:{plain};"))
            .replace("    listen [::]:80;\n", "")
            .replace("/etc/letsencrypt/live/tessro.example/fullchain.pem", &place.certificate.display().to_string())
            .replace("/etc/letsencrypt/live/tessro.example/privkey.pem", &place.key.display().to_string());
        let whole = format!(
            "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path body;\n\
             proxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n{settings}}}\n"
        );
        fs::write(place.folder.join("nginx.conf"), whole).unwrap();
        let mut command = program("nginx");
        command.args(["-c", "nginx.conf", "-p"]).arg(&place.folder);
        command
    })
    .await;
    serves(&proxy).await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let asked = client.get(format!("http://127.0.0.1:{plain}/s/abc234?from=mail")).send().await.unwrap();
    let answer = Answer::read(asked).await;
    assert_eq!((answer.status, answer.header("location")), (308, "https://tessro.example/s/abc234?from=mail"));
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy() {
    let app = app("RightmostXForwardedFor").await;
    let proxy = Proxy::start("Caddyfile", &app, |settings, place| {
        let (certificate, key) = (place.certificate.display(), place.key.display());
        let own =
            format!("https://localhost:{0}, https://tessro.example:{0} {{\n\ttls {certificate} {key}", place.listens);
        let settings = settings.replace("tessro.example {", &own);
        fs::write(
            place.folder.join("Caddyfile"),
            format!("{{\n\tadmin off\n\tauto_https off\n\tdefault_sni localhost\n}}\n{settings}"),
        )
        .unwrap();
        let mut command = program("caddy");
        command
            .args(["run", "--config", "Caddyfile"])
            .env("XDG_DATA_HOME", &place.folder)
            .env("XDG_CONFIG_HOME", &place.folder);
        command
    })
    .await;
    serves(&proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy() {
    let app = app("RightmostXForwardedFor").await;
    let proxy = Proxy::start("haproxy.cfg", &app, |settings, place| {
        let both = [&place.certificate, &place.key].map(|file| fs::read_to_string(file).unwrap()).concat();
        let pem = place.folder.join("both.pem");
        fs::write(&pem, both).unwrap();
        let settings = settings
            .replace("bind :443", &format!("bind 127.0.0.1:{}", place.listens))
            .replace("/etc/haproxy/tessro.example.pem", &pem.display().to_string());
        fs::write(place.folder.join("haproxy.cfg"), settings).unwrap();
        let mut command = program("haproxy");
        command.args(["-db", "-f", "haproxy.cfg"]);
        command
    })
    .await;
    serves(&proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache() {
    let app = app("RightmostXForwardedFor").await;
    let proxy = Proxy::start("apache.conf", &app, |settings, place| {
        let settings = settings
            .replace("*:443", &format!("127.0.0.1:{}", place.listens))
            .replace("/etc/letsencrypt/live/tessro.example/fullchain.pem", &place.certificate.display().to_string())
            .replace("/etc/letsencrypt/live/tessro.example/privkey.pem", &place.key.display().to_string());
        let modules = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http", "headers"];
        let load = |name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let modules = modules.map(load).concat();
        let whole = format!(
            "ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile apache.pid\nErrorLog /dev/null\nServerName localhost\n\
             Listen 127.0.0.1:{}\n{modules}{settings}",
            place.listens,
            folder = place.folder.display()
        );
        fs::write(place.folder.join("apache.conf"), whole).unwrap();
        let mut command = program("apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(place.folder.join("apache.conf"));
        command
    })
    .await;
    serves(&proxy).await;
}
