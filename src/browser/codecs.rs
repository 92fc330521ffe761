//! Which codec: what this machine does in hardware first, then H.264, which in software costs a third of VP8.
//!
//! Both ends ask their own browser (W3C Media Capabilities, type `webrtc`) while the page loads. The host orders its offer
//! by what it encodes cheaply; a guest whose machine does not decode the first of them smoothly answers in an order of its
//! own. Nobody waits: what is not known by then is left to the browser.

use super::sys::{media_capabilities, property, set_codec_preferences};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcPeerConnection, RtcRtpReceiver, RtcRtpSender, RtcRtpTransceiver};

/// Cheap ones first, as far as software goes.
const CODECS: [&str; 4] = ["H264", "VP8", "VP9", "AV1"];

thread_local! {
    static LEARNT: RefCell<Learnt> = RefCell::default();
}

/// What the browser says of its codecs.
#[derive(Debug, Clone, Default)]
struct Learnt {
    /// Encoded in hardware.
    encodes: Vec<&'static str>,
    /// Decoded in hardware.
    decodes: Vec<&'static str>,
    /// Not decoded fast enough for a film.
    stumbles: Vec<&'static str>,
}

/// Asks the browser, once a page.
pub fn learn() {
    leptos::task::spawn_local(async {
        let mut learnt = Learnt::default();
        for codec in CODECS {
            if let Some(info) = ask("encodingInfo", codec).await
                && says(&info, "powerEfficient")
                && says(&info, "smooth")
            {
                learnt.encodes.push(codec);
            }
            if let Some(info) = ask("decodingInfo", codec).await.filter(|info| says(info, "supported")) {
                if !says(&info, "smooth") {
                    learnt.stumbles.push(codec);
                } else if says(&info, "powerEfficient") {
                    learnt.decodes.push(codec);
                }
            }
        }
        LEARNT.set(learnt);
    });
}

/// Orders what a host offers.
pub fn prefer_cheap(video: &RtcRtpTransceiver) {
    let learnt = LEARNT.with_borrow(Clone::clone);
    if let Some(capabilities) = RtcRtpSender::get_capabilities("video") {
        order(video, &capabilities, |codec| (!learnt.encodes.contains(&codec), place(codec)));
    }
}

/// Orders what a guest answers, where the first codec of the offer is too much for its machine.
pub fn answer_smooth(pc: &RtcPeerConnection, offered_first: Option<&str>) {
    let learnt = LEARNT.with_borrow(Clone::clone);
    let stumbles = |codec: &str| learnt.stumbles.iter().any(|slow| slow.eq_ignore_ascii_case(codec));
    if !offered_first.is_some_and(stumbles) {
        return;
    }
    let Some(capabilities) = RtcRtpReceiver::get_capabilities("video") else { return };
    for transceiver in pc.get_transceivers() {
        let transceiver: RtcRtpTransceiver = transceiver.unchecked_into();
        if transceiver.receiver().track().kind() == "video" {
            order(&transceiver, &capabilities, |codec| {
                (stumbles(codec), if learnt.decodes.contains(&codec) { 0 } else { 1 + place(codec) })
            });
        }
    }
}

fn order<K: Ord>(transceiver: &RtcRtpTransceiver, capabilities: &JsValue, key: impl Fn(&'static str) -> K) {
    let Some(codecs) = property(capabilities, "codecs") else { return };
    let all: Vec<JsValue> = js_sys::Array::from(&codecs).to_vec();
    let name = |codec: &JsValue| {
        let mime = property(codec, "mimeType")?.as_string()?;
        let name = mime.split_once('/')?.1;
        CODECS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
    };
    let (mut known, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|codec| name(codec).is_some());
    if known.is_empty() {
        return;
    }
    known.sort_by_key(|codec| name(codec).map(&key));
    let ordered: js_sys::Array = known.into_iter().chain(others).collect();
    // Where the browser refuses the order it keeps its own.
    let _ = set_codec_preferences(transceiver, &ordered);
}

fn place(codec: &str) -> usize {
    CODECS.iter().position(|known| *known == codec).unwrap_or(CODECS.len())
}

async fn ask(method: &str, codec: &str) -> Option<JsValue> {
    JsFuture::from(media_capabilities(method, codec)?).await.ok()
}

fn says(info: &JsValue, name: &str) -> bool {
    property(info, name).is_some_and(|value| value.is_truthy())
}
