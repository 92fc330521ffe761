//! Providers that count more than we do, less, and late: what of it counts, and what the operator sees.

use super::*;
use crate::{
    domain::{ConnectionId, ParticipantId},
    protocol::{AdminView, ClientMessage, MeterNow, PairCounters, Path, ServerMessage, UsageReport},
    server::usage::{Asker, Books, ProviderMonth, Usage},
    tests::{
        app::TestApp,
        participants::{Page, ask_as},
    },
};
use reqwest::Method;
use std::sync::Arc;
use tokio::sync::oneshot;
use wiremock::{Mock, matchers::any};

const TOKEN: &str = "south-by-southwest-0123456789";

const LINK: ConnectionId = ConnectionId::from_random(7);

/// As browsers report it over this provider.
fn report(provider: &str, bytes: u64) -> UsageReport {
    let pair = PairCounters { bytes_received: bytes, ..PairCounters::of("a", provider.parse().unwrap()) };
    UsageReport { connection: LINK, sequence: 1, path: Path::Relayed, pairs: vec![pair], other_end: None, seen: None }
}

/// What this API says today. Metered is the one that names days.
fn said_today(api: &Api, bytes: u64) -> ResponseTemplate {
    if api.provider != "metered" {
        return (api.counted)(bytes);
    }
    let today = jiff::Timestamp::now().to_string();
    let gigabytes: f64 = ByteCount::new(bytes).gb_text(9).to_string().parse().unwrap();
    answer(&json!([{"date": &today[..10], "usageInGB": gigabytes}]))
}

/// What these APIs mint, where it is credentials that they are asked for.
fn minted(request: &Request) -> Option<ResponseTemplate> {
    let path = request.url.path();
    let is = |end: &str| path.ends_with(end);
    let servers = json!([{"urls": ["turn:a.example:80"], "username": "u", "credential": "c"}]);
    let body = if is("/generate-ice-servers") {
        json!({"iceServers": servers})
    } else if is("/Tokens.json") {
        json!({"ice_servers": servers, "ttl": "86400"})
    } else if is("/turn/credential") {
        json!({"username": "u", "password": "c", "expiryInSeconds": 86_400, "label": "label", "apiKey": "key"})
    } else if is("/turn/credentials") {
        servers
    } else if path.starts_with("/_turn/") {
        json!({"s": "ok", "v": {"iceServers": servers[0]}})
    } else {
        return None;
    };
    Some(answer(&body))
}

/// A whole server whose browsers reported 200 MB over this provider, which says another amount; what the operator sees of it.
async fn seen_where_it_says(api: &Api, bytes: u64) -> AdminView {
    let stand_in = MockServer::start().await;
    let said = said_today(api, bytes);
    let answers = move |request: &Request| minted(request).unwrap_or_else(|| said.clone());
    Mock::given(any()).respond_with(answers).mount(&stand_in).await;
    let (variables, uri) = ((api.variables)(&stand_in.uri()), stand_in.uri());
    let more = [("CLOUDFLARE_TURN_API_BASE", uri.as_str()), ("PROVIDER_USAGE_EVERY", "10m"), ("ADMIN_TOKEN", TOKEN)];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).chain(more).collect();
    let app = TestApp::start(&variables).await;
    let (mut host, _, snapshot) = Page::create(&app).await;
    let join = ClientMessage::Join { code: snapshot.code, name: None, password: None, invite: None };
    let (mut guest, token, _) = Page::enter(&app, &join).await;
    assert_eq!(ask_as(&app, token).await.json()["provider"], api.provider);
    host.offers_to(&mut guest, LINK).await;
    guest.say(&ClientMessage::Usage { report: report(api.provider, 200_000_000) }).await;
    let heard = guest.hear().await;
    assert!(matches!(heard, ServerMessage::UsageAck { .. }), "{heard:?}");
    for _ in 0..300 {
        let request = app.request(Method::GET, "/api/admin/view").bearer_auth(TOKEN);
        let view: AdminView = serde_json::from_str(&app.send(request).await.text).unwrap();
        if view.providers[0].said.is_some() && view.providers[0].counted == Some(200_000_000) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} is not seen", api.title);
}

#[tokio::test]
async fn the_larger_of_both_counts_is_the_month_and_the_operator_sees_both() {
    for api in &APIS {
        for (theirs, used) in [(150_000_000, 200_000_000), (250_000_000, 250_000_000)] {
            let view = seen_where_it_says(api, theirs).await;
            let seen = &view.providers[0];
            assert_eq!(seen.name.to_string(), api.provider);
            assert_eq!((seen.counted, seen.said), (Some(200_000_000), Some(theirs)), "{}", api.title);
            assert!(matches!(seen.meter, Some(MeterNow::Heard { at_ms: Some(_) })), "{}", api.title);
            assert_eq!((view.month.used, view.month.estimated), (used, 0), "{}", api.title);
            assert_eq!(view.sessions[0].relayed, Some(200_000_000), "what a provider says beyond that is nobody's");
        }
    }
}

#[tokio::test]
async fn what_a_provider_counts_late_is_in_the_month_that_it_is_about() {
    let ours = 5_000_000;
    for api in &APIS {
        let stand_in = MockServer::start().await;
        // Yesterday's grows today, is corrected, and taken back; a day after the month it grows again.
        let rounds = [1_000_000, 9_000_000, 8_000_000, 0];
        for bytes in rounds {
            Mock::given(any()).respond_with((api.counted)(bytes)).up_to_n_times(1).mount(&stand_in).await;
        }
        Mock::given(any()).respond_with((api.counted)(12_000_000)).mount(&stand_in).await;

        let (clock, hand) = Clock::by_hand(MIDDLE);
        let data = tempfile::tempdir().unwrap();
        let usage = Usage::open(data.path(), ByteCount::new(1_000_000_000), clock.clone()).unwrap();
        let (acknowledge, acknowledged) = oneshot::channel();
        let (host, guest) = (ParticipantId::from_random(1), ParticipantId::from_random(2));
        usage.lease(&api.provider.parse().unwrap(), &Asker::participant(guest, host, 1), &Arc::default()).unwrap();
        usage.opened(LINK, host, guest);
        usage.report(guest, report(api.provider, ours), move || acknowledge.send(()).unwrap());
        acknowledged.await.unwrap();
        let ledger = usage.clone();
        let configured = config(&(api.variables)(&stand_in.uri()));
        let voices = Voices::start(&configured, Known::default(), clock, move |said| ledger.hear(said)).unwrap();
        let name: ProviderName = api.provider.parse().unwrap();
        let said =
            || usage.this_month().into_iter().find(|(of, _)| of.as_ref() == Some(&name)).map(|(_, sum)| sum.said);

        for (round, bytes) in rounds.into_iter().enumerate() {
            if round > 0 {
                hand.advance(Duration::from_mins(12));
            }
            let heard = || {
                let state = voices.states().remove(0).said;
                state.filter(|state| state.bytes.get() == bytes && said() == Some(ByteCount::new(bytes)))
            };
            until("it is in the books", heard).await;
            let status = usage.status();
            assert_eq!((status.bandwidth_used_bytes, status.bandwidth_estimated_bytes), (bytes.max(ours), 0));
            assert_eq!(usage.relayed_by(&name).get(), bytes.max(ours), "{}", api.title);
        }

        // 2026-12-01T12:00:00Z and a little.
        hand.advance(Duration::from_hours(16 * 24));
        let books = Books::new(data.path());
        let november = || books.providers("2026-11".parse().unwrap()).unwrap()[&Some(name.clone())];
        let late = ProviderMonth { counted: ours, estimated: 0, said: Some(12_000_000) };
        until("it is said of the month before", || Some(november()).filter(|month| *month == late)).await;
        assert_eq!(usage.limit_reached(), None);
        voices.stop();
        drop(voices);
        usage.close().await;
    }
}
