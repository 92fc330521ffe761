//! A real Redis on a free port, which can be killed and started again.

use super::ports::free_port;
use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Has a password, as it should.
pub(crate) const PASSWORD: &str = "whispered-twice";

/// Ends with this.
pub(crate) struct Redis {
    process: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let redis = Self { process: run(port, &folder), port, folder };
        redis.is_up().await;
        redis
    }

    /// As a machine that loses power does it.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.process = run(self.port, &self.folder);
        self.is_up().await;
    }

    /// Where it is, for us.
    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Where it is, for coturn.
    pub(crate) fn statsdb(&self) -> String {
        format!("redis-statsdb=ip=127.0.0.1 dbname=0 password={PASSWORD} port={} connect_timeout=5", self.port)
    }

    async fn is_up(&self) {
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Redis did not come up");
    }
}

fn run(port: u16, folder: &TempDir) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", PASSWORD]);
    command.args(["--save", "", "--appendonly", "no", "--dir", &folder.path().display().to_string()]);
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    process.unwrap_or_else(|error| panic!("redis-server is needed ({error}): run script/bootstrap native"))
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _gone = self.process.wait();
    }
}
