//! A real relay, at a loopback address of its own.

use std::{
    fs,
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

pub(in crate::tests) const SECRET: &str = "north-north-north";

/// Ends with this.
pub(in crate::tests) struct Coturn {
    process: Child,
    pub(in crate::tests) address: Ipv4Addr,
    folder: TempDir,
}

/// An address that no other relay has, so that all of them have the same ports.
pub(in crate::tests) fn own_address() -> Ipv4Addr {
    Ipv4Addr::new(127, rand::random_range(1..=254), rand::random_range(1..=254), rand::random_range(2..=254))
}

/// As it should be, on UDP and TCP.
pub(in crate::tests) const PLAIN: &[&str] =
    &["use-auth-secret", "static-auth-secret=north-north-north", "allow-loopback-peers", "no-tls"];

impl Coturn {
    pub(in crate::tests) async fn start(settings: &[&str]) -> Self {
        Self::start_at(own_address(), settings).await
    }

    pub(in crate::tests) async fn start_at(address: Ipv4Addr, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let mut lines: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        lines.extend([
            format!("listening-ip={address}"),
            format!("relay-ip={address}"),
            "listening-port=3478".to_owned(),
            "tls-listening-port=5349".to_owned(),
            "min-port=50000".to_owned(),
            "max-port=50099".to_owned(),
            "realm=tessro.test".to_owned(),
            "no-dtls".to_owned(),
            // Loopback peers are refused without one.
            "cli-password=whispered".to_owned(),
            format!("cli-ip={address}"),
            "simple-log".to_owned(),
            "verbose".to_owned(),
            format!("log-file={}", file("log")),
            format!("pidfile={}", file("pid")),
            format!("userdb={}", file("db")),
        ]);
        fs::write(file("conf"), lines.join("\n") + "\n").unwrap();
        let mut command = Command::new("turnserver");
        command.args(["-c", &file("conf")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process =
            command.spawn().unwrap_or_else(|error| panic!("coturn is needed ({error}): run script/bootstrap"));
        let coturn = Self { process, address, folder };
        for _ in 0..200 {
            let log = coturn.log();
            let listens = |way: &str| log.contains(&format!("{way} listener opened on"));
            let expected = [("UDP", "no-udp"), ("TCP", "no-tcp")];
            if expected.iter().all(|(way, without)| settings.contains(without) || listens(way)) {
                return coturn;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("coturn did not come up: {}", coturn.log());
    }

    /// Every way that `PLAIN` has, with commas between.
    pub(in crate::tests) fn urls(&self) -> String {
        format!("turn:{0}:3478?transport=udp,turn:{0}:3478?transport=tcp", self.address)
    }

    pub(in crate::tests) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _gone = self.process.wait();
    }
}
