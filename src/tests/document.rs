//! The `OpenAPI` document is true: it names every address of the router and no other, its examples are ours, and whatever the
//! app answers is as described. Programs that know nothing of us go over it as well: `script/test api`.

use super::{
    app::{Answer, TestApp, cloudflare, minted},
    participants::Page,
};
use crate::{
    protocol::{BandwidthStatus, ErrorBody, IceAnswer, TurnRestAnswer, UsageBeacon},
    server::http,
};
use jsonschema::Validator;
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wiremock::ResponseTemplate;

const KEY: &str = "forum-key-0123456789abcdef";

struct Document(Value);

/// An answer of the document: address, method, status.
type Place = (String, String, String);

impl Document {
    async fn of(app: &TestApp) -> Self {
        let answer = app.get("/api/openapi.json").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        Self(answer.json())
    }

    /// What stands behind a `$ref`, or the value itself.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        value.get("$ref").map_or(value, |reference| self.0.pointer(&reference.as_str().unwrap()[1..]).unwrap())
    }

    fn answers(&self) -> BTreeMap<Place, &Value> {
        let mut answers = BTreeMap::new();
        for (path, methods) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    answers.insert((path.clone(), method.clone(), status.clone()), self.resolved(answer));
                }
            }
        }
        answers
    }

    /// Checks values against a schema of the document.
    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
    }

    /// Checks an answer that the app gave: its status, type, headers and body.
    fn check(&self, path: &str, method: &Method, answer: &Answer) -> Place {
        let place = (path.to_owned(), method.as_str().to_lowercase(), answer.status.to_string());
        let described =
            *self.answers().get(&place).unwrap_or_else(|| panic!("{place:?} is not described: {}", answer.text));
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let value = answer.header(name);
            let schema = &self.resolved(header)["schema"];
            // Which of them come depends on why it is refused; those that come are as described.
            if !value.is_empty() {
                assert!(
                    self.validator(schema).is_valid(&serde_json::from_str(value).unwrap()),
                    "{place:?} {name}: {value}"
                );
            }
        }
        let Some(kinds) = described["content"].as_object() else {
            assert!(answer.text.is_empty(), "{place:?}");
            return place;
        };
        let (kind, content) = kinds.iter().next().unwrap();
        assert!(answer.header("content-type").starts_with(kind), "{place:?} {}", answer.header("content-type"));
        let body = if kind == "application/json" { answer.json() } else { json!(answer.text) };
        let wrong: Vec<_> =
            self.validator(&content["schema"]).iter_errors(&body).map(|wrong| wrong.to_string()).collect();
        assert!(wrong.is_empty(), "{place:?} {wrong:?} {body}");
        place
    }
}

/// The methods of an address, as it says itself when it is asked with one that nobody takes.
async fn methods(app: &TestApp, path: &str) -> BTreeSet<String> {
    let answer = app.send(app.request(Method::DELETE, path)).await;
    assert_eq!(answer.status, 405, "{path}");
    answer.header("allow").split(',').filter(|method| *method != "HEAD").map(str::to_lowercase).collect()
}

#[tokio::test]
async fn it_describes_every_address_with_its_methods_and_no_other() {
    let app = TestApp::start(&[]).await;
    let document = Document::of(&app).await;
    assert_eq!(document.0["info"]["version"], env!("CARGO_PKG_VERSION"));
    let described = document.0["paths"].as_object().unwrap();
    let there: BTreeSet<_> = http::addresses().into_iter().collect();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), there);
    for path in there {
        let described: BTreeSet<_> = described[path].as_object().unwrap().keys().cloned().collect();
        assert_eq!(methods(&app, path).await, described, "{path}");
    }
    let operations =
        document.0["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "each has a name of its own");
}

/// Reads an example as ours and writes it again: nothing is lost, nothing comes along.
fn is_ours<T: DeserializeOwned + Serialize>(example: &Value) {
    let ours: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{error}: {example}"));
    assert_eq!(serde_json::to_value(ours).unwrap(), *example);
}

#[tokio::test]
async fn its_examples_are_what_our_own_types_read_and_write() {
    let document = Document::of(&TestApp::start(&[]).await).await;
    let mut checked = BTreeSet::new();
    let mut check = |content: &Value| {
        let one = content.get("example").into_iter();
        let several =
            content["examples"].as_object().into_iter().flat_map(|all| all.values()).map(|example| &example["value"]);
        for example in one.chain(several) {
            assert!(document.validator(&content["schema"]).is_valid(example), "{example}");
            let schema = content["schema"]["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
            match schema {
                "IceAnswer" => is_ours::<IceAnswer>(example),
                "TurnRest" => is_ours::<TurnRestAnswer>(example),
                "BandwidthStatus" => is_ours::<BandwidthStatus>(example),
                "Error" => is_ours::<ErrorBody>(example),
                // It has a default that is written out.
                "UsageBeacon" => drop(serde_json::from_value::<UsageBeacon>(example.clone()).unwrap()),
                _ => assert!(example.is_string(), "{schema} is not known here"),
            }
            checked.insert(schema.to_owned());
        }
    };
    for answer in document.answers().values() {
        answer["content"].as_object().into_iter().flat_map(|kinds| kinds.values()).for_each(&mut check);
    }
    check(&document.0["paths"]["/api/usage"]["post"]["requestBody"]["content"]["application/json"]);
    let known = ["", "BandwidthStatus", "Error", "IceAnswer", "TurnRest", "UsageBeacon"];
    assert_eq!(checked, known.map(str::to_owned).into(), "each kind of answer has an example");
}

#[tokio::test]
async fn every_answer_that_it_describes_is_given_and_is_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, format!("forum key={KEY} origins=https://forum.example\n")).unwrap();
    let stand_in = cloudflare(ResponseTemplate::new(201).set_body_json(minted())).await;
    let with_keys = ("API_KEYS_FILE", keys.to_str().unwrap());
    let relayed = TestApp::with_cloudflare(&stand_in.uri(), &[with_keys]).await;
    let alone = TestApp::start(&[with_keys]).await;
    let hurried = TestApp::start(&[("RATE_LIMIT_CREDENTIALS", "1/1h")]).await;
    let spent = TestApp::start(&[("MONTHLY_BANDWIDTH_LIMIT_GB", "0")]).await;
    let document = Document::of(&alone).await;
    let mut seen = BTreeSet::new();

    let credentials = ["/api/turn-credentials", "/api/ice-servers", "/api/turn"];
    let asked = |path: &str| if path == "/api/turn" { "/api/turn?service=turn".to_owned() } else { path.to_owned() };
    for path in credentials {
        hurried.get("/api/turn-credentials").await;
        for app in [&relayed, &alone, &hurried, &spent] {
            seen.insert(document.check(path, &Method::GET, &app.get(&asked(path)).await));
        }
        for (name, value) in [("x-api-key", "nobody"), ("origin", "https://evil.example")] {
            let key = if name == "origin" { KEY } else { value };
            let request = alone.request(Method::GET, &asked(path)).header(name, value).header("x-api-key", key);
            seen.insert(document.check(path, &Method::GET, &alone.send(request).await));
        }
    }
    seen.insert(document.check("/api/turn", &Method::GET, &alone.get("/api/turn").await));
    for path in ["/api/bandwidth-status", "/api/openapi.json", "/health"] {
        for app in [&alone, &spent] {
            seen.insert(document.check(path, &Method::GET, &app.get(path).await));
        }
    }
    let guarded = TestApp::start(&[("ADMIN_TOKEN", "let-me-see")]).await;
    let far = alone.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.9");
    for answer in [alone.get("/metrics").await, guarded.get("/metrics").await, alone.send(far).await] {
        seen.insert(document.check("/metrics", &Method::GET, &answer));
    }
    for _ in 0..=10 {
        let guess = guarded.send(guarded.request(Method::GET, "/metrics").bearer_auth("let-me-in")).await;
        seen.insert(document.check("/metrics", &Method::GET, &guess));
    }
    let (_host, token, _) = Page::create(&alone).await;
    let nobody = json!({"token": "K7M3QX.0123456789abcdef.0123456789abcdef0123456789abcdef", "reports": []});
    let reports =
        [json!({"token": token, "reports": []}).to_string(), "{".into(), nobody.to_string(), " ".repeat(65 * 1024)];
    for body in reports {
        let request = alone.request(Method::POST, "/api/usage").body(body);
        seen.insert(document.check("/api/usage", &Method::POST, &alone.send(request).await));
    }
    let foreign = alone.request(Method::POST, "/api/usage").header("origin", "https://evil.example");
    seen.insert(document.check("/api/usage", &Method::POST, &alone.send(foreign).await));

    for app in [&alone, &spent] {
        let begun = app.send(app.request(Method::POST, "/api/check")).await;
        seen.insert(document.check("/api/check", &Method::POST, &begun));
    }
    let begun = alone.send(alone.request(Method::POST, "/api/check")).await.json();
    let reports = [
        json!({"check": begun["check"], "reports": []}).to_string(),
        "{".into(),
        json!({"check": "00000000000000ff", "reports": []}).to_string(),
        " ".repeat(65 * 1024),
    ];
    for body in reports {
        let request = alone.request(Method::POST, "/api/check/usage").body(body);
        seen.insert(document.check("/api/check/usage", &Method::POST, &alone.send(request).await));
    }
    for path in ["/api/check", "/api/check/usage"] {
        let foreign = alone.request(Method::POST, path).header("origin", "https://evil.example");
        seen.insert(document.check(path, &Method::POST, &alone.send(foreign).await));
    }

    let guess = TestApp::start(&[("ADMIN_TOKEN", "let-me-see")]).await;
    let mut wrong = Vec::new();
    for (path, method) in
        [("/api/admin/view", Method::GET), ("/api/admin/ticket", Method::POST), ("/api/admin/action", Method::POST)]
    {
        let pause = json!({"do": "pause_provider", "provider": "static", "paused": true}).to_string();
        let own =
            [("STATIC_TURN_URLS", "turn:127.0.0.1"), ("STATIC_TURN_USERNAME", "a"), ("STATIC_TURN_CREDENTIAL", "b")];
        let guarded = TestApp::start(&[&own[..], &[("ADMIN_TOKEN", "let-me-see")]].concat()).await;
        let asked =
            |app: &TestApp, body: String| app.request(method.clone(), path).bearer_auth("let-me-see").body(body);
        let gone = json!({"do": "end_session", "session": "00000000000000ff"}).to_string();
        for body in [pause, gone, "{".into(), " ".repeat(65 * 1024)] {
            seen.insert(document.check(path, &method, &guarded.send(asked(&guarded, body)).await));
        }
        seen.insert(document.check(path, &method, &alone.send(asked(&alone, String::new())).await));
        let first = guess.request(method.clone(), path);
        let first = guess.send(first).await;
        seen.insert(document.check(path, &method, &first));
        wrong.push((path, method));
    }
    for _ in 0..10 {
        guess.get("/api/admin/view").await;
    }
    for (path, method) in wrong {
        let late = guess.send(guess.request(method.clone(), path)).await;
        seen.insert(document.check(path, &method, &late));
    }
    let live = "/api/admin/live";
    seen.insert(document.check(live, &Method::GET, &alone.get(live).await));
    let foreign = alone.request(Method::GET, live).header("origin", "https://evil.example");
    seen.insert(document.check(live, &Method::GET, &alone.send(foreign).await));

    let described: BTreeSet<_> = document.answers().into_keys().collect();
    assert_eq!(seen, described, "each answer was given");
}
