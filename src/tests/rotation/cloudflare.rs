//! The stand-in makes, lists and deletes keys, and mints with those that it has.

use super::*;
use crate::tests::app::{Log, TestApp, minted};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

const ACCOUNT_TOKEN: &str = "account-token-0123456789";

#[derive(Clone, Default)]
struct Account(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    /// Name and secret of each key.
    keys: BTreeMap<String, (String, String)>,
    made: usize,
    /// How the next attempts to make a key go.
    faults: Vec<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    Refused,
    /// The key is made, and the answer is lost.
    Lost,
    SaysNo,
}

impl Respond for Account {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let bearer = request.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path: Vec<_> = request.url.path().trim_matches('/').split('/').collect();
        let mut account = self.0.lock().unwrap();
        match (request.method.as_str(), &path[..]) {
            (_, ["client", "v4", "accounts", "account", "calls", "turn_keys", ..])
                if bearer != format!("Bearer {ACCOUNT_TOKEN}") =>
            {
                ResponseTemplate::new(403)
            }
            ("GET", ["client", "v4", .., "turn_keys"]) => envelope(account.list()),
            ("POST", ["client", "v4", .., "turn_keys"]) => account.create(&request.body_json::<Value>().unwrap()),
            ("DELETE", ["client", "v4", .., "turn_keys", id]) => match account.keys.remove(*id) {
                Some((name, _)) => envelope(json!({"uid": id, "name": name})),
                None => ResponseTemplate::new(404),
            },
            ("POST", ["v1", "turn", "keys", id, "credentials", "generate-ice-servers"]) => {
                let known = account.keys.get(*id).is_some_and(|(_, secret)| bearer == format!("Bearer {secret}"));
                let mut answer = minted();
                answer["iceServers"][1]["username"] = json!(format!("of-{id}"));
                if known { ResponseTemplate::new(201).set_body_json(answer) } else { ResponseTemplate::new(401) }
            }
            _ => ResponseTemplate::new(404),
        }
    }
}

impl Held {
    fn list(&self) -> Value {
        self.keys
            .iter()
            .map(|(id, (name, _))| json!({"uid": id, "name": name, "created": "2026-11-21T00:00:00Z"}))
            .collect()
    }

    fn create(&mut self, body: &Value) -> ResponseTemplate {
        let fault = (!self.faults.is_empty()).then(|| self.faults.remove(0));
        match fault {
            Some(Fault::Refused) => return ResponseTemplate::new(403),
            Some(Fault::SaysNo) => {
                let error = json!({"code": 10_000, "message": "a text that may name anything"});
                return ResponseTemplate::new(200)
                    .set_body_json(json!({"success": false, "errors": [error], "messages": [], "result": null}));
            }
            Some(Fault::Lost) | None => {}
        }
        self.made += 1;
        let (id, secret) = (format!("uid{}", self.made), format!("turn-key-secret-{}", self.made));
        let name = body["name"].as_str().unwrap();
        self.keys.insert(id.clone(), (name.to_owned(), secret.clone()));
        match fault {
            Some(_) => ResponseTemplate::new(504),
            None => envelope(json!({"uid": id, "key": secret, "name": name})),
        }
    }
}

fn envelope(result: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"success": true, "errors": [], "messages": [], "result": result}))
}

impl Account {
    async fn start(&self) -> MockServer {
        let stand_in = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&stand_in).await;
        stand_in
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().keys.keys().cloned().collect()
    }

    /// Waits until these are the keys that it has.
    async fn has(&self, ids: &[&str]) {
        until(&format!("keys {ids:?}"), || (self.ids() == ids).then_some(())).await;
    }
}

fn variables(stand_in: &MockServer) -> Variables {
    vec![
        ("CLOUDFLARE_KEY_ROTATION", "30d".to_owned()),
        ("CLOUDFLARE_ACCOUNT_ID", "account".to_owned()),
        ("CLOUDFLARE_API_TOKEN", ACCOUNT_TOKEN.to_owned()),
        ("CLOUDFLARE_API_BASE", format!("{}/client/v4/", stand_in.uri())),
        ("CLOUDFLARE_TURN_API_BASE", stand_in.uri()),
    ]
}

/// The user name among what a browser is given.
fn login(answer: &Value) -> &Value {
    let servers = answer["iceServers"].as_array().unwrap();
    servers.iter().find_map(|server| server.get("username")).unwrap_or(&Value::Null)
}

/// Whose credential it is.
async fn signed_by(process: &Process) -> String {
    let grant = process.mint().await.unwrap();
    grant.handle.unwrap().username().trim_start_matches("of-").to_owned()
}

/// Waits until credentials come from this key.
async fn signs(process: &Process, id: &str) {
    for _ in 0..400 {
        if process.mint().await.is_ok_and(|grant| grant.handle.unwrap().username() == format!("of-{id}")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{id} does not sign within 10 s");
}

#[tokio::test]
async fn keys_are_made_take_each_others_place_and_are_deleted_when_nothing_of_them_lives() {
    let log = Log::listen();
    let account = Account::default();
    let others = ("made by hand".to_owned(), "theirs".to_owned());
    account.0.lock().unwrap().keys.insert("others".to_owned(), others);
    let stand_in = account.start().await;
    let process = Process::start(variables(&stand_in));
    signs(&process, "uid1").await;

    process.pass(DAY * 29);
    assert_eq!(signed_by(&process).await, "uid1");
    process.pass(DAY + HOUR);
    signs(&process, "uid2").await;
    account.has(&["others", "uid1", "uid2"]).await;
    // Credentials live for a day, and one of the old key may have been minted at the last moment.
    process.pass(HOUR * 23);
    // Longer than it takes to begin anew.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    account.has(&["others", "uid1", "uid2"]).await;
    process.pass(HOUR * 3);
    account.has(&["others", "uid2"]).await;
    assert_eq!(signed_by(&process).await, "uid2");

    let kept = process.kept().unwrap();
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let text = log.text();
    for said in [" was made", " was seen to work", " signs from now on instead of tessro-", " was deleted: nothing"] {
        assert!(text.contains(said), "{said}");
    }
    assert!(!text.contains("turn-key-secret") && !text.contains(ACCOUNT_TOKEN));
}

#[tokio::test]
async fn a_key_that_was_made_by_hand_signs_until_there_is_another_one() {
    let log = Log::listen();
    let account = Account::default();
    account.0.lock().unwrap().keys.insert("by-hand".to_owned(), ("mine".to_owned(), "by-hand-secret".to_owned()));
    account.0.lock().unwrap().faults = vec![Fault::Refused, Fault::SaysNo];
    let stand_in = account.start().await;
    let by_hand = [("CLOUDFLARE_TURN_KEY_ID", "by-hand"), ("CLOUDFLARE_TURN_API_TOKEN", "by-hand-secret")];
    let by_hand = by_hand.map(|(name, value)| (name, value.to_owned()));
    let process = Process::start([variables(&stand_in), by_hand.to_vec()].concat());
    for left in [1, 0] {
        until("an attempt", || (account.0.lock().unwrap().faults.len() == left).then_some(())).await;
        assert_eq!(signed_by(&process).await, "by-hand");
        // Reading the settings again forgets the pause after a failure.
        process.pass(HOUR);
    }
    signs(&process, "uid1").await;
    account.has(&["by-hand", "uid1"]).await;
    let text = log.text();
    assert!(text.contains("could not be made, the one before it goes on: Cloudflare API returned 403"));
    assert!(text.contains("Give it the permission Calls Write") && text.contains("said no (code 10000)"));
    assert!(!text.contains("a text that may name anything") && !text.contains("by-hand-secret"));
}

#[tokio::test]
async fn a_key_whose_making_nobody_heard_of_is_found_and_deleted() {
    let account = Account::default();
    account.0.lock().unwrap().faults = vec![Fault::Lost];
    let stand_in = account.start().await;
    let process = Process::start(variables(&stand_in));
    account.has(&["uid1"]).await;
    assert!(matches!(process.mint().await, Err(Failure::NoKey { .. })));
    process.pass(HOUR);
    account.has(&["uid2"]).await;
    signs(&process, "uid2").await;
}

#[tokio::test]
async fn one_of_two_processes_changes_keys_and_both_use_them() {
    let account = Account::default();
    let stand_in = account.start().await;
    let first = Process::start(variables(&stand_in));
    signs(&first, "uid1").await;
    // The same settings, and the same directory.
    let second = Rotations::start(&first.config, first.clock.clone()).unwrap();
    let other = Provider::all(&first.config, None, &first.clock).unwrap().remove(0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let whom = Whom::Participant((SessionCode::from_random(3), ParticipantId::from_random(4)));
    let grant = other.mint(whom, other.life(), &first.clock).await.unwrap();
    assert_eq!(grant.handle.as_ref().unwrap().username(), "of-uid1");
    account.has(&["uid1"]).await;
    // The first one goes, and the second one goes on.
    first.rotations.stop();
    first.hand.advance(DAY * 31);
    signs(&first, "uid2").await;
    drop(second);
}

#[tokio::test]
async fn the_app_makes_its_first_key_by_itself_and_answers_with_it() {
    let account = Account::default();
    let stand_in = account.start().await;
    let variables = variables(&stand_in);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let app = TestApp::start(&variables).await;
    account.has(&["uid1"]).await;
    let mut answer = Value::Null;
    // Fewer times than anyone may ask.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = app.get("/api/turn-credentials").await.json();
        if answer["degraded"] == json!(false) {
            break;
        }
    }
    assert_eq!((&answer["provider"], login(&answer)), (&json!("cloudflare"), &json!("of-uid1")));
    // Another start goes on with it.
    let app = TestApp::start_in(app.stop().await, &variables).await;
    let answer = app.get("/api/turn-credentials").await.json();
    assert_eq!(login(&answer), "of-uid1");
    account.has(&["uid1"]).await;
}
