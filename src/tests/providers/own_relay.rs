//! The operator's own relays: coturn with a shared secret, and one login for everybody.

use super::*;
use crate::server::providers::Handle;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

fn coturn() -> Variables {
    vec![
        ("COTURN_URLS", "turn:turn.example:3478,turns:turn.example:443?transport=tcp".to_owned()),
        ("COTURN_SHARED_SECRET", "north,south".to_owned()),
        ("TURN_CREDENTIAL_TTL", "600".to_owned()),
    ]
}

fn fixed() -> Variables {
    vec![
        ("STATIC_TURN_URLS", "stun:turn.example,turn:turn.example:3478".to_owned()),
        ("STATIC_TURN_USERNAME", "user".to_owned()),
        ("STATIC_TURN_CREDENTIAL", "pässword with spaces".to_owned()),
    ]
}

#[tokio::test]
async fn coturn_gets_expiry_and_pseudonym_signed_with_the_first_secret() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let grant = mint(&coturn()).await.unwrap();
    let username = format!("1800000600:{}", pseudonym());
    let mut mac = Hmac::<Sha1>::new_from_slice(b"north").unwrap();
    mac.update(username.as_bytes());
    let credential = STANDARD.encode(mac.finalize().into_bytes());
    let urls = ["turn:turn.example:3478", "turns:turn.example:443?transport=tcp"];
    assert_eq!(servers(&grant), json!([{"urls": urls, "username": username, "credential": credential}]));
    assert_eq!((life(&grant), grant.handle.as_ref().map(Handle::username)), (600, Some(username.as_str())));
    let user = username.split_once(':').unwrap().1;
    assert!(user.len() <= 64 && user.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{user}");
}

#[tokio::test]
async fn a_static_login_is_handed_on_and_asked_for_again_after_its_time() {
    let grant = mint(&fixed()).await.unwrap();
    let urls = ["stun:turn.example", "turn:turn.example:3478"];
    let login = json!([{"urls": urls, "username": "user", "credential": "pässword with spaces"}]);
    assert_eq!((servers(&grant), life(&grant), grant.handle), (login, 86_400, None));
}

#[tokio::test]
async fn what_no_provider_can_take_back_is_said() {
    let (provider, clock) = provider(&coturn());
    let handle = provider.mint(whom(), provider.life(), &clock).await.unwrap().handle.unwrap();
    let sentence = provider.revoke(&handle).await.unwrap_err().to_string();
    assert_eq!(sentence, "coturn takes no credential back: it ends when it expires");
}
