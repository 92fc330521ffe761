//! The built-in relay as part of the app: found by whoever asks for credentials, and let go with those who leave.

use super::{
    app::{Log, TestApp, cloudflare, config},
    participants::{Page, ask_as},
    ports::free_port,
};
use crate::{
    domain::UnixMillis,
    protocol::ClientMessage,
    server::{
        clock::Clock,
        relay::{Credential, tests::caller::Caller},
        serve::{RelayAlone, Server},
    },
};
use reqwest::Method;
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};
use wiremock::ResponseTemplate;

const PATH: &str = "/api/turn-credentials";
const DEVELOPMENT: [(&str, &str); 2] = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", "0")];

fn development(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&DEVELOPMENT[..], more].concat()
}

fn urls(answer: &Value) -> Vec<&str> {
    let servers = answer["iceServers"].as_array().unwrap();
    servers.iter().flat_map(|server| server["urls"].as_array().unwrap()).map(|url| url.as_str().unwrap()).collect()
}

/// Where the relay of an answer is over TLS.
pub(super) fn tls_url(answer: &Value) -> Option<String> {
    urls(answer).into_iter().find(|url| url.starts_with("turns:")).map(str::to_owned)
}

/// The credential of an answer, and where the relay is over UDP and TCP.
pub(super) fn credential(answer: &Value) -> (Credential, SocketAddr, SocketAddr) {
    assert_eq!((&answer["provider"], &answer["degraded"]), (&"relay".into(), &false.into()), "{answer}");
    let server = answer["iceServers"].as_array().unwrap().iter().find(|server| server["username"].is_string()).unwrap();
    let text = |name: &str| server[name].as_str().unwrap().to_owned();
    let (username, password) = (text("username"), text("credential").into());
    let place = |transport| {
        let url = urls(answer).into_iter().find(|url| url.starts_with("turn:") && url.ends_with(transport)).unwrap();
        url.trim_start_matches("turn:").trim_end_matches(transport).parse().unwrap()
    };
    let expires = UnixMillis(0);
    (Credential { username, password, expires }, place("?transport=udp"), place("?transport=tcp"))
}

/// Waits for something that others do.
pub(super) async fn eventually(done: impl Fn() -> bool) {
    for _ in 0..250 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_but_development_set_everyone_gets_a_relay_that_works() {
    let app = TestApp::start(&DEVELOPMENT).await;
    let answer = app.get(PATH).await.json();
    let (credential, udp, tcp) = credential(&answer);
    assert!(urls(&answer).len() <= 4 && urls(&answer)[0] == format!("stun:{udp}"), "{answer}");
    for mut caller in [Caller::udp(udp, &credential), Caller::tcp(tcp, &credential)] {
        assert!(caller.allocate().ip().is_loopback());
    }
    let another = app.get(PATH).await.json();
    assert_ne!(self::credential(&another).0.username, credential.username, "strangers have nothing in common");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_last_in_the_line_and_stands_in_for_the_others() {
    let stand_in = cloudflare(ResponseTemplate::new(401)).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &DEVELOPMENT).await;
    assert_eq!(app.get(PATH).await.json()["provider"], "relay");
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(super::app::minted())).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &DEVELOPMENT).await;
    assert_eq!(app.get(PATH).await.json()["provider"], "cloudflare");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_stops_only_who_asked_for_the_relay_by_name() {
    let log = Log::listen();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let here = [("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"), ("TURN_RELAY_PORT", port.as_str())];

    let app = TestApp::start(&[&here[..], &[("TURN_RELAY", "auto")]].concat()).await;
    assert_eq!(app.get(PATH).await.json()["reason"], "not_configured");
    let line =
        format!("The built-in relay stays off: TCP port {port} is taken, as by a coturn on this machine: stop it");
    assert!(log.text().contains(&line));

    let named = [&here[..], &[("TURN_PROVIDERS", "relay")]].concat();
    let sentence = TestApp::refuses(&named).await;
    assert!(sentence.starts_with("TURN_PROVIDERS names relay, and it cannot run: TCP port"), "{sentence}");

    let laptop = [&here[1..], &[("TURN_RELAY_DEVELOPMENT", "1")]].concat();
    let app = TestApp::start(&laptop).await;
    let answer = app.get(PATH).await.json();
    assert_ne!(credential(&answer).1.port().to_string(), port, "in development any other port will do");
    drop(held);
    let app = TestApp::start(&named).await;
    assert_eq!(credential(&app.get(PATH).await.json()).1.port().to_string(), port);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_others_would_share_in_silence_is_taken_as_well() {
    let app = TestApp::start(&DEVELOPMENT).await;
    let port = credential(&app.get(PATH).await.json()).1.port().to_string();
    let same = [("TURN_RELAY_PORT", port.as_str()), ("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_PROVIDERS", "relay")];
    let sentence = TestApp::refuses(&same).await;
    assert!(sentence.contains(&format!("UDP port {port} is taken")), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_outlive_a_restart_and_allocations_do_not() {
    let app = TestApp::start(&DEVELOPMENT).await;
    let (before, udp, _) = credential(&app.get(PATH).await.json());
    let mut caller = Caller::udp(udp, &before);
    caller.allocate();
    assert_eq!(app.relay().unwrap().allocations(), 1);
    let data = app.stop().await;
    assert!(UdpSocket::bind(udp).is_ok(), "it has let go of its port");

    let app = TestApp::start_in(data, &DEVELOPMENT).await;
    let (_, udp, _) = credential(&app.get(PATH).await.json());
    assert!(Caller::udp(udp, &before).is_served());
    let other = TestApp::start(&DEVELOPMENT).await;
    let (_, udp, _) = credential(&other.get(PATH).await.json());
    assert!(!Caller::udp(udp, &before).is_served(), "another server has another secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_a_secret_take_each_others_credentials() {
    let shared = development(&[("TURN_RELAY_SECRET", "one-for-both")]);
    let (one, other) = (TestApp::start(&shared).await, TestApp::start(&shared).await);
    let (credential_of_one, ..) = credential(&one.get(PATH).await.json());
    let (_, udp, _) = credential(&other.get(PATH).await.json());
    assert!(Caller::udp(udp, &credential_of_one).is_served());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_secret_is_changed_while_calls_go_on_and_the_old_one_is_taken_out_later() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let set = |secret| {
        let place =
            [("TURN_RELAY", "external"), ("TURN_RELAY_PUBLIC_ADDRESS", "127.0.0.1"), ("TURN_RELAY_PORT", &port)];
        config(&data, &[&place[..], &[("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_SECRET", secret)]].concat())
    };
    let alone = RelayAlone::start(set("north"), Clock::system()).await.unwrap();
    let server = Server::start(set("north"), Clock::system()).await.unwrap();
    let (relays, apps) = (alone.secrets(), server.relay_secrets());
    let url = format!("http://{}{PATH}", server.address());
    let (stop, stopped) = tokio::sync::watch::channel(());
    let ends = |mut stopped: tokio::sync::watch::Receiver<()>| async move { drop(stopped.changed().await) };
    let relaying = tokio::spawn(alone.run(ends(stopped.clone())));
    let serving = tokio::spawn(server.run(ends(stopped)));
    let ask = async || {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(&url).send().await.unwrap();
        credential(&serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    };

    let (before, udp, _) = ask().await;
    let mut caller = Caller::udp(udp, &before);
    caller.allocate();
    relays.exchange(&set("south,north")).unwrap();
    apps.exchange(&set("south,north")).unwrap();
    let (after, ..) = ask().await;
    assert!(Caller::udp(udp, &after).is_served(), "the new one signs");
    assert!(caller.keeps_its_allocation(), "what the old one signed is accepted");
    assert!(Caller::udp(udp, &before).is_served());
    relays.exchange(&set("south")).unwrap();
    assert!(Caller::udp(udp, &after).is_served() && !Caller::udp(udp, &before).is_served());
    drop(stop);
    relaying.await.unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_whoever_leaves_their_allocations_end_and_nobody_elses() {
    let app = TestApp::start(&DEVELOPMENT).await;
    let (mut host, host_token, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut leaving, leaving_token, _) = Page::enter(&app, &join).await;
    let (_removed, removed_token, _) = Page::enter(&app, &join).await;
    let mut callers = Vec::new();
    for token in [host_token, leaving_token, removed_token] {
        let (credential, udp, _) = credential(&ask_as(&app, token).await.json());
        let mut caller = Caller::udp(udp, &credential);
        caller.allocate();
        callers.push((udp, credential, caller));
    }
    let allocations = || app.relay().unwrap().allocations();
    assert_eq!(allocations(), 3);

    leaving.say(&ClientMessage::Leave).await;
    eventually(|| allocations() == 2).await;
    host.say(&ClientMessage::Remove { participant: removed_token.0.participant }).await;
    eventually(|| allocations() == 1).await;
    for (udp, credential, _) in &callers[1..] {
        assert!(!Caller::udp(*udp, credential).is_served(), "their credentials are of no use any more");
    }
    assert!(callers[0].2.keeps_its_allocation());

    host.say(&ClientMessage::Leave).await;
    eventually(|| allocations() == 0).await;
    let (udp, credential, _) = &callers[0];
    assert!(!Caller::udp(*udp, credential).is_served());
}

#[tokio::test(flavor = "multi_thread")]
async fn stun_is_the_own_relays_where_nothing_else_was_set() {
    let limit = ("MONTHLY_BANDWIDTH_LIMIT_GB", "0");
    let app = TestApp::start(&development(&[limit])).await;
    let refused = app.get(PATH).await.json();
    assert!(urls(&refused)[0].starts_with("stun:127.0.0.1:"), "{refused}");
    let app = TestApp::start(&development(&[limit, ("STUN_URLS", "stun:a.example")])).await;
    assert_eq!(urls(&app.get(PATH).await.json()), ["stun:a.example"]);
    let app = TestApp::start(&[]).await;
    assert_eq!(urls(&app.get(PATH).await.json()), ["stun:stun.cloudflare.com:3478"]);
}

/// Somebody who sends to a peer over the relay.
struct Sender {
    caller: Caller,
    credential: Credential,
    udp: SocketAddr,
}

impl Sender {
    /// With the credential of this answer.
    fn with(answer: &Value, peer: &UdpSocket) -> Self {
        let (credential, udp, _) = credential(answer);
        Self::at(udp, credential, peer)
    }

    fn at(udp: SocketAddr, credential: Credential, peer: &UdpSocket) -> Self {
        let mut caller = Caller::udp(udp, &credential);
        caller.allocate();
        caller.open_channel(peer.local_addr().unwrap());
        Self { caller, credential, udp }
    }

    /// Sends half a megabyte a second until the relay has no more allocations than this.
    async fn send_until_there_are(&mut self, allocations: u32, app: &TestApp) {
        for _ in 0..500 {
            if app.relay().unwrap().allocations() <= allocations {
                return;
            }
            self.caller.send(10);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody is cut");
    }

    /// Whether the credential is of any use.
    fn is_served(&self) -> bool {
        Caller::udp(self.udp, &self.credential).is_served()
    }
}

/// A stranger's or an app's answer.
async fn ask_with(app: &TestApp, name: &str, value: &str) -> Value {
    app.send(app.request(Method::GET, PATH).header(name, value)).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_who_has_relayed_what_one_may_is_cut_and_the_others_go_on() {
    let app = TestApp::start(&development(&[("PARTICIPANT_BANDWIDTH_LIMIT_GB", "0.0001")])).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (_host, host_token, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (_guest, guest_token, _) = Page::enter(&app, &join).await;
    let mut modest = Sender::with(&ask_as(&app, host_token).await.json(), &peer);
    let mut greedy = Sender::with(&ask_as(&app, guest_token).await.json(), &peer);
    modest.caller.send(10);
    greedy.send_until_there_are(1, &app).await;
    assert!(!greedy.is_served(), "no credential is of use any more");
    assert_eq!(ask_as(&app, guest_token).await.json()["reason"], "share_used");
    assert!(modest.caller.keeps_its_allocation());
    assert_eq!(ask_as(&app, host_token).await.json()["provider"], "relay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_relayed_what_one_may_is_cut_and_the_others_go_on() {
    let limit = [("ADDRESS_BANDWIDTH_LIMIT_GB", "0.0001"), ("CLIENT_IP_SOURCE", "XRealIp")];
    let app = TestApp::start(&development(&limit)).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let [one, other] = ["198.51.100.1", "198.51.100.2"];
    let mut modest = Sender::with(&ask_with(&app, "x-real-ip", one).await, &peer);
    let mut greedy = Sender::with(&ask_with(&app, "x-real-ip", other).await, &peer);
    greedy.send_until_there_are(1, &app).await;
    assert!(!greedy.is_served());
    assert_eq!(ask_with(&app, "x-real-ip", other).await["reason"], "share_used");
    assert!(modest.caller.keeps_its_allocation());
    assert_eq!(ask_with(&app, "x-real-ip", one).await["provider"], "relay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_has_relayed_what_one_may_is_cut_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let [forum, wiki] = ["forum-key-0123456789abcdef", "wiki-key-0123456789abcdef"];
    std::fs::write(&file, format!("forum key={forum}\nwiki key={wiki}\n")).unwrap();
    let set = [("API_KEYS_FILE", file.to_str().unwrap()), ("API_KEY_BANDWIDTH_LIMIT_GB", "0.0001")];
    let app = TestApp::start(&[&DEVELOPMENT[..], &set].concat()).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut modest = Sender::with(&ask_with(&app, "x-api-key", forum).await, &peer);
    let mut greedy = Sender::with(&ask_with(&app, "x-api-key", wiki).await, &peer);
    greedy.send_until_there_are(1, &app).await;
    assert!(!greedy.is_served());
    assert_eq!(ask_with(&app, "x-api-key", wiki).await["reason"], "share_used");
    assert!(modest.caller.keeps_its_allocation());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_have_relayed_one_part_in_twenty_are_cut_all_of_them_and_a_session_goes_on() {
    let app = TestApp::start(&development(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0.01")])).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (_host, token, _) = Page::create(&app).await;
    let mut participant = Sender::with(&ask_as(&app, token).await.json(), &peer);
    let silent = Sender::with(&app.get(PATH).await.json(), &peer);
    let mut greedy = Sender::with(&app.get(PATH).await.json(), &peer);
    greedy.send_until_there_are(1, &app).await;
    assert!(!greedy.is_served() && !silent.is_served());
    assert_eq!(app.get(PATH).await.json()["reason"], "share_used");
    participant.caller.send(10);
    assert!(participant.caller.keeps_its_allocation());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_limits_hold_for_those_too_who_have_not_asked_again() {
    let set = development(&[("ADDRESS_BANDWIDTH_LIMIT_GB", "0.0001"), ("CLIENT_IP_SOURCE", "XRealIp")]);
    let app = TestApp::start(&set).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (before, ..) = credential(&ask_with(&app, "x-real-ip", "198.51.100.1").await);
    let app = TestApp::start_in(app.stop().await, &set).await;
    let other = Sender::with(&ask_with(&app, "x-real-ip", "198.51.100.2").await, &peer);
    let mut greedy = Sender::at(other.udp, before, &peer);
    greedy.send_until_there_are(1, &app).await;
    assert!(!greedy.is_served() && other.is_served());
}
