//! The servers, each a process of its own.

use super::Failure;
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tessro::server::loadgen::Process;

/// What this very program is asked to be.
pub(super) const EMPTY: &str = "empty";

/// The binary of this build.
const BUILT: &str = env!("CARGO_BIN_EXE_tessro");

const START_WITHIN: u32 = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// This one.
    Tessro,
    /// The relay in `end2end/load`.
    SocketIo,
    /// The npm package `peer`.
    PeerJs,
    /// The crate `matchbox_server`.
    Matchbox,
    /// An axum handler that does nothing.
    Empty,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tessro => "Tessro",
            Self::SocketIo => "socket.io relay",
            Self::PeerJs => "PeerJS server",
            Self::Matchbox => "matchbox_server",
            Self::Empty => "an empty axum handler",
        }
    }
}

/// A server that runs.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    kind: Kind,
    settings: &'static [(&'static str, &'static str)],
    process: Child,
    data: TempDir,
}

impl Server {
    pub(super) fn start(kind: Kind) -> Result<Self, Failure> {
        Self::start_with(kind, &[])
    }

    /// With settings beside those that all of them have.
    pub(super) fn start_with(kind: Kind, settings: &'static [(&'static str, &'static str)]) -> Result<Self, Failure> {
        // Free a moment ago, and nobody else takes ports here.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let data = tempfile::tempdir()?;
        let process = command(kind, address.port(), data.path())?.envs(settings.iter().copied()).spawn()?;
        let server = Self { address, kind, settings, process, data };
        server.wait()?;
        Ok(server)
    }

    pub(super) fn process(&self) -> Process {
        Process(self.process.id())
    }

    /// Tells it to stop, waits until it has, and starts it again with the same data.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        self.process.wait()?;
        let mut command = command(self.kind, self.address.port(), self.data.path())?;
        self.process = command.envs(self.settings.iter().copied()).spawn()?;
        self.wait()
    }

    fn wait(&self) -> Result<(), Failure> {
        for _ in 0..START_WITHIN {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        Err(format!("{} did not start within 10 s", self.kind.name()).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Where the others are installed.
pub(super) fn neighbours() -> Option<PathBuf> {
    env::var_os("NEIGHBOURS").map(PathBuf::from).filter(|folder| folder.is_dir())
}

fn command(kind: Kind, port: u16, data: &Path) -> Result<Command, Failure> {
    let installed = |path: &str| neighbours().map(|folder| folder.join(path)).ok_or("NEIGHBOURS names no folder");
    let port = port.to_string();
    let mut command = match kind {
        Kind::Tessro => {
            let mut command = Command::new(env::var_os("TESSRO").unwrap_or_else(|| BUILT.into()));
            command.env_clear().envs([("PORT", port.as_str()), ("TURN_RELAY", "off"), ("TURN_CHECK_EVERY", "off")]);
            command.envs([("COTURN_URLS", "turn:127.0.0.1:3478"), ("COTURN_SHARED_SECRET", "of-a-benchmark")]);
            // Counted as with the usual limit, and never reached.
            command.env("DATA_DIR", data).env("RATE_LIMIT_API", "1000000/1s");
            command
        }
        Kind::SocketIo => {
            let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end/load/socket_io.cjs");
            let mut command = Command::new("node");
            command.arg(fs::canonicalize(driver)?).env("PORT", port);
            command
        }
        Kind::PeerJs => {
            let mut command = Command::new("node");
            let program = installed("node_modules/peer/dist/bin/peerjs.js")?;
            command.arg(program).args(["--host", "127.0.0.1", "--port", &port, "--concurrent_limit", "100000"]);
            command
        }
        Kind::Matchbox => {
            let mut command = Command::new(installed("bin/matchbox_server")?);
            command.arg(format!("127.0.0.1:{port}")).env("RUST_LOG", "error");
            command
        }
        Kind::Empty => {
            let mut command = Command::new(env::current_exe()?);
            command.args([EMPTY, &port]);
            command
        }
    };
    command.current_dir(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}
