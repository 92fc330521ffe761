//! The app as a process of its own, under limits that a shell sets, and somebody at its socket.

use crate::{
    domain::{ConnectionId, SessionCode},
    protocol::{ClientMessage, ServerMessage, Signal, Snapshot, WireToken},
    server::{clock::Clock, config::Config, serve::Server},
    tests::app::install_ring,
};
use futures::{SinkExt as _, StreamExt as _};
use std::{
    collections::HashMap,
    ffi::OsString,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::{TcpSocket, TcpStream},
    process::{ChildStdout, Command},
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{self, protocol::Message},
};

const DATA: &str = "TESSRO_TEST_FAULTS_DATA";
const VARIABLES: &str = "TESSRO_TEST_FAULTS_VARIABLES";

/// Nothing by itself; what [`Child::start`] starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_serves_until_it_is_stopped() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let mut stop = signal(SignalKind::terminate()).unwrap();
    install_ring();
    let more = std::env::var(VARIABLES).unwrap_or_default();
    let mut set: HashMap<&str, OsString> =
        more.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name, value.into())).collect();
    set.extend([("PORT", "0".into()), ("TURN_RELAY", "off".into()), ("TURN_CHECK_EVERY", "off".into())]);
    set.extend([("PROVIDER_USAGE_EVERY", "off".into()), ("DATA_DIR", data)]);
    let (_, config) = Config::read(["tessro".into()], |name| set.get(name).cloned()).unwrap();
    let server = Server::start(config, Clock::system()).await.unwrap();
    writeln!(std::io::stdout(), "\nserves at {}", server.address()).unwrap();
    let stopped = async move {
        stop.recv().await;
    };
    server.run(stopped).await.unwrap();
}

/// The app in a process of its own, which ends with it.
pub(in crate::tests) struct Child {
    pub(in crate::tests) address: SocketAddr,
    process: tokio::process::Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts it in this directory after the shell has done what it is told.
    pub(in crate::tests) async fn start(data: &Path, shell: &str, variables: &[(&str, &str)]) -> Self {
        install_ring();
        let lines: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let test = "tests::faults::process::a_child_that_serves_until_it_is_stopped";
        let mut process = Command::new("sh")
            .args(["-c", &format!("{shell} exec \"$0\" --exact {test} --nocapture")])
            .arg(std::env::current_exe().unwrap())
            .env(DATA, data)
            .env(VARIABLES, lines.join("\n"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(address) = line.strip_prefix("serves at ") {
                    return address.parse().unwrap();
                }
            }
            panic!("it does not start")
        });
        Self { address: address.await.unwrap(), process, _lines: lines }
    }

    pub(in crate::tests) async fn guest(&self) -> Guest {
        Guest::at(self.address).await.unwrap()
    }

    /// The status that an address answers with.
    pub(in crate::tests) async fn get(&self, path: &str) -> u16 {
        self.ask(path).await.status().as_u16()
    }

    /// What the month has relayed.
    pub(super) async fn used(&self) -> u64 {
        let status: serde_json::Value = self.ask("/api/bandwidth-status").await.json().await.unwrap();
        status["bandwidthUsedBytes"].as_u64().unwrap()
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    /// From now on each flush to the disk waits for a second first, until what is given is dropped.
    pub(super) async fn slow_down_its_disk(&self) -> tokio::process::Child {
        let mut tracer = Command::new("strace")
            .args(["--follow-forks", "--trace=fsync,fdatasync", "--inject=fsync,fdatasync:delay_enter=1000000"])
            .args(["--output=/dev/null", "--attach", &self.process.id().unwrap().to_string()])
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("strace is needed ({error}): run script/bootstrap native"));
        let mut said = BufReader::new(tracer.stderr.take().unwrap()).lines();
        let attached = async {
            while let Some(line) = said.next_line().await.unwrap() {
                if line.contains("attached") {
                    return;
                }
            }
            panic!("strace cannot attach: the tests need the right to trace their own children");
        };
        timeout(Duration::from_secs(10), attached).await.unwrap();
        // Whoever says more must find somebody who reads.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        tracer
    }

    /// As a machine that loses power ends it.
    pub(in crate::tests) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// As an operator ends it; it leaves in good order.
    pub(in crate::tests) async fn stop(mut self) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let left = timeout(Duration::from_secs(15), self.process.wait()).await.unwrap().unwrap();
        assert!(left.success(), "{left}");
    }
}

/// Somebody at the socket.
pub(in crate::tests) struct Guest {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Guest {
    /// Somebody at the socket of this address; `None` where nobody answers there.
    pub(in crate::tests) async fn at(address: SocketAddr) -> Option<Self> {
        let opened = timeout(Duration::from_secs(10), connect_async(format!("ws://{address}/ws"))).await.unwrap();
        opened.ok().map(|(socket, _)| Self { socket })
    }

    /// The same for somebody whose address this is.
    pub(in crate::tests) async fn from(own: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((own, 0).into()).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(address).await.unwrap());
        let opened = timeout(Duration::from_secs(10), client_async(format!("ws://{address}/ws"), stream)).await;
        Self { socket: opened.unwrap().unwrap().0 }
    }

    pub(in crate::tests) async fn enter(&mut self, message: &ClientMessage) -> (WireToken, SessionCode) {
        self.say(message).await;
        let heard = timeout(Duration::from_secs(10), self.hear()).await.unwrap();
        let Some(ServerMessage::Welcome { token, snapshot, .. }) = heard else { panic!("{heard:?}") };
        (token, snapshot.code)
    }

    pub(in crate::tests) async fn say(&mut self, message: &ClientMessage) {
        self.tell(message).await.unwrap();
    }

    /// The same to a server that may be gone.
    pub(super) async fn tell(&mut self, message: &ClientMessage) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(serde_json::to_string(message).unwrap())).await
    }

    /// The guest is ready for a connection, and the host's offer reaches them.
    pub(in crate::tests) async fn offers_to(&mut self, guest: &mut Self, connection: ConnectionId) {
        guest.say(&ClientMessage::Ready { connection }).await;
        assert!(matches!(self.hear().await, Some(ServerMessage::Ready { .. })));
        let signal = Signal::Offer { sdp: "v=0".into(), generation: 0 };
        self.say(&ClientMessage::Signal { connection, signal }).await;
        assert!(matches!(guest.hear().await, Some(ServerMessage::Signal { .. })));
    }

    /// The next message that is no snapshot; `None` once the server has closed the line.
    pub(in crate::tests) async fn hear(&mut self) -> Option<ServerMessage> {
        loop {
            match self.receive().await {
                Ok(ServerMessage::Snapshot { .. }) => {}
                Ok(message) => return Some(message),
                Err(_) => return None,
            }
        }
    }

    /// Waits for a snapshot that shows this.
    pub(in crate::tests) async fn sees(&mut self, wanted: impl Fn(&Snapshot) -> bool) {
        let seen = async {
            loop {
                match self.receive().await {
                    Ok(ServerMessage::Snapshot { snapshot }) if wanted(&snapshot) => return,
                    Ok(_) => {}
                    Err(code) => panic!("closed with {code:?}"),
                }
            }
        };
        timeout(Duration::from_secs(10), seen).await.unwrap();
    }

    /// Waits until the server closes the line: with which code, where it said one.
    pub(in crate::tests) async fn closed(&mut self) -> Option<u16> {
        let closed = async {
            loop {
                if let Err(code) = self.receive().await {
                    return code;
                }
            }
        };
        timeout(Duration::from_secs(10), closed).await.unwrap()
    }

    async fn receive(&mut self) -> Result<ServerMessage, Option<u16>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}
