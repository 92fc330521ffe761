//! Requests a second over connections that stay open, beside an axum handler that does nothing.

use super::{
    Failure,
    crowds::float,
    print,
    servers::{Kind, Server},
};
use axum::{Router, routing::get};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tessro::{
    domain::Now,
    server::{
        clock::Clock,
        loadgen::{Crowd, Heard, Kind as Said, Participant, Person, Saying},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const CONNECTIONS: usize = 32;
const FOR: Duration = Duration::from_secs(4);
/// Each is measured so often, in turn.
const ROUNDS: usize = 3;

/// A participant may ask for credentials 60 times at once.
const OF_EACH: usize = 50;
const SESSIONS: u64 = 500;
const GUESTS: u64 = 7;

/// What each token in [`Bearer`] proves.
static TOKENS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A participant whose token is kept.
struct Bearer(Participant);

impl Person for Bearer {
    fn host(session: u64) -> Self {
        Self(Participant::host(session))
    }

    fn guest(&self, number: u64) -> Self {
        Self(self.0.guest(number))
    }

    fn path(&self) -> String {
        self.0.path()
    }

    fn enter(&mut self) -> Option<String> {
        self.0.enter()
    }

    fn hear(&mut self, text: &str, answers: &mut Vec<String>) -> Heard {
        let heard = self.0.hear(text, answers);
        if heard == Heard::Inside
            && let Some(token) = self.0.token()
        {
            TOKENS.lock().unwrap_or_else(PoisonError::into_inner).push(token.0.expose());
        }
        heard
    }

    fn within_reach(&self) -> usize {
        self.0.within_reach()
    }

    fn say(&mut self, kind: Said, sdp_bytes: usize, now: Now) -> Vec<Saying> {
        self.0.say(kind, sdp_bytes, now)
    }

    fn probe(&self) -> Option<String> {
        self.0.probe()
    }
}

/// Is the server that does nothing, for ever.
pub(super) async fn serve_nothing(port: u16) -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, Router::new().route("/", get(|| async {}))).await?)
}

pub(super) async fn measure() -> Result<(), Failure> {
    let (tessro, empty) = (Server::start(Kind::Tessro)?, Server::start(Kind::Empty)?);
    let (crowd, _) = Crowd::gather::<Bearer>(tessro.address, (SESSIONS, GUESTS), 32).await?;
    let tokens = std::mem::take(&mut *TOKENS.lock().unwrap_or_else(PoisonError::into_inner));
    let bearer = |token: &String| request("/api/turn-credentials", &format!("Authorization: Bearer {token}\r\n"));
    let credentials: Vec<_> = tokens.iter().map(bearer).collect();
    // Everybody asks once: from then on there is an answer that is kept.
    ask(tessro.address, &credentials, Some(1)).await?;
    let nothing = vec![request("/", "")];
    let status = vec![request("/api/bandwidth-status", "")];

    let runs = [
        (Kind::Empty.name(), &empty, &nothing, None),
        ("`/api/turn-credentials`, kept", &tessro, &credentials, Some(OF_EACH / ROUNDS)),
        ("`/api/bandwidth-status`", &tessro, &status, None),
    ];
    let mut sums = [Sum::default(); 3];
    for _ in 0..ROUNDS {
        for ((_, server, requests, of_each), sum) in runs.iter().zip(&mut sums) {
            let (clock, cpu) = (Clock::system(), server.process().cpu()?);
            let answers = ask(server.address, requests, *of_each).await?;
            sum.answers += answers;
            sum.time += clock.now().since(Now::default());
            sum.cpu += server.process().cpu()?.saturating_sub(cpu);
        }
    }
    crowd.disperse().await;
    print(
        "\n| 32 connections that stay open | requests/s | of the empty handler's | per CPU second of the server | of the empty handler's |",
    )?;
    print("|---|---|---|---|---|")?;
    let (pace, per_cpu) = (sums[0].pace(), sums[0].per_cpu());
    for ((name, ..), sum) in runs.iter().zip(sums) {
        let share = |part: f64, whole: f64| part / whole * 100.0;
        print(&format!(
            "| {name} | {:.0} | {:.0} % | {:.0} | {:.0} % |",
            sum.pace(),
            share(sum.pace(), pace),
            sum.per_cpu(),
            share(sum.per_cpu(), per_cpu)
        ))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    answers: u64,
    time: Duration,
    cpu: Duration,
}

impl Sum {
    fn pace(self) -> f64 {
        float(self.answers) / self.time.as_secs_f64()
    }

    fn per_cpu(self) -> f64 {
        float(self.answers) / self.cpu.as_secs_f64()
    }
}

fn request(path: &str, headers: &str) -> Arc<[u8]> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").into_bytes().into()
}

/// Sends these requests over all connections, one after the other, each so often or until the time is over; gives how many
/// were answered.
async fn ask(to: SocketAddr, requests: &[Arc<[u8]>], of_each: Option<usize>) -> Result<u64, Failure> {
    let mut connections = JoinSet::new();
    let clock = Clock::system();
    for connection in 0..CONNECTIONS {
        let own: Vec<_> = requests.iter().skip(connection).step_by(CONNECTIONS).cloned().collect();
        let own = if own.is_empty() { requests.to_vec() } else { own };
        let most = of_each.map_or(usize::MAX, |times| times * own.len());
        let clock = clock.clone();
        connections.spawn(async move {
            let mut stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            let (mut answers, mut answer) = (0, vec![0; 16 * 1024]);
            for request in own.iter().cycle().take(most) {
                if clock.now().since(Now::default()) >= FOR {
                    break;
                }
                stream.write_all(request).await?;
                read_answer(&mut stream, &mut answer).await?;
                answers += 1;
            }
            Ok::<u64, std::io::Error>(answers)
        });
    }
    let mut answers = 0;
    while let Some(answered) = connections.join_next().await {
        answers += answered??;
    }
    Ok(answers)
}

/// Reads one answer to its end, which has to be a good one.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    let (mut filled, bad) = (0, |what: &str| std::io::Error::other(what.to_owned()));
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        filled += read;
        if read == 0 {
            return Err(bad("a connection ended"));
        }
        let so_far = &buffer[..filled];
        let Some(head) = so_far.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&so_far[..head]).map_err(|_| bad("no text"))?;
        if !text.starts_with("HTTP/1.1 200") {
            return Err(bad(text));
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or_else(|| bad(text))?;
        if filled >= head + 4 + length.trim().parse::<usize>().map_err(|_| bad(text))? {
            return Ok(());
        }
    }
}
