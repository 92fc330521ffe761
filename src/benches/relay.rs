//! What a packet costs the relay, and what it costs coturn: packets per second of processor time, in the same run.
//!
//! Each server is a process of its own whose processor time is read from `/proc`. Clients and peers are sockets on
//! loopback; one thread sends as fast as it can, another one receives and counts what came through. So what is measured is
//! the server's share alone, with the kernel's work that is done in its name, however busy the machine is otherwise. Packets
//! come one from each client in turn (`scattered`, the worst case for batches) or 16 at a time (`bursts`, a frame of a
//! film). Receivers take datagrams one by one: nothing is saved at their cost. Before that, what an allocation with a channel
//! takes of each server's memory, sockets in the kernel left out.
//!
//! `cargo bench --features ssr --bench relay -- [relay|coturn] [seconds]`

use mio::{Events, Interest, Poll, Token, net::UdpSocket as Pollable};
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    num::NonZero,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};
use stun_types::{
    attribute::{AttributeType, ErrorCode, Nonce, RawAttribute, Realm, Username},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageIntegrityCredentials, MessageWrite as _,
        MessageWriteExt as _, MessageWriteVec, Method,
    },
};
use tessro::{
    domain::{ParticipantId, SessionCode},
    server::{
        clock::Clock,
        relay::{Mint, PeerFilter, Quotas, Relay, Settings},
    },
};

const ALLOCATE: u16 = 3;
const CHANNEL_BIND: u16 = 9;
const CHANNEL: u16 = 0x4000;
const REALM: &str = "tessro";
const SIZES: [usize; 2] = [120, 1200];
const ALLOCATIONS: [usize; 4] = [1, 10, 100, 1000];
/// With how many allocations memory is looked at.
const HELD: usize = 1000;

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn main() -> Result<(), Failure> {
    // What cargo says to every harness.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "serve") {
        return serve();
    }
    let only = arguments.iter().find(|argument| argument.parse::<u64>().is_err());
    let seconds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(2);
    let mut out = std::io::stdout();
    writeln!(out, "resident memory of the server, in kB: before, with {HELD} allocations, and each of those")?;
    for kind in ["relay", "coturn"] {
        if only.is_some_and(|only| only != kind) {
            continue;
        }
        let Held { before, with } = Held::by(kind)?;
        let each = (with.saturating_sub(before) as f64) / HELD as f64;
        writeln!(out, "{kind:<7} {before:>8} {with:>8} {each:>8.1}")?;
    }
    writeln!(out)?;
    writeln!(out, "packets per second of the server's processor time, in thousands (share that came through)")?;
    writeln!(out, "server  direction pattern   bytes | {}", ALLOCATIONS.map(|count| format!("{count:>12}")).join(" "))?;
    for direction in [Direction::Up, Direction::Down] {
        for burst in [1, 16] {
            for size in SIZES {
                for kind in ["relay", "coturn"] {
                    if only.is_some_and(|only| only != kind) {
                        continue;
                    }
                    let name = if burst == 1 { "scattered" } else { "bursts" };
                    write!(out, "{kind:<7} {direction:<9?} {name:<9} {size:>5} |")?;
                    for allocations in ALLOCATIONS {
                        let run = Run { direction, burst, size, allocations, time: Duration::from_secs(seconds) };
                        let figure = run.measure(kind)?;
                        write!(
                            out,
                            " {:>6.0} ({:>2.0}%)",
                            figure.packets_per_cpu_second / 1e3,
                            figure.through * 100.0
                        )?;
                        out.flush()?;
                    }
                    writeln!(out)?;
                }
            }
        }
    }
    Ok(())
}

/// The relay by itself, until its input ends.
fn serve() -> Result<(), Failure> {
    let listen = ["127.0.0.1:0".parse()?];
    let threads = env::var("THREADS").ok().and_then(|text| text.parse().ok()).and_then(NonZero::new);
    let settings = Settings {
        realm: REALM.to_owned(),
        peers: PeerFilter::new().in_development(true),
        quotas: Quotas { per_participant: 10_000, per_address: 10_000, total: 10_000 },
        ..Settings::on(&listen)
    };
    let settings = Settings { threads: threads.unwrap_or(settings.threads), ..settings };
    let (mint, clock) = (Mint::new(b"bench"), Clock::system());
    let holder = mint.holder(SessionCode::from_random(1), ParticipantId::from_random(1));
    let credential = mint.issue(holder, clock.wall().plus(Duration::from_hours(1)));
    let relay = Relay::start(settings, mint, clock)?;
    let password = secrecy::ExposeSecret::expose_secret(&credential.password);
    writeln!(std::io::stdout(), "{} {} {password}", relay.udp()[0], credential.username)?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A server that runs, and how it is used.
struct Server {
    process: Child,
    address: SocketAddr,
    username: String,
    password: String,
}

impl Server {
    fn start(kind: &str) -> Result<Self, Failure> {
        if kind == "coturn" { Self::coturn() } else { Self::relay() }
    }

    fn relay() -> Result<Self, Failure> {
        let mut process =
            Command::new(env::current_exe()?).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().ok_or("the relay does not start");
        let (address, username, password) = (word()?.parse()?, word()?, word()?);
        Ok(Self { process, address, username, password })
    }

    fn coturn() -> Result<Self, Failure> {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let threads = env::var("THREADS").unwrap_or_else(|_| "2".to_owned());
        let process = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--lt-cred-mech", "--allow-loopback-peers"])
            .args(["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--realm", REALM, "--user", "bench:bench"])
            .args(["--listening-port", &port.to_string(), "--relay-threads", &threads])
            .args(["--min-port", "49152", "--max-port", "65535", "--log-file", "/dev/null", "--simple-log"])
            .args(["--pidfile", &format!("{}/turnserver-bench.pid", env::temp_dir().display())])
            .args(["--userdb", &format!("{}/turnserver-bench.db", env::temp_dir().display())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        thread::sleep(Duration::from_millis(700));
        let address = ([127, 0, 0, 1], port).into();
        Ok(Self { process, address, username: "bench".to_owned(), password: "bench".to_owned() })
    }

    /// The time that processors have spent on it so far.
    fn processor_time(&self) -> Result<f64, Failure> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// What of its memory is resident, in kB.
    fn resident(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        Ok(line.trim().trim_end_matches("kB").trim_end().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server's resident memory, in kB.
struct Held {
    /// Once it has served one client.
    before: u64,
    /// With [`HELD`] allocations more.
    with: u64,
}

impl Held {
    fn by(kind: &str) -> Result<Self, Failure> {
        let server = Server::start(kind)?;
        let peer = bound()?.local_addr()?;
        // What is made once is no allocation's.
        let _first = Client::connect(&server, peer)?;
        let before = server.resident()?;
        let clients = (0..HELD).map(|_| Client::connect(&server, peer)).collect::<Result<Vec<_>, _>>()?;
        let with = server.resident()?;
        drop(clients);
        Ok(Self { before, with })
    }
}

/// Where packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From clients to peers.
    Up,
    /// From peers to clients.
    Down,
}

/// What is measured.
struct Run {
    direction: Direction,
    burst: usize,
    size: usize,
    allocations: usize,
    time: Duration,
}

struct Figure {
    packets_per_cpu_second: f64,
    through: f64,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn measure(&self, kind: &str) -> Result<Figure, Failure> {
        let server = Server::start(kind)?;
        let peers = (0..self.allocations.div_ceil(100)).map(|_| bound()).collect::<Result<Vec<_>, _>>()?;
        let mut clients = Vec::new();
        for number in 0..self.allocations {
            let peer = peers[number % peers.len()].local_addr()?;
            clients.push(Client::connect(&server, peer)?);
        }
        let wrapped =
            [&CHANNEL.to_be_bytes(), &u16::try_from(self.size)?.to_be_bytes(), &vec![7; self.size][..]].concat();
        let mut sending: Vec<(UdpSocket, SocketAddr)> = Vec::new();
        let mut receiving = Vec::new();
        let packet = match self.direction {
            Direction::Up => {
                for client in clients {
                    sending.push((client.socket, server.address));
                }
                receiving.extend(peers);
                wrapped
            }
            Direction::Down => {
                for (number, client) in clients.into_iter().enumerate() {
                    sending.push((peers[number % peers.len()].try_clone()?, client.relayed));
                    receiving.push(client.socket);
                }
                vec![7; self.size]
            }
        };
        let (stop, sent, received) = (Arc::default(), Arc::default(), Arc::default());
        let counting = count(receiving, Arc::clone(&stop), Arc::clone(&received))?;
        let flooding = {
            let (stop, sent, burst) = (Arc::clone(&stop), Arc::clone(&sent), self.burst);
            thread::spawn(move || flood(&sending, &packet, burst, &stop, &sent))
        };
        thread::sleep(Duration::from_millis(300));
        let look = || -> Result<_, Failure> {
            Ok((server.processor_time()?, sent.load(Ordering::Relaxed), received.load(Ordering::Relaxed)))
        };
        let before = look()?;
        thread::sleep(self.time);
        let after = look()?;
        stop.store(true, Ordering::Relaxed);
        let _ = (flooding.join(), counting.join());
        let packets = (after.2 - before.2) as f64;
        Ok(Figure {
            packets_per_cpu_second: packets / (after.0 - before.0).max(0.01),
            through: packets / (after.1 - before.1).max(1) as f64,
        })
    }
}

fn flood(sockets: &[(UdpSocket, SocketAddr)], packet: &[u8], burst: usize, stop: &AtomicBool, sent: &AtomicU64) {
    while !stop.load(Ordering::Relaxed) {
        for (socket, to) in sockets {
            for _ in 0..burst {
                if socket.send_to(packet, to).is_ok() {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Receives on all of these and counts.
fn count(
    sockets: Vec<UdpSocket>,
    stop: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
) -> Result<thread::JoinHandle<()>, Failure> {
    let mut poll = Poll::new()?;
    let mut pollable = Vec::new();
    for (number, socket) in sockets.into_iter().enumerate() {
        socket.set_nonblocking(true)?;
        let mut socket = Pollable::from_std(socket);
        poll.registry().register(&mut socket, Token(number), Interest::READABLE)?;
        pollable.push(socket);
    }
    Ok(thread::spawn(move || {
        let mut events = Events::with_capacity(1024);
        let mut buffer = [0; 2048];
        while !stop.load(Ordering::Relaxed) {
            // It looks by itself, and sleeps by itself: waking it would be work in the server's name, and the more of it
            // the better the server keeps up.
            if poll.poll(&mut events, Some(Duration::ZERO)).is_err() || events.is_empty() {
                thread::sleep(Duration::from_micros(50));
            }
            for event in &events {
                while pollable[event.token().0].recv(&mut buffer).is_ok() {
                    received.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }))
}

fn bound() -> Result<UdpSocket, Failure> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20)?;
    Ok(socket)
}

/// A client with an allocation, and a channel to a peer.
struct Client {
    socket: UdpSocket,
    relayed: SocketAddr,
}

impl Client {
    fn connect(server: &Server, peer: SocketAddr) -> Result<Self, Failure> {
        let socket = bound()?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        let udp = RawAttribute::new(AttributeType::new(0x0019), &[17, 0, 0, 0]);
        let greeting = Message::builder_request(Method::new(ALLOCATE), MessageWriteVec::new());
        let greeting = with(greeting, &[&udp])?.finish();
        let refused = ask(&socket, server.address, &greeting)?;
        let refused = Message::from_bytes(&refused)?;
        let nonce = refused.attribute::<Nonce>()?.nonce().to_owned();
        let speaker = Speaker { server, nonce };
        let allocated = speaker.ask(&socket, ALLOCATE, &[&udp])?;
        let allocated = Message::from_bytes(&allocated)?;
        let relayed = unmask(&allocated.raw_attribute(AttributeType::new(0x0016)).ok_or("no address")?.value);
        let [high, low] = CHANNEL.to_be_bytes();
        let number = [high, low, 0, 0];
        let number = RawAttribute::new(AttributeType::new(0x000C), &number);
        let masked = mask(peer)?;
        let peer = RawAttribute::new(AttributeType::new(0x0012), &masked);
        speaker.ask(&socket, CHANNEL_BIND, &[&number, &peer])?;
        socket.set_read_timeout(None)?;
        Ok(Self { socket, relayed })
    }
}

struct Speaker<'a> {
    server: &'a Server,
    nonce: String,
}

impl Speaker<'_> {
    fn ask(&self, socket: &UdpSocket, method: u16, attributes: &[&RawAttribute<'_>]) -> Result<Vec<u8>, Failure> {
        let request = Message::builder_request(Method::new(method), MessageWriteVec::new());
        let mut request = with(request, attributes)?;
        request.add_attribute(&Username::new(&self.server.username)?)?;
        request.add_attribute(&Realm::new(REALM)?)?;
        request.add_attribute(&Nonce::new(&self.nonce)?)?;
        let key =
            LongTermKeyCredentials::new(self.server.username.clone(), self.server.password.clone(), REALM.to_owned());
        request.add_message_integrity(&MessageIntegrityCredentials::from(key), IntegrityAlgorithm::Sha1)?;
        let answer = ask(socket, self.server.address, &request.finish())?;
        match Message::from_bytes(&answer)?.attribute::<ErrorCode>() {
            Ok(error) => Err(format!("{} {}", error.code(), error.reason()).into()),
            Err(_) => Ok(answer),
        }
    }
}

fn with(mut message: MessageWriteVec, attributes: &[&RawAttribute<'_>]) -> Result<MessageWriteVec, Failure> {
    for attribute in attributes {
        message.add_attribute(*attribute)?;
    }
    Ok(message)
}

fn ask(socket: &UdpSocket, server: SocketAddr, request: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut buffer = [0; 1024];
    socket.send_to(request, server)?;
    let give_up = SystemTime::now() + Duration::from_secs(5);
    while SystemTime::now() < give_up {
        if let Ok(length) = socket.recv(&mut buffer) {
            return Ok(buffer[..length].to_vec());
        }
        socket.send_to(request, server)?;
    }
    Err("the server does not answer".into())
}

/// An IPv4 address as the XOR- attributes have it. See <https://www.rfc-editor.org/rfc/rfc8489#section-14.2>.
fn mask(address: SocketAddr) -> Result<[u8; 8], Failure> {
    let SocketAddr::V4(address) = address else {
        return Err("not an IPv4 address".into());
    };
    let mut masked = [0, 1, 0, 0, 0, 0, 0, 0];
    masked[2..4].copy_from_slice(&(address.port() ^ 0x2112).to_be_bytes());
    masked[4..].copy_from_slice(&(address.ip().to_bits() ^ 0x2112_A442).to_be_bytes());
    Ok(masked)
}

fn unmask(value: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let ip = u32::from_be_bytes([value[4], value[5], value[6], value[7]]) ^ 0x2112_A442;
    SocketAddrV4::new(ip.into(), port).into()
}
