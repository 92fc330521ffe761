//! An API that begins to answer, and stalls half-way or hangs up: raw TCP on loopback, since no stand-in of HTTP does that.

use super::*;
use crate::tests::app::TestApp;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time::Instant,
};

/// The head and the beginning of an answer that would be good.
const HALF: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"iceServers\": [{\"urls\"";

/// What follows the first half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Silence,
    Goodbye,
}

/// Stops when it is dropped.
struct Torn {
    url: String,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Torn {
    async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
        let (counting, mut serving) = (Arc::clone(&asked), JoinSet::new());
        serving.spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut room = [0; 4096];
                if connection.read(&mut room).await.is_ok_and(|length| length > 0)
                    && connection.write_all(HALF.as_bytes()).await.is_ok()
                {
                    counting.fetch_add(1, Ordering::Relaxed);
                }
                if then == Then::Silence {
                    silent.push(connection);
                }
            }
        });
        Self { url, asked, _serving: serving }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// What is said of each API that answers so, with how often it was asked.
async fn said_of_each(then: Then) -> Vec<(&'static str, String, usize)> {
    let ask = move |api: &'static Api| async move {
        let (torn, began) = (Torn::start(then).await, Instant::now());
        let sentence = mint(&(api.variables)(&torn.url)).await.unwrap_err();
        assert!(began.elapsed() < 2 * Provider::BUDGET, "{}: {:?}", api.title, began.elapsed());
        (api.title, sentence, torn.asked())
    };
    join_all(APIS.iter().map(ask)).await
}

#[tokio::test]
async fn an_answer_that_stalls_half_way_ends_within_the_budget() {
    for (title, sentence, asked) in said_of_each(Then::Silence).await {
        assert!(sentence.starts_with(&format!("{title} API did not answer in time: ")), "{sentence}");
        assert_eq!(asked, 2, "{title}: a second attempt fits");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_half_way_is_none() {
    for (title, sentence, asked) in said_of_each(Then::Goodbye).await {
        assert!(sentence.starts_with(&format!("{title} API could not be reached (")), "{sentence}");
        assert_eq!(asked, 2, "{title}: it may have been chance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_has_the_next_provider_in_time_either_way() {
    for then in [Then::Silence, Then::Goodbye] {
        let torn = Torn::start(then).await;
        let next = [("TURN_RELAY_DEVELOPMENT", "1"), ("TURN_RELAY_PORT", "0")];
        let app = TestApp::with_cloudflare(&torn.url, &next).await;
        let began = Instant::now();
        let answer = app.get("/api/turn-credentials").await.json();
        assert!(began.elapsed() < Duration::from_secs(2), "{then:?}: {:?}", began.elapsed());
        assert_eq!((&answer["provider"], &answer["degraded"]), (&"relay".into(), &false.into()), "{then:?}");
        assert!(torn.asked() >= 1, "{then:?}");
    }
}
