//! By webhook: refused, left hanging, taken; the signature; what a restart and the end of the process make of it.

use super::{super::providers::config, Scene, kept, seconds};
use crate::{
    server::{
        alerts::{SIGNATURE, TIMESTAMP, signature},
        clock::Clock,
        config::Config,
    },
    tests::rotation::until,
};
use secrecy::SecretString;
use serde_json::Value;
use std::{collections::HashMap, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

/// What signs here. It must turn up nowhere.
const SECRET: &str = "hook-secret-0123456789";

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Manner {
    Refuse,
    Hang,
    Take,
}

/// A request as it came in.
struct Posted {
    headers: HashMap<String, String>,
    body: String,
}

impl Posted {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Looks at the signature as a receiver should.
    fn assert_signed(&self, secret: &str) {
        let at: u64 = self.headers[TIMESTAMP].parse().unwrap();
        assert!(seconds(Clock::system().wall()).abs_diff(at) < 60, "dated {at}");
        assert_eq!(self.headers[SIGNATURE], signature(&SecretString::from(secret), at, &self.body));
        assert_ne!(self.headers[SIGNATURE], signature(&SecretString::from(secret), at + 1, &self.body));
        assert_ne!(self.headers[SIGNATURE], signature(&SecretString::from("another"), at, &self.body));
    }
}

/// A listener on loopback that behaves as it is told, request by request, and like the last of them from then on.
async fn receiver(manners: Vec<Manner>) -> (String, UnboundedReceiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alerts?key=in-the-address", listener.local_addr().unwrap());
    let (tell, posted) = unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        for number in 0.. {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = read(&mut connection).await;
            let answer = match manners[number.min(manners.len() - 1)] {
                Manner::Refuse => "HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                Manner::Take => "HTTP/1.1 204 Yes\r\nconnection: close\r\n\r\n",
                Manner::Hang => {
                    held.push(connection);
                    drop(tell.send(request));
                    continue;
                }
            };
            connection.write_all(answer.as_bytes()).await.unwrap();
            drop(tell.send(request));
        }
    });
    (url, posted)
}

async fn read(connection: &mut TcpStream) -> Posted {
    let mut text = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let count = connection.read(&mut part).await.unwrap();
        assert!(count > 0, "it ended early");
        text.extend_from_slice(&part[..count]);
        let so_far = String::from_utf8_lossy(&text);
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let headers: HashMap<_, _> = lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        if body.len() >= headers["content-length"].parse().unwrap() {
            assert!(head.starts_with("POST /alerts?key=in-the-address HTTP/1.1"), "{head}");
            assert_eq!(headers["content-type"], "application/json");
            return Posted { headers, body: body.to_owned() };
        }
    }
}

fn settings(url: &str) -> Config {
    config(&vec![("ALERT_WEBHOOK_URL", url.to_owned()), ("ALERT_WEBHOOK_SECRET", SECRET.to_owned())])
}

async fn next(posted: &mut UnboundedReceiver<Posted>) -> Posted {
    tokio::time::timeout(Duration::from_secs(20), posted.recv()).await.unwrap().unwrap()
}

async fn silence(posted: &mut UnboundedReceiver<Posted>) {
    let more = tokio::time::timeout(Duration::from_millis(300), posted.recv()).await;
    assert!(more.is_err(), "{}", more.unwrap().unwrap().body);
}

#[tokio::test]
async fn one_that_refuses_and_hangs_and_then_takes_it_gets_it_once() {
    let log = super::super::app::Log::listen();
    let (url, mut posted) = receiver(vec![Manner::Refuse, Manner::Hang, Manner::Refuse, Manner::Take]).await;
    let (data, scene) = (tempfile::tempdir().unwrap(), Scene::quiet());
    let desk = scene.desk(data.path(), &settings(&url));
    scene.used(91);
    let mut tries = Vec::new();
    for _ in 0..4 {
        let request = next(&mut posted).await;
        request.assert_signed(SECRET);
        tries.push(request.json());
    }
    assert!(tries.iter().all(|body| body == &tries[0]), "the same each time");
    let body = &tries[0];
    assert_eq!((&body["topic"], &body["stage"], &body["severity"]), (&"limit".into(), &90.into(), &"warning".into()));
    assert!(body["message"].as_str().unwrap().starts_with("91 % of what may be relayed"), "{body}");
    silence(&mut posted).await;
    scene.used(95);
    assert_eq!(next(&mut posted).await.json()["stage"], 95);
    desk.close().await;
    let said = log.text();
    let id = body["id"].as_str().unwrap();
    for words in ["the receiver answered 503", "nobody answered within 10 s"] {
        let line = said.lines().find(|line| line.contains(id) && line.contains(words));
        assert!(line.is_some_and(|line| line.contains("tried again in")), "{words}");
    }
    assert!(!said.contains(SECRET) && !said.contains("in-the-address"), "a secret is in the log");
}

#[tokio::test]
async fn what_nobody_took_is_sent_after_a_restart_and_what_was_said_is_not_said_again() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (data, scene) = (tempfile::tempdir().unwrap(), Scene::quiet());
    let desk = scene.desk(data.path(), &settings(&format!("http://{gone}/")));
    scene.used(72);
    until("it is written", || (kept(data.path()) != crate::server::alerts::State::default()).then_some(())).await;
    desk.close().await;

    let (url, mut posted) = receiver(vec![Manner::Take]).await;
    let desk = scene.desk(data.path(), &settings(&url));
    assert_eq!(next(&mut posted).await.json()["stage"], 70);
    silence(&mut posted).await;
    desk.close().await;
    let desk = scene.desk(data.path(), &settings(&url));
    silence(&mut posted).await;
    scene.used(100);
    assert_eq!(next(&mut posted).await.json()["severity"], "critical");
    desk.close().await;
}

#[tokio::test]
async fn what_happens_while_the_server_stops_is_still_sent() {
    let (url, mut posted) = receiver(vec![Manner::Take]).await;
    let (data, scene) = (tempfile::tempdir().unwrap(), Scene::quiet());
    let desk = scene.desk(data.path(), &settings(&url));
    tokio::time::sleep(Duration::from_millis(50)).await;
    scene.used(100);
    desk.close().await;
    assert_eq!(next(&mut posted).await.json()["stage"], 100);
    silence(&mut posted).await;
}

#[tokio::test]
async fn the_end_does_not_wait_for_one_that_hangs() {
    let (url, mut posted) = receiver(vec![Manner::Hang]).await;
    let (data, scene) = (tempfile::tempdir().unwrap(), Scene::quiet());
    let desk = scene.desk(data.path(), &settings(&url));
    scene.used(100);
    next(&mut posted).await;
    let closed = tokio::time::timeout(Duration::from_secs(5), desk.close()).await;
    assert!(closed.is_ok(), "it waits");
    let (url, mut posted) = receiver(vec![Manner::Take]).await;
    let desk = scene.desk(data.path(), &settings(&url));
    assert_eq!(next(&mut posted).await.json()["stage"], 100, "it is tried again");
    desk.close().await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_keeps_no_alert_back() {
    let (url, mut posted) = receiver(vec![Manner::Take]).await;
    let scene = Scene::quiet();
    let desk = scene.desk("/proc/no-data-in-this-test".as_ref(), &settings(&url));
    scene.used(100);
    assert_eq!(next(&mut posted).await.json()["stage"], 100);
    silence(&mut posted).await;
    desk.close().await;
}

#[tokio::test]
async fn the_running_server_tells_that_its_limit_is_reached() {
    let (url, mut posted) = receiver(vec![Manner::Take]).await;
    let set = [
        ("ALERT_WEBHOOK_URL", url.as_str()),
        ("ALERT_WEBHOOK_SECRET", SECRET),
        ("MONTHLY_BANDWIDTH_LIMIT_GB", "0"),
        ("CLIENT_URL", "https://tessro.example"),
    ];
    let app = super::super::app::TestApp::start(&set).await;
    let body = next(&mut posted).await.json();
    assert_eq!((&body["topic"], &body["stage"]), (&"limit".into(), &100.into()));
    assert!(body["server"].as_str().unwrap().starts_with("https://tessro.example"), "{body}");
    app.stop().await;
}
