//! What is kept and shown of an evening names nobody: no name, no session code, no address, in the ledger or in `/metrics`.

use super::{
    app::{TestApp, config},
    participants::{Page, text},
    relay::credential,
};
use crate::{
    domain::{ConnectionId, ParticipantName},
    protocol::{ChatText, ClientMessage, PairCounters, Path, ServerMessage, UsageReport},
    server::{
        clock::Clock,
        relay::tests::caller::Caller,
        usage::{Ask, answer},
    },
};
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet};

const HOST: (&str, &str) = ("x-real-ip", "203.0.113.77");
const GUEST: (&str, &str) = ("x-real-ip", "198.51.100.86");

/// Every label that a series may have. Each is a provider of the settings, or from a set that is closed.
const LABELS: [&str; 9] = ["commit", "le", "outcome", "provider", "result", "state", "step", "transport", "version"];

/// Two people with names and addresses, and a connection between them that runs over a relay.
struct Evening {
    host: Page,
    guest: Page,
    /// Names, code and addresses, as text.
    hidden: Vec<String>,
    /// Both participants and the secrets of their tokens.
    tokens: Vec<String>,
}

impl Evening {
    async fn of(app: &TestApp, provider: &str) -> Self {
        let name = |typed| ParticipantName::parse(typed).ok();
        let create = ClientMessage::Create { name: name("Ada"), password: None };
        let (mut host, hosts, snapshot) = Page::enter_with(app, HOST, &create).await;
        let join =
            ClientMessage::Join { code: snapshot.code, name: name("Grace Hopper"), password: None, invite: None };
        let (mut guest, guests, _) = Page::enter_with(app, GUEST, &join).await;
        let tokens = vec![text(hosts), text(guests)];
        // Reports of a provider's relay count for it where it gave credentials.
        for (token, from) in tokens.iter().zip([HOST, GUEST]) {
            assert_eq!(ask(app, token, from).await["provider"], provider);
        }
        let connection = ConnectionId::from_random(7);
        host.offers_to(&mut guest, connection).await;
        let pair = PairCounters { bytes_received: 200_000_000, ..PairCounters::of("CP1", provider.parse().unwrap()) };
        let report = UsageReport {
            connection,
            sequence: 1,
            path: Path::Relayed,
            pairs: vec![pair],
            other_end: None,
            seen: None,
        };
        guest.say(&ClientMessage::Usage { report }).await;
        let heard = guest.hear().await;
        assert!(matches!(heard, ServerMessage::UsageAck { .. }), "{heard:?}");
        let said = ClientMessage::Chat { text: ChatText::parse("Is that the moon?").unwrap(), nonce: 1 };
        host.say(&said).await;
        let heard = guest.hear().await;
        assert!(matches!(heard, ServerMessage::Chat { .. }), "{heard:?}");
        let hidden = ["Ada", "Grace Hopper", &snapshot.code.to_string(), HOST.1, GUEST.1].map(str::to_owned);
        Self { host, guest, hidden: hidden.into(), tokens }
    }

    /// Random identifiers of those who are in it.
    fn participants(&self) -> Vec<&str> {
        self.tokens.iter().map(|token| token.split('.').nth(1).unwrap()).collect()
    }
}

async fn ask(app: &TestApp, token: &str, from: (&str, &str)) -> serde_json::Value {
    let request = app.request(Method::GET, "/api/turn-credentials").bearer_auth(token);
    app.send(request.header(from.0, from.1)).await.json()
}

/// The bytes of every file of the books.
fn books(data_dir: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(data_dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["usage.db", "connections.db"].iter().any(|book| name.starts_with(book)) {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_code_or_address_is_in_the_ledger_or_in_its_export() {
    let variables = [
        ("CLIENT_IP_SOURCE", "XRealIp"),
        ("ADDRESS_BANDWIDTH_LIMIT_GB", "100"),
        ("COTURN_URLS", "turn:turn.example"),
        ("COTURN_SHARED_SECRET", "north"),
    ];
    let app = TestApp::start(&variables).await;
    let mut evening = Evening::of(&app, "coturn").await;
    let while_it_runs = books(app.data_dir().as_ref());
    evening.guest.say(&ClientMessage::Leave).await;
    evening.host.say(&ClientMessage::Leave).await;
    while !matches!(evening.host.hear().await, ServerMessage::Ended { .. }) {}
    let data = app.stop().await;
    let afterwards = books(data.path());
    let mut csv = Vec::new();
    let export = Ask { csv: true, ..Ask::default() };
    answer(&config(&data, &variables), &Clock::system(), export, &mut csv).unwrap();

    let guest = evening.participants()[1].as_bytes();
    for (what, bytes) in [("the ledger", &while_it_runs), ("the ledger afterwards", &afterwards), ("the export", &csv)]
    {
        assert!(
            holds(bytes, guest) && holds(bytes, b"coturn"),
            "what was relayed is in {what}: {}",
            String::from_utf8_lossy(&csv)
        );
        for hidden in &evening.hidden {
            assert!(!holds(bytes, hidden.as_bytes()), "{hidden} is in {what}");
        }
        for octets in [[203, 0, 113, 77], [198, 51, 100, 86]] {
            assert!(!holds(bytes, &octets), "{octets:?} is in {what}");
        }
    }
}

/// A sample's name and its labels.
fn sample(line: &str) -> (&str, Vec<(&str, &str)>) {
    let name = line.split(['{', ' ']).next().unwrap();
    let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
    let labels = labels.strip_suffix('"').into_iter().flat_map(|labels| labels.split("\","));
    (name, labels.map(|label| label.split_once("=\"").unwrap()).collect())
}

/// What a sample of this kind is called beyond the name of its family.
fn endings(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "histogram" => &["_bucket", "_sum", "_count"],
        "gauge" => &[""],
        other => panic!("no figure of ours is a {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_have_names_of_their_kind_and_labels_from_closed_sets() {
    let app = TestApp::start(&[
        ("CLIENT_IP_SOURCE", "XRealIp"),
        ("TURN_RELAY_DEVELOPMENT", "1"),
        ("TURN_RELAY_PORT", "0"),
        ("STUN_URLS", ""),
        ("TURN_CHECK_EVERY", "1s"),
    ])
    .await;
    let evening = Evening::of(&app, "relay").await;
    let mut callers = Vec::new();
    for (token, from) in evening.tokens.iter().zip([HOST, GUEST]) {
        let (credential, udp, _) = credential(&ask(&app, token, from).await);
        let mut caller = Caller::udp(udp, &credential);
        caller.allocate();
        callers.push(caller);
    }
    let mut said = String::new();
    for _ in 0..300 {
        said = app.get("/metrics").await.text;
        if said.contains("tessro_relay_echo{") && said.contains("tessro_check{") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for line in ["tessro_participants 2", "tessro_connections 1"] {
        assert!(said.lines().any(|said| said == line), "{line} is missing:\n{said}");
    }

    let described = |what: &str| -> BTreeMap<String, String> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(what)?.split_once(' '));
        lines.map(|(name, words)| (name.to_owned(), words.to_owned())).collect()
    };
    let (kinds, helps) = (described("# TYPE "), described("# HELP "));
    assert_eq!(kinds.keys().collect::<Vec<_>>(), helps.keys().collect::<Vec<_>>());
    let (mut labels, mut providers) = (BTreeSet::new(), BTreeSet::new());
    for line in said.lines().filter(|line| !line.starts_with('#')) {
        let (name, of) = sample(line);
        assert!(
            name.starts_with("tessro_") && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{line}"
        );
        let is_of = |(family, kind): (&String, &String)| {
            name.strip_prefix(family.as_str()).is_some_and(|ending| endings(kind).contains(&ending))
        };
        assert!(kinds.iter().any(is_of), "no family has such a sample: {line}");
        labels.extend(of.iter().map(|(label, _)| *label));
        providers.extend(of.iter().filter(|(label, _)| *label == "provider").map(|(_, value)| *value));
    }
    assert!(labels.is_subset(&BTreeSet::from(LABELS)), "{labels:?}");
    for seen in ["le", "outcome", "provider", "result", "state", "step", "transport"] {
        assert!(labels.contains(seen), "{seen} is in no series:\n{said}");
    }
    assert_eq!(providers, BTreeSet::from(["relay"]));

    let secrets = evening.tokens.iter().map(|token| token.rsplit('.').next().unwrap());
    let connection = ConnectionId::from_random(7).to_string();
    let hidden = evening.hidden.iter().map(String::as_str).chain(evening.participants()).chain(secrets);
    for hidden in hidden.chain([connection.as_str(), "127.0.0.1", "203.0.113", "198.51.100"]) {
        assert!(!said.contains(hidden), "{hidden} in\n{said}");
    }
    drop(callers);
}
