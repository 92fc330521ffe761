//! Every parser of what comes from outside, against inputs that look for trouble: those in `corpus/`, which are kept, and made-up
//! ones, of which `script/test fuzz` makes many.
//!
//! What is asked of a parser here is that it answers, soon and without a panic, and that what it took it takes again. What each
//! makes of good input is tested where it lives; so are the parsers of the relay, which have a corpus of their own.

use crate::{
    domain::{InviteKey, Language, ParticipantName, ParticipantToken, ProviderName, SessionCode},
    protocol::{
        AdminAction, AdminTicket, ChatText, CheckUsage, ClientMessage, IceAnswer, ServerMessage, SideMessage,
        UsageBeacon,
    },
    server::{
        guard::{KeyDigest, Origin, RateLimit},
        providers::{IceSet, Near, StunUrls},
        relay::Networks,
        usage,
    },
    stream::{sdp, subtitles},
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::{fs, path::Path};
use tokio::time::Instant;

/// What is read is read again from what is written of it.
fn json<T: DeserializeOwned + Serialize>(text: &str) {
    if let Ok(read) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&read).unwrap();
        let again: T = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(serde_json::to_string(&again).unwrap(), written);
    }
}

fn every_parser(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    json::<ClientMessage>(&text);
    // What a page makes of its server's words: another version may say anything.
    json::<ServerMessage>(&text);
    json::<IceAnswer>(&text);
    json::<SideMessage>(&text);
    json::<AdminAction>(&text);
    json::<UsageBeacon>(&text);
    let _ = serde_json::from_str::<AdminTicket>(&text);
    if let Ok(beacon) = serde_json::from_str::<UsageBeacon>(&text) {
        let _usable = beacon.reports.iter().filter(|report| usage::check(report).is_ok()).count();
    }
    if let Ok(sent) = serde_json::from_str::<CheckUsage>(&text) {
        let _usable = sent.reports.iter().filter(|report| usage::check(report).is_ok()).count();
    }
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text) {
        let _ = IceSet::read(&answer).to_servers();
        // Cloudflare and Metered, Twilio, Xirsys.
        for servers in [&answer["iceServers"], &answer["ice_servers"], &answer["v"]["iceServers"]] {
            let _ = IceSet::read(servers).to_servers();
        }
    }
    if let Ok(name) = ParticipantName::parse(&text) {
        assert_eq!(ParticipantName::parse(name.as_str()), Ok(name));
    }
    if let Ok(said) = ChatText::parse(&text) {
        assert_eq!(ChatText::parse(said.as_str()), Ok(said));
    }
    if let Some(origin) = Origin::parse(&text) {
        assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
    }
    let _ = SessionCode::parse(&text);
    let _ = text.parse::<ParticipantToken>();
    let _ = text.parse::<ProviderName>();
    let _ = InviteKey::in_fragment(&text);
    let _ = Language::of_request(&text, &text);
    let _ = (RateLimit::parse(&text), KeyDigest::parse(&text));
    let _ = (StunUrls::parse(&text), Networks::parse(&text));
    let _ = Near::new(Some(&text), Some(&text));
    let _ = (sdp::with_film_sound(&text), sdp::with_sharp_start(&text), sdp::first_picture_codec(&text));
    let _ = subtitles::Encoding::guess(bytes);
    for cue in subtitles::parse(&text) {
        assert!(cue.start_ms < cue.end_ms && !subtitles::spans(&cue.text).is_empty(), "{cue:?}");
    }
}

#[test]
fn what_is_kept_of_hostile_input_breaks_no_parser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/corpus");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 40, "the corpus is not where it should be");
    for file in files {
        let (bytes, before) = (fs::read(&file).unwrap(), Instant::now());
        every_parser(&bytes);
        assert!(before.elapsed().as_secs() < 5, "{} took {:?}", file.display(), before.elapsed());
    }
}

/// What means something to one of the parsers.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\u0000",
    "\\ud800",
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "\"type\"",
    "\"chat\"",
    "\"signal\"",
    "\"kind\"",
    "__proto__",
    "<i>",
    "</b>",
    "<script>",
    "&#60;",
    "-->",
    "00:00:01,000",
    "\r\n",
    "\n\n",
    "WEBVTT",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "a=fmtp:96 ",
    "a=rtpmap:96 ",
    "https://",
    "turn:",
    "@",
    "%00",
    "/64",
    "::1",
    "10/5m",
    "K7M3QX",
    ".",
    "=",
    ";q=",
    "é",
    "\u{202e}",
    "\u{feff}",
];

fn nearly_something() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => "\\PC{1,8}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A message that is good but for a few bytes.
fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let good = prop::sample::select(vec![
        r#"{"type":"join","code":"K7M3QX","name":"Ada","password":"popcorn","invite":null}"#,
        r#"{"type":"chat","text":"hello","nonce":7}"#,
        r#"{"type":"signal","connection":"0000000000000001","signal":{"kind":"offer","sdp":"v=0","generation":0}}"#,
        r#"{"type":"cues","track":1,"part":0,"parts":1,"cues":[{"s":1,"e":2,"t":"a"}]}"#,
        concat!(
            r#"{"type":"welcome","token":"K7M3QX.0123456789abcdef.0123456789abcdef0123456789abcdef","you":"0123456789abcdef","#,
            r#""snapshot":{"revision":7,"code":"K7M3QX","participants":[{"id":"0123456789abcdef","name":"Ada","role":"host","#,
            r#""connected":true,"watching":false}],"film":null,"locked":false,"relay":"plenty"},"chat":[],"invite":null}"#,
        ),
        r#"{"type":"relay_over","provider":"coturn:fra","reason":"share"}"#,
        r#"{"iceServers":[{"urls":["turn:a.example"],"username":"u","credential":"c"}],"provider":"coturn","degraded":false}"#,
        r#"{"s":"ok","v":{"iceServers":{"urls":["stun:a.example","turn:a.example:80"],"username":"u","credential":"c"}}}"#,
        r#"{"ice_servers":[{"url":"turn:a.example:3478","username":"u","credential":"c"}],"ttl":"86400"}"#,
        r#"{"do":"pause_provider","provider":"cloudflare:eu","paused":true}"#,
        "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\n\n2\n00:00:03,000 --> 00:00:04,000\n<b>there</b>\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n",
    ]);
    (good, prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)).prop_map(|(good, changes)| {
        let mut bytes = good.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn nothing_that_is_nearly_something_breaks_a_parser(bytes in nearly_something()) {
        every_parser(&bytes);
    }

    #[test]
    fn no_message_with_a_few_wrong_bytes_breaks_a_parser(bytes in nearly_a_message()) {
        every_parser(&bytes);
    }
}
