//! Xirsys: two shapes of yes, and a no that looks like yes.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use wiremock::{Mock, ResponseTemplate, matchers::any};

pub(super) fn variables(stand_in: &str) -> Variables {
    vec![
        ("XIRSYS_IDENT", "ident".to_owned()),
        ("XIRSYS_SECRET", "xirsys-secret".to_owned()),
        ("XIRSYS_CHANNEL", "my/channel".to_owned()),
        ("XIRSYS_API_BASE", stand_in.to_owned()),
    ]
}

fn value(v: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"v": v, "s": "ok"}))
}

fn as_object() -> Value {
    json!({"iceServers": relay(&json!(["stun:xx-turn2.xirsys.com", "turn:xx-turn2.xirsys.com:80?transport=udp"]))})
}

pub(super) fn good() -> ResponseTemplate {
    value(&as_object())
}

async fn minted_of(answer: ResponseTemplate) -> Result<Grant, String> {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&stand_in).await;
    mint(&variables(&stand_in.uri())).await
}

#[tokio::test]
async fn credentials_are_put_for_a_channel() {
    let stand_in = MockServer::start().await;
    Mock::given(any()).respond_with(good()).mount(&stand_in).await;
    let grant = mint(&variables(&stand_in.uri())).await.unwrap();
    assert_eq!((grant.provider.to_string().as_str(), life(&grant)), ("xirsys", 86_400));
    let [request] = requests(&stand_in).await.try_into().unwrap();
    assert_eq!(target(&request), "PUT /_turn/my/channel");
    assert_eq!(header(&request, "authorization"), format!("Basic {}", STANDARD.encode("ident:xirsys-secret")));
    assert_eq!(body(&request), json!({"format": "urls", "expire": 86_400}));
}

#[tokio::test]
async fn both_shapes_are_read_and_the_one_in_a_list_too() {
    let urls = json!(["stun:xx-turn2.xirsys.com", "turn:xx-turn2.xirsys.com:80?transport=udp"]);
    for shape in [as_object(), json!([as_object()])] {
        assert_eq!(servers(&minted_of(value(&shape)).await.unwrap()), json!([relay(&urls)]), "{shape}");
    }
    let mut old = relay(&json!(null));
    old["url"] = "turn:xx-turn2.xirsys.com:80?transport=udp".into();
    let list = json!({"iceServers": [{"url": "stun:xx-turn2.xirsys.com"}, old]});
    let expected = json!([
        {"urls": ["stun:xx-turn2.xirsys.com"]},
        relay(&json!(["turn:xx-turn2.xirsys.com:80?transport=udp"])),
    ]);
    assert_eq!(servers(&minted_of(value(&list)).await.unwrap()), expected);
}

#[tokio::test]
async fn a_no_with_status_200_is_a_no() {
    let no = |v: Value| ResponseTemplate::new(200).set_body_json(json!({"s": "error", "v": v}));
    let sentence = minted_of(no(json!("path_not_found"))).await.unwrap_err();
    assert!(sentence.starts_with("Xirsys API said no (path_not_found): check XIRSYS_IDENT"), "{sentence}");
    // What is no plain word may repeat what was sent.
    let long = "x".repeat(100);
    for v in [json!("bad secret: xirsys-secret"), json!({"a": 1}), json!(null), json!(""), json!(long)] {
        let sentence = minted_of(no(v)).await.unwrap_err();
        assert!(sentence.contains("(it does not say why)"), "{sentence}");
    }
    // Credentials that come with a no, and an answer that says neither, are none.
    for s in [json!("error"), json!(null), json!(true)] {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"v": as_object(), "s": s}));
        assert!(minted_of(answer).await.is_err());
    }
}

#[tokio::test]
async fn a_yes_that_holds_nothing_is_none() {
    for v in [json!(null), json!([]), json!({}), json!({"iceServers": []}), json!("ok")] {
        let sentence = minted_of(value(&v)).await.unwrap_err();
        assert!(sentence.contains("there is no relay in it"), "{v}: {sentence}");
    }
}
