//! What stands behind the question mark, and the settings and names that are read like it.

#![no_main]

use axum::http::Uri;
use libfuzzer_sys::fuzz_target;
use tessro::{
    domain::{InviteKey, Language, ParticipantName, ParticipantToken, ProviderName, SessionCode},
    server::{
        guard::{KeyDigest, RateLimit},
        http::parameter,
        providers::{Near, StunUrls},
        relay::Networks,
    },
};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(uri) = format!("/api/turn?{text}").parse::<Uri>() {
        for name in ["service", "username", "key"] {
            let _value = parameter(&uri, name);
        }
    }
    let _near = Near::new(Some(&text), Some(&text));
    let _names = (SessionCode::parse(&text), text.parse::<ParticipantToken>(), text.parse::<ProviderName>());
    if let Ok(name) = ParticipantName::parse(&text) {
        assert_eq!(ParticipantName::parse(name.as_str()).as_ref(), Ok(&name));
    }
    let _link = InviteKey::in_fragment(&text);
    let _language = Language::of_request(&text, &text);
    let _settings = (RateLimit::parse(&text), KeyDigest::parse(&text), StunUrls::parse(&text), Networks::parse(&text));
});
