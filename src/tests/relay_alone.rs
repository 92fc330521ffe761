//! The relay as a process of its own: led by its app while that runs, and going on without it.

use super::{
    app::{TestApp, config},
    participants::{Page, ask_as},
    ports::free_port,
    relay::{credential, eventually},
};
use crate::{
    domain::ByteCount,
    protocol::ClientMessage,
    server::{
        clock::Clock,
        relay::{
            Relay,
            tests::caller::{Caller, echo},
        },
        serve::RelayAlone,
    },
};
use std::{
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

/// The app's limit in most of these tests, in bytes; the relay's own setting is wider.
const LIMIT: u64 = 1_000_000;
const LIMITED: [(&str, &str); 1] = [("MONTHLY_BANDWIDTH_LIMIT_GB", "0.001")];

/// What may pass beyond a limit, in bytes.
const LAST_PACKETS: u64 = 16 * 1024;

struct Alone {
    relay: Weak<Relay>,
    stop: oneshot::Sender<()>,
    relaying: JoinHandle<()>,
}

impl Alone {
    async fn start(data: &TempDir, variables: &[(&str, &str)]) -> Self {
        let alone = RelayAlone::start(config(data, variables), Clock::system()).await.unwrap();
        let relay = Arc::downgrade(&alone.relay().unwrap());
        let (stop, stopped) = oneshot::channel();
        let relaying = tokio::spawn(alone.run(async { drop(stopped.await) }));
        Self { relay, stop, relaying }
    }

    fn relay(&self) -> Arc<Relay> {
        self.relay.upgrade().unwrap()
    }

    fn total(&self) -> u64 {
        self.relay().meter().total().get()
    }

    /// Waits until the app's limit is what holds.
    async fn is_led(&self) {
        eventually(|| self.relay().meter().left() <= ByteCount::new(LIMIT + LAST_PACKETS)).await;
    }

    /// Sends through it for as long as anything passes, and until it is clear that nothing more will.
    async fn exhaust(&self, caller: &mut Caller) {
        for _ in 0..40 {
            while self.total() < 2 * LIMIT && caller.passes(0x4000, &[7; 1000]) {}
            if self.total() >= LIMIT {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!caller.passes(0x4000, &[7; 1000]), "{} bytes have passed", self.total());
    }

    async fn stop(self) {
        drop(self.stop);
        self.relaying.await.unwrap();
    }
}

fn variables<'a>(port: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let place = [("TURN_RELAY", "external"), ("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"), ("TURN_RELAY_PORT", port)];
    [&place[..], &[("TURN_RELAY_DEVELOPMENT", "1")], more].concat()
}

async fn used(app: &TestApp) -> u64 {
    app.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"].as_u64().unwrap()
}

/// Waits until the books hold this much.
async fn books_hold(app: &TestApp, bytes: u64) {
    for _ in 0..500 {
        if used(app).await == bytes {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the books hold {} bytes and not {bytes}", used(app).await);
}

/// Somebody in a session, with a way to somebody who sends everything back.
async fn connected(app: &TestApp, peer: SocketAddr) -> (Page, Caller) {
    let (page, token, _) = Page::create(app).await;
    let (credential, udp, _) = credential(&ask_as(app, token).await.json());
    let mut caller = Caller::udp(udp, &credential);
    caller.allocate();
    assert_eq!(caller.bind(0x4000, peer), 0);
    (page, caller)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_cut_there_as_well_and_barred_even_after_it_was_started_anew() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let set = variables(&port, &[]);
    let relay_data = tempfile::tempdir().unwrap();
    let control = relay_data.path().join("relay.sock").display().to_string();
    let shared = [("TURN_RELAY_SECRET", "one-for-both"), ("TURN_RELAY_CONTROL", control.as_str())];
    let set = [&set[..], &shared].concat();
    let alone = Alone::start(&relay_data, &set).await;
    let app = TestApp::start_in(data, &set).await;
    let (mut host, host_token, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut leaving, leaving_token, _) = Page::enter(&app, &join).await;
    let mut callers = Vec::new();
    for token in [host_token, leaving_token] {
        let (credential, udp, _) = credential(&ask_as(&app, token).await.json());
        let mut caller = Caller::udp(udp, &credential);
        caller.allocate();
        callers.push((udp, credential, caller));
    }
    assert_eq!(alone.relay().allocations(), 2);

    leaving.say(&ClientMessage::Leave).await;
    eventually(|| alone.relay().allocations() == 1).await;
    let (udp, credential, _) = &callers[1];
    assert!(!Caller::udp(*udp, credential).is_served(), "nor do they get another one");
    assert!(callers[0].2.keeps_its_allocation());

    alone.stop().await;
    let alone = Alone::start(&relay_data, &set).await;
    let (udp, credential, _) = &callers[1];
    eventually(|| !Caller::udp(*udp, credential).is_served()).await;
    let (udp, credential, _) = &callers[0];
    assert!(Caller::udp(*udp, credential).is_served());
    host.say(&ClientMessage::Leave).await;
    eventually(|| alone.relay().allocations() == 0).await;
    app.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_relays_is_in_the_apps_books_and_what_it_relayed_without_the_app_as_well() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let set = variables(&port, &[]);
    let alone = Alone::start(&data, &set).await;
    let app = TestApp::start_in(data, &set).await;
    let (_page, mut caller) = connected(&app, echo("127.0.0.1:0")).await;
    let mut relay_some = || (0..10).for_each(|_| caller.round_trip(0x4000, &[7; 1000]));
    relay_some();
    books_hold(&app, 20_000).await;
    let data = app.stop().await;
    relay_some();
    let app = TestApp::start_in(data, &set).await;
    books_hold(&app, 40_000).await;
    relay_some();
    books_hold(&app, 60_000).await;
    assert!(caller.keeps_its_allocation(), "all of it was one call");
    app.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cut_at_the_apps_limit() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let alone = Alone::start(&data, &variables(&port, &[])).await;
    let app = TestApp::start_in(data, &variables(&port, &LIMITED)).await;
    let (_page, mut caller) = connected(&app, echo("127.0.0.1:0")).await;
    alone.is_led().await;
    alone.exhaust(&mut caller).await;
    assert!((LIMIT..=LIMIT + LAST_PACKETS).contains(&alone.total()), "{}", alone.total());
    books_hold(&app, alone.total()).await;
    app.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_relayed_their_part_is_cut_there_and_nobody_else() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let alone = Alone::start(&data, &variables(&port, &[])).await;
    let app = TestApp::start_in(data, &variables(&port, &[("PARTICIPANT_BANDWIDTH_LIMIT_GB", "0.001")])).await;
    let (_greedy_page, mut greedy) = connected(&app, echo("127.0.0.1:0")).await;
    let (_other_page, mut other) = connected(&app, echo("127.0.0.1:0")).await;
    for _ in 0..200_000 {
        if alone.relay().allocations() == 1 {
            break;
        }
        greedy.passes(0x4000, &[7; 1000]);
    }
    assert!(alone.relay().allocations() == 1 && alone.total() >= LIMIT, "{}", alone.total());
    assert!(!greedy.is_served(), "nor do they get another one");
    // What is dropped where the relay's bound was reached passes again from the next orders on.
    assert!((0..20).any(|_| other.passes(0x4000, &[7; 1000])));
    app.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_app_it_relays_what_the_app_had_left_and_no_more() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let alone = Alone::start(&data, &variables(&port, &[])).await;
    let app = TestApp::start_in(data, &variables(&port, &LIMITED)).await;
    let (_page, mut caller) = connected(&app, echo("127.0.0.1:0")).await;
    alone.is_led().await;
    caller.round_trip(0x4000, &[7; 1000]);
    let data = app.stop().await;
    alone.exhaust(&mut caller).await;
    assert!((LIMIT..=LIMIT + LAST_PACKETS).contains(&alone.total()), "{}", alone.total());
    let app = TestApp::start_in(data, &variables(&port, &LIMITED)).await;
    books_hold(&app, alone.total()).await;
    app.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_has_heard_of_an_app_it_relays_as_much_as_a_month_may_bring() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let alone = Alone::start(&data, &variables(&port, &LIMITED)).await;
    assert_eq!(alone.relay().meter().left(), ByteCount::new(LIMIT));
    alone.stop().await;
}
