//! What goes out, whatever comes in.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(servers: Value) -> Value {
    serde_json::to_value(IceSet::read(&servers).to_servers()).unwrap()
}

#[test]
fn every_shape_that_cloudflare_has_had_is_read() {
    let login = |urls: Value| json!({"urls": urls, "username": "u", "credential": "c"});
    let relays = json!(["turn:turn.cloudflare.com:3478?transport=udp", "turns:turn.cloudflare.com:443?transport=tcp"]);
    let stun = json!({"urls": ["stun:stun.cloudflare.com:3478"]});

    assert_eq!(read(json!([stun, login(relays.clone())])), json!([stun, login(relays.clone())]));
    assert_eq!(read(login(relays.clone())), json!([login(relays.clone())]));
    assert_eq!(read(json!([login(relays.clone())])), json!([login(relays)]));
    assert_eq!(read(login(json!("turn:a.example"))), json!([login(json!(["turn:a.example"]))]));
    for urls in [json!({}), json!({"urls": null}), json!({"urls": "turn:a.example"})] {
        let mut old = json!({"url": "turn:a.example", "username": "u", "credential": "c"});
        old.as_object_mut().unwrap().extend(urls.as_object().unwrap().clone());
        assert_eq!(read(json!([old])), json!([login(json!(["turn:a.example"]))]));
    }
}

#[test]
fn what_browsers_block_or_refuse_is_left_out_and_the_rest_stays_in_order() {
    let urls = json!([
        "stun:stun.cloudflare.com:53",
        "stun:a.example:3478?transport=udp",
        "turn:a.example:53?transport=udp",
        "turn:a.example:3478?transport=udp",
        "TURN:A.example:3478?transport=UDP",
        "turn:a.example?transport=sctp",
        "turn://a.example",
        "turn:user@a.example",
        "turn:a.example#x",
        "turn:a.example:0",
        "turn:a.example:587",
        "turn:a.example:70000",
        "turn:a.example:",
        "stuns:a.example",
        "http://a.example",
        "turn:",
        "turn:256.1.1.1",
        "turn:0x7f.1",
        "turn:[::1]:3478",
        "turn:[fe80::1%25eth0]",
        "turns:b.example:5349?transport=tcp",
        7,
        null,
    ]);
    let kept = json!([
        "stun:a.example:3478",
        "turn:a.example:3478?transport=udp",
        "turn:[::1]:3478",
        "turns:b.example:5349?transport=tcp",
    ]);
    assert_eq!(
        read(json!([{"urls": urls, "username": "u", "credential": "c"}])),
        json!([{"urls": kept, "username": "u", "credential": "c"}]),
    );
}

#[test]
fn a_relay_without_a_login_is_left_out() {
    for (username, credential) in [(json!(null), json!("c")), (json!("u"), json!("")), (json!("u\u{0}"), json!("c"))] {
        let server =
            json!({"urls": ["turn:a.example", "stun:a.example"], "username": username, "credential": credential});
        let set = IceSet::read(&json!([server]));
        assert!(!set.has_relay());
        assert_eq!(serde_json::to_value(set.to_servers()).unwrap(), json!([{"urls": ["stun:a.example"]}]));
    }
}

#[test]
fn stun_urls_are_a_list_with_commas_that_may_be_empty() {
    let parsed = StunUrls::parse(" stun:a.example , stun:b.example:3478,").unwrap();
    assert_eq!(parsed.as_slice(), ["stun:a.example", "stun:b.example:3478"]);
    assert!(StunUrls::parse("").unwrap().as_slice().is_empty());
    assert!(IceSet::from(&StunUrls::default()).to_servers().is_empty());
    for wrong in ["turn:a.example", "stun:a.example:53", "a.example"] {
        assert_eq!(StunUrls::parse(wrong), Err(wrong.to_owned()));
    }
}

/// The rules of webrtc-pc and of libwebrtc, written once more and without the parser under test.
fn a_browser_takes(server: &IceServer) -> bool {
    let login = server.username.as_deref().is_some_and(|name| !name.is_empty() && name.len() < 509)
        && server.credential.as_deref().is_some_and(|secret| !secret.is_empty());
    !server.urls.is_empty()
        && server.urls.iter().all(|text| {
            // Behind a special scheme the standard URL parser checks host and port as browsers do.
            let Some((scheme, rest)) = text.split_once(':') else {
                return false;
            };
            let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
            let as_http = ::url::Url::parse(&format!("http://{place}"));
            let place_is_sound = !place.is_empty()
                && !place.contains(['/', '@', '#', ' ', '\\', '%'])
                && as_http.is_ok_and(|url| {
                    url.host_str().is_some_and(|host| place.starts_with(host)) && url.port() != Some(0)
                })
                && !place.ends_with(":53")
                && !place.ends_with(':');
            let query_is_sound = match scheme {
                "stun" => !text.contains('?'),
                "turn" | "turns" => {
                    login && (!text.contains('?') || matches!(query, "transport=udp" | "transport=tcp"))
                }
                _ => false,
            };
            place_is_sound && query_is_sound
        })
}

fn any_url() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["stun", "turn", "turns", "stuns", "TURN", "http", ""]);
    let host = prop_oneof!["[a-z0-9.-]{0,12}", "\\[[0-9a-f:]{0,12}\\]", "[0-9]{1,3}(\\.[0-9]{1,3}){3}", "\\PC{0,8}"];
    let port = prop_oneof!["", ":[0-9]{0,6}", Just(":53".to_owned()), Just(":443".to_owned())];
    let query =
        prop_oneof!["", Just("?transport=udp".to_owned()), Just("?transport=tcp".to_owned()), "\\?[a-z=&]{0,9}"];
    prop_oneof![
        4 => (scheme, host, port, query).prop_map(|(scheme, host, port, query)| format!("{scheme}:{host}{port}{query}")),
        1 => "\\PC{0,24}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_url().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop::sample::select(vec!["iceServers", "urls", "url", "username", "credential", "v"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_answer() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![3 => Just(json!("abc")), 1 => any_json(), 1 => "\\PC{0,600}".prop_map(Value::from)];
    let server = (prop::collection::vec(any_url(), 0..12), text(), text())
        .prop_map(|(urls, username, credential)| json!({"urls": urls, "username": username, "credential": credential}));
    prop_oneof![
        3 => prop::collection::vec(server, 0..5).prop_map(Value::from),
        1 => any_json(),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_in_a_browser_takes_what_goes_out(answer in any_answer()) {
        let set = IceSet::read(&answer);
        let servers = set.to_servers();
        for server in &servers {
            prop_assert!(a_browser_takes(server), "{:?}", server);
        }
        let urls: Vec<_> = servers.iter().flat_map(|server| &server.urls).collect();
        prop_assert!(urls.len() <= MOST_URLS);
        prop_assert_eq!(urls.iter().collect::<BTreeSet<_>>().len(), urls.len());
        prop_assert_eq!(set.has_relay(), urls.iter().any(|url| url.starts_with("turn")));

        let again = IceSet::read(&serde_json::to_value(&servers).unwrap());
        prop_assert_eq!(again, set);
    }
}
