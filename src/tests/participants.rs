//! Participants of real sessions, over the socket and over HTTP at once.

use super::app::{Answer, TestApp, cloudflare, minted};
use crate::{
    domain::ConnectionId,
    protocol::{ClientMessage, ServerMessage, Signal, Snapshot, WireToken},
};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, client::IntoClientRequest as _, protocol::Message},
};
use wiremock::ResponseTemplate;

const PATH: &str = "/api/turn-credentials";

/// A browser's end of the socket.
pub(super) struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    /// Opens the socket as a page of `origin` would, or says with which status it was turned away.
    pub(super) async fn open(app: &TestApp, origin: Option<&str>) -> Result<Self, Box<tungstenite::Error>> {
        Self::opened(app, origin.map(|origin| ("origin", origin))).await
    }

    /// Opens the socket as somebody at this address would, as a proxy tells it, or says with which status they were turned away.
    pub(super) async fn open_from(app: &TestApp, address: &str) -> Result<Self, u16> {
        Self::opened(app, Some(("x-real-ip", address))).await.map_err(|refused| {
            let tungstenite::Error::Http(answer) = *refused else { panic!("{refused}") };
            answer.status().as_u16()
        })
    }

    /// Enters as somebody whose proxy says this of them.
    pub(super) async fn enter_with(
        app: &TestApp,
        header: (&'static str, &str),
        message: &ClientMessage,
    ) -> (Self, WireToken, Snapshot) {
        Self::opened(app, Some(header)).await.unwrap().entered(message).await
    }

    async fn opened(app: &TestApp, header: Option<(&'static str, &str)>) -> Result<Self, Box<tungstenite::Error>> {
        let mut request = format!("{}/ws", app.url.replacen("http", "ws", 1)).into_client_request().unwrap();
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        Ok(Self(connect_async(request).await.map_err(Box::new)?.0))
    }

    pub(super) async fn enter(app: &TestApp, message: &ClientMessage) -> (Self, WireToken, Snapshot) {
        Self::open(app, None).await.unwrap().entered(message).await
    }

    async fn entered(mut self, message: &ClientMessage) -> (Self, WireToken, Snapshot) {
        let page = &mut self;
        page.say(message).await;
        let heard = page.hear().await;
        let ServerMessage::Welcome { token, snapshot, .. } = heard else {
            panic!("{heard:?}");
        };
        (self, token, snapshot)
    }

    pub(super) async fn create(app: &TestApp) -> (Self, WireToken, Snapshot) {
        Self::enter(app, &ClientMessage::Create { name: None, password: None }).await
    }

    pub(super) async fn create_from(app: &TestApp, address: &str) -> (Self, WireToken, Snapshot) {
        let create = ClientMessage::Create { name: None, password: None };
        Self::open_from(app, address).await.unwrap().entered(&create).await
    }

    /// What no page of ours would say.
    pub(super) async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(super) async fn say(&mut self, message: &ClientMessage) {
        self.say_text(&serde_json::to_string(message).unwrap()).await;
    }

    /// The guest is ready for a connection, and the host's offer reaches them.
    pub(super) async fn offers_to(&mut self, guest: &mut Self, connection: ConnectionId) {
        guest.say(&ClientMessage::Ready { connection }).await;
        assert!(matches!(self.hear().await, ServerMessage::Ready { .. }));
        let signal = Signal::Offer { sdp: "v=0".into(), generation: 0 };
        self.say(&ClientMessage::Signal { connection, signal }).await;
        assert!(matches!(guest.hear().await, ServerMessage::Signal { .. }));
    }

    /// The next message that is no snapshot.
    pub(super) async fn hear(&mut self) -> ServerMessage {
        loop {
            let message = self.next().await;
            if !matches!(message, ServerMessage::Snapshot { .. }) {
                return message;
            }
        }
    }

    /// Waits until the session is as wanted; what else is said meanwhile is lost.
    pub(super) async fn sees(&mut self, wanted: impl Fn(&Snapshot) -> bool) {
        loop {
            if let ServerMessage::Snapshot { snapshot } = self.next().await
                && wanted(&snapshot)
            {
                return;
            }
        }
    }

    async fn next(&mut self) -> ServerMessage {
        loop {
            let received = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.unwrap();
            if let Message::Text(text) = received.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

pub(super) fn text(token: WireToken) -> String {
    serde_json::to_value(token).unwrap().as_str().unwrap().to_owned()
}

pub(super) async fn ask_as(app: &TestApp, token: WireToken) -> Answer {
    app.send(app.request(Method::GET, PATH).bearer_auth(text(token))).await
}

#[tokio::test]
async fn a_participant_has_an_allowance_and_an_answer_of_their_own_until_they_leave() {
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let app = TestApp::with_cloudflare(&stand_in.uri(), &[("RATE_LIMIT_CREDENTIALS", "1/1h")]).await;
    let (mut host, token, _) = Page::create(&app).await;
    assert_eq!((app.get(PATH).await.status, app.get(PATH).await.status), (200, 429));
    for remaining in ["59", "58"] {
        let answer = ask_as(&app, token).await;
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, "60"), "{}", answer.text);
        assert_eq!(
            (answer.header("ratelimit-remaining"), answer.json()["degraded"].clone()),
            (remaining, json!(false))
        );
    }
    let minted = stand_in.received_requests().await.unwrap().len();
    assert_eq!(minted, 2, "one for the stranger, one for both of the participant's requests");

    host.say(&ClientMessage::Leave).await;
    assert!(matches!(host.hear().await, ServerMessage::Ended { .. }));
    let answer = ask_as(&app, token).await;
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (429, "1"));
}

#[tokio::test]
async fn only_pages_of_the_client_url_may_open_the_socket() {
    let app = TestApp::start(&[("CLIENT_URL", "https://tessro.example")]).await;
    for ours in [Some("https://tessro.example"), None] {
        assert!(Page::open(&app, ours).await.is_ok(), "{ours:?}");
    }
    for foreign in ["https://evil.example", app.url.as_str(), "null"] {
        let refused = Page::open(&app, Some(foreign)).await.err().map(|error| *error);
        let Some(tungstenite::Error::Http(response)) = refused else {
            panic!("{foreign}: {refused:?}");
        };
        assert_eq!(response.status(), 403);
        let body: serde_json::Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(body["code"], "forbidden_origin");
    }
}

#[tokio::test]
async fn the_last_counters_of_a_page_that_goes_away_are_counted() {
    let app = TestApp::start(&[]).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, token, _) = Page::enter(&app, &join).await;
    let connection = ConnectionId::from_random(1);
    host.offers_to(&mut guest, connection).await;
    drop(guest);

    let pair = json!({
        "pair": "CP1", "provider": "cloudflare", "bytes_received": 40_000, "bytes_sent": 10,
        "packets_received": 100, "packets_sent": 1,
    });
    let report = json!({"connection": connection, "sequence": 1, "path": "relayed", "pairs": [pair]});
    let beacon = json!({"token": text(token), "reports": [report]}).to_string();
    for _ in 0..2 {
        let answer = app.send(app.request(Method::POST, "/api/usage").body(beacon.clone())).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    let counted = async {
        loop {
            let used = app.get("/api/bandwidth-status").await.json()["bandwidthUsedBytes"].as_u64().unwrap();
            if used > 0 {
                break used;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let used = tokio::time::timeout(Duration::from_secs(20), counted).await.unwrap();
    assert_eq!(used, 40_400);
}
