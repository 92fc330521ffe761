//! What others than browsers count: each provider's API by a stand-in, coturn and Redis for real.

mod asked;
mod coturn;
mod counted;
mod faults;
mod whole;

use super::providers::{Variables, config};
use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::{
        clock::{Clock, ClockHand},
        providers::{Known, Voice, VoiceState, Voices},
        usage::Said,
    },
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use wiremock::{MockServer, Request, ResponseTemplate};

/// In the middle of a month: 2026-11-15T12:00:00Z.
const MIDDLE: UnixMillis = UnixMillis(1_794_744_000_000);

/// Somebody who hears everybody, and what was heard.
struct Listening {
    voices: Voices,
    said: Arc<Mutex<Vec<Said>>>,
    hand: ClockHand,
}

impl Listening {
    fn to(variables: &Variables) -> Self {
        Self::at(MIDDLE, variables)
    }

    fn at(wall: UnixMillis, variables: &Variables) -> Self {
        let (clock, hand) = Clock::by_hand(wall);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let tell = move |said| heard.lock().unwrap().push(said);
        let voices = Voices::start(&config(variables), Known::default(), clock, tell).unwrap();
        Self { voices, said, hand }
    }

    fn said(&self) -> Vec<Said> {
        self.said.lock().unwrap().clone()
    }

    /// Waits until so much was said.
    async fn hears(&self, count: usize) -> Vec<Said> {
        until("something is said", || Some(self.said()).filter(|said| said.len() >= count)).await
    }

    /// Waits until the provider is in this state.
    async fn sees(&self, what: &str, is_so: impl Fn(&VoiceState) -> bool) -> VoiceState {
        until(what, || self.voices.states().into_iter().next().filter(&is_so)).await
    }

    /// What went wrong with the one provider that there is.
    async fn failure(&self) -> String {
        self.sees("it fails", |state| state.is_failing).await.failure.unwrap().sentence
    }
}

async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 30 s: {what}");
}

/// What a provider says of a month.
fn says(provider: &str, month: &str, bytes: u64) -> Said {
    let provider: ProviderName = provider.parse().unwrap();
    Said::Provider { provider, month: month.parse().unwrap(), bytes: ByteCount::new(bytes) }
}

/// An API that counts: how it is set up, and how it says a number of bytes, which is a multiple of 1000.
struct Api {
    provider: &'static str,
    title: &'static str,
    variables: fn(&str) -> Variables,
    counted: fn(u64) -> ResponseTemplate,
}

static APIS: [Api; 4] = [
    Api { provider: "cloudflare", title: "Cloudflare", variables: cloudflare, counted: cloudflare_counted },
    Api { provider: "twilio", title: "Twilio", variables: twilio, counted: twilio_counted },
    Api { provider: "metered", title: "Metered", variables: metered, counted: metered_counted },
    Api { provider: "xirsys", title: "Xirsys", variables: xirsys, counted: xirsys_counted },
];

fn set(variables: &[(&'static str, &str)]) -> Variables {
    variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn cloudflare(stand_in: &str) -> Variables {
    set(&[
        ("CLOUDFLARE_TURN_KEY_ID", "key-id"),
        ("CLOUDFLARE_TURN_API_TOKEN", "token"),
        ("CLOUDFLARE_ACCOUNT_ID", "account"),
        ("CLOUDFLARE_ANALYTICS_TOKEN", "analytics-secret"),
        ("CLOUDFLARE_GRAPHQL_BASE", &format!("{stand_in}/client/v4")),
    ])
}

fn twilio(stand_in: &str) -> Variables {
    set(&[("TWILIO_ACCOUNT_SID", "AC0123"), ("TWILIO_AUTH_TOKEN", "twilio-secret"), ("TWILIO_API_BASE", stand_in)])
}

fn metered(stand_in: &str) -> Variables {
    set(&[("METERED_APP", "my-app"), ("METERED_SECRET_KEY", "metered-secret"), ("METERED_API_BASE", stand_in)])
}

fn xirsys(stand_in: &str) -> Variables {
    set(&[
        ("XIRSYS_IDENT", "ident"),
        ("XIRSYS_SECRET", "xirsys-secret"),
        ("XIRSYS_CHANNEL", "my/channel"),
        ("XIRSYS_API_BASE", stand_in),
    ])
}

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// What Cloudflare's analytics answer, with these groups.
fn groups(groups: &Value) -> Value {
    json!({"data": {"viewer": {"accounts": [{"callsTurnUsageAdaptiveGroups": groups}]}}, "errors": null})
}

fn cloudflare_counted(bytes: u64) -> ResponseTemplate {
    answer(&groups(&json!([{"sum": {"egressBytes": bytes}}])))
}

fn twilio_counted(bytes: u64) -> ResponseTemplate {
    let megabytes = format!("{}.{:06}", bytes / 1_000_000, bytes % 1_000_000);
    let record = json!({"category": "turnmegabytes", "usage": megabytes, "usage_unit": "megabytes", "count": "7"});
    answer(&json!({"usage_records": [record], "next_page_uri": null}))
}

fn metered_counted(bytes: u64) -> ResponseTemplate {
    let gigabytes: f64 = ByteCount::new(bytes).gb_text(9).to_string().parse().unwrap();
    answer(&json!([{"date": "2026-10-31", "usageInGB": 99}, {"date": "2026-11-02", "usageInGB": gigabytes}]))
}

fn xirsys_counted(bytes: u64) -> ResponseTemplate {
    answer(&json!({"v": {"sum": bytes, "min": 48, "max": 1_400, "count": 604}, "s": "ok"}))
}

async fn requests(stand_in: &MockServer) -> Vec<Request> {
    stand_in.received_requests().await.unwrap()
}
