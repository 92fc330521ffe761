//! coturn's own count over a real Redis, with traffic by coturn's client: what is heard is what coturn itself wrote into its
//! log, and what the client says that it sent and received.

use super::{super::redis::Redis, *};
use crate::{
    domain::{ParticipantId, SessionCode},
    server::{
        providers::{Grants, Near},
        usage::{Asker, Usage},
    },
    tests::{
        app::Log,
        doctor::coturn::{Coturn, PLAIN, SECRET},
    },
};
use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};
use tokio::net::UdpSocket;

/// What TURN adds to a packet: the header of `ChannelData`.
const HEADER: u64 = 4;

/// Allocating, refreshing, binding a channel and all answers to it, in one call.
const CONTROL: u64 = 5_000;

/// coturn, somebody who may relay, and us.
struct World {
    coturn: Coturn,
    listening: Listening,
    participant: ParticipantId,
    username: String,
    password: String,
    peer: SocketAddr,
}

impl World {
    /// With the Redis over which it is heard.
    async fn new() -> (Self, Redis) {
        let redis = Redis::start().await;
        let statsdb = redis.statsdb();
        let coturn = Coturn::start(&[PLAIN, &[statsdb.as_str()]].concat()).await;
        let variables = set(&[
            ("COTURN_URLS", &coturn.urls()),
            ("COTURN_SHARED_SECRET", SECRET),
            ("COTURN_REALM", "tessro.test"),
            ("COTURN_REDIS_URL", &redis.url()),
        ]);
        let config = config(&variables);
        let data = tempfile::tempdir().unwrap();
        let usage = Usage::open(data.path(), config.limits.all(), Clock::system()).unwrap();
        let grants = Grants::new(&config, None, usage, Clock::system()).unwrap();
        let participant = ParticipantId::from_random(0x51);
        let key = (SessionCode::from_random(5), participant);
        let asker = Asker::participant(participant, ParticipantId::from_random(1), 1);
        let answer = grants.for_participant(key, &asker, &Near::default()).await.unwrap();
        let login = answer.ice_servers.into_iter().find(|server| server.username.is_some()).unwrap();
        let (clock, hand) = Clock::by_hand(MIDDLE);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let tell = move |said| heard.lock().unwrap().push(said);
        let voices = Voices::start(&config, grants.known(), clock, tell).unwrap();
        let world = Self {
            coturn,
            listening: Listening { voices, said, hand },
            participant,
            username: login.username.unwrap(),
            password: login.credential.unwrap(),
            peer: echo().await,
        };
        (world, redis)
    }

    /// Has coturn's client send messages of 200 bytes to the peer, which sends them back; how many bytes it says that were sent
    /// and received in all.
    async fn talk(&self, messages: u32) -> u64 {
        let (address, messages) = (self.coturn.address.to_string(), messages.to_string());
        let (peer, port) = (self.peer.ip().to_string(), self.peer.port().to_string());
        let mut client = Command::new("turnutils_uclient");
        client.args(["-c", "-m", "1", "-l", "200", "-z", "1", "-n", &messages, "-p", "3478", "-e", &peer, "-r", &port]);
        client.args(["-u", &self.username, "-w", &self.password, &address]).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let last = |name: &str| -> u64 {
            let after = text.rsplit(name).next().unwrap_or_default();
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or_else(|_| panic!("no {name} in {text}"))
        };
        last("tot_send_bytes ~ ") + last("tot_recv_bytes ~ ")
    }

    /// The bytes that were told, and whom they were told of.
    fn heard(&self) -> (u64, Vec<Option<ParticipantId>>) {
        let relay = |said: &Said| match said {
            Said::Relay { provider, participant, bytes } => {
                assert_eq!(provider.to_string(), "coturn");
                Some((bytes.get(), *participant))
            }
            Said::Unheard { .. } | Said::Speaks { .. } | Said::Provider { .. } => None,
        };
        let said = self.listening.said();
        let (bytes, mut whom): (Vec<_>, Vec<_>) = said.iter().filter_map(relay).unzip();
        whom.dedup();
        (bytes.iter().sum(), whom)
    }

    fn speaks(&self) -> Vec<bool> {
        let speaks = |said: &Said| match said {
            Said::Speaks { speaks, .. } => Some(*speaks),
            Said::Relay { .. } | Said::Unheard { .. } | Said::Provider { .. } => None,
        };
        self.listening.said().iter().filter_map(speaks).collect()
    }

    /// What coturn wrote into its log of the client's side, once so many allocations are over.
    async fn logged(&self, over: usize) -> u64 {
        until("coturn is done", || {
            let log = self.coturn.log();
            let lines: Vec<_> = log.lines().filter(|line| line.contains(": usage: realm=")).collect();
            let field = |line: &str, name: &str| -> u64 {
                line.split(", ").find_map(|field| field.trim().strip_prefix(name)).unwrap().parse().unwrap()
            };
            let closed = log.lines().filter(|line| line.contains("delete: realm=")).count();
            (closed >= over).then(|| lines.iter().map(|line| field(line, "rb=") + field(line, "sb=")).sum())
        })
        .await
    }

    /// Waits until the bytes that were told stand still.
    async fn settled(&self) -> u64 {
        let mut before = None;
        loop {
            let (now, _) = self.heard();
            if before == Some(now) && now > 0 {
                return now;
            }
            before = Some(now);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// A peer that sends everything back.
async fn echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2_000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            drop(socket.send_to(&buffer[..length], from).await);
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_coturn_relays_is_heard_to_the_byte_and_whose_it_is() {
    let log = Log::listen();
    let (world, _redis) = World::new().await;
    world.listening.sees("nobody is heard yet", |state| state.voice == Voice::Listened { speaks: false }).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let messages = 3_000;
    let client = world.talk(messages).await;
    let heard = world.settled().await;
    assert_eq!(heard, world.logged(1).await, "what coturn says itself");
    // 200 bytes go and come in each; a header around each, and a little to allocate and refresh.
    let on_the_wire = client + client / 200 * HEADER;
    assert!(client > 2 * 200 * u64::from(messages) * 99 / 100, "{client}");
    assert!((on_the_wire..on_the_wire + CONTROL).contains(&heard), "{client} {heard}");
    assert_eq!(world.heard().1, [Some(world.participant)]);
    assert_eq!(world.speaks(), [true]);
    let state = world.listening.voices.states().remove(0);
    assert!(state.voice == Voice::Listened { speaks: true } && state.heard_at == Some(MIDDLE) && !state.is_failing);
    for secret in [crate::tests::redis::PASSWORD, SECRET, &world.password] {
        assert!(!log.text().contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_back_soon_costs_no_byte_and_doubles_none() {
    let (world, mut redis) = World::new().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        redis.kill();
        tokio::time::sleep(Duration::from_secs(2)).await;
        redis.start_again().await;
    };
    let (client, ()) = tokio::join!(world.talk(12_000), trouble);
    let heard = world.settled().await;
    assert_eq!(heard, world.logged(1).await, "what coturn says itself");
    assert!((client..client + client / 200 * HEADER + CONTROL).contains(&heard), "{client} {heard}");
    assert_eq!(world.speaks(), [true]);
    let state = world.listening.voices.states().remove(0);
    assert_eq!(state.voice, Voice::Listened { speaks: true });
    assert!(state.failure.unwrap().sentence.contains("Redis"), "what went wrong can still be read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_stays_away_coturn_does_not_speak_and_what_browsers_count_then_is_not_told_again() {
    let (world, mut redis) = World::new().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        redis.kill();
        world.listening.sees("it fails", |state| state.is_failing).await;
        let (before, _) = world.heard();
        world.listening.hand.advance(Duration::from_secs(11));
        until("it is said", || (world.speaks() == [true, false]).then_some(())).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(world.heard().0, before);
        redis.start_again().await;
        until("it is heard again", || (world.speaks() == [true, false, true]).then_some(())).await;
        before
    };
    let (_, before) = tokio::join!(world.talk(15_000), trouble);
    let (heard, logged) = (world.settled().await, world.logged(1).await);
    // What passed in those seconds is the browsers', and what came after them is coturn's again.
    assert!(before < heard && heard < logged, "{before} {heard} {logged}");
    assert_eq!(world.speaks(), [true, false, true]);

    // The next one is heard as ever, and reading the settings again is not noticed.
    let client = world.talk(3_000).await;
    let next = until("the next one ends", || {
        let next = world.heard().0 - heard;
        (next >= client + client / 200 * HEADER).then_some(next)
    });
    let next = next.await;
    assert!(next < client + client / 200 * HEADER + CONTROL, "{client} {next}");
    world.listening.voices.exchange(&config(&set(&[("STUN_URLS", "stun:own.example")]))).unwrap();
    until("nobody listens", || (world.speaks() == [true, false, true, false]).then_some(())).await;
}

#[tokio::test]
async fn a_redis_that_refuses_us_is_said_and_a_silent_one_does_not_speak() {
    let redis = Redis::start().await;
    let variables = |url: &str| {
        set(&[("COTURN_URLS", "turn:own.example"), ("COTURN_SHARED_SECRET", "s"), ("COTURN_REDIS_URL", url)])
    };
    let wrong = Listening::to(&variables(&redis.url().replace(crate::tests::redis::PASSWORD, "guessed")));
    let sentence = wrong.failure().await;
    assert!(sentence.contains("WRONGPASS") || sentence.to_lowercase().contains("password"), "{sentence}");
    assert!(sentence.contains("COTURN_REDIS_URL") && !sentence.contains("guessed"), "{sentence}");

    // Nobody publishes: browsers' reports have to count on.
    let silent = Listening::to(&variables(&redis.url()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(silent.said().is_empty() && wrong.said().is_empty());
    assert_eq!(silent.voices.states()[0].voice, Voice::Listened { speaks: false });
}
