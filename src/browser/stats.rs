//! `getStats`, read into what the meters need (W3C webrtc-stats).
//!
//! Every candidate pair whose local candidate is a relay counts, selected or not: media can run over a pair that neither
//! end names as selected.

use super::sys::property;
use crate::protocol::Path;
use crate::stream::{PairSample, Sample};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcPeerConnection, RtcStatsReport};

/// Reads the counters; `None` where the browser gives none.
pub async fn sample(pc: &RtcPeerConnection) -> Option<Sample> {
    let report: RtcStatsReport = JsFuture::from(pc.get_stats()).await.ok()?.unchecked_into();
    let mut relays = Vec::new();
    let mut pairs = Vec::new();
    let mut selected = None;
    for stat in js_sys::try_iter(&report.values()).ok()??.flatten() {
        let Some(id) = text(&stat, "id") else { continue };
        match text(&stat, "type").as_deref() {
            Some("local-candidate") => {
                relays.push((id, text(&stat, "candidateType").as_deref() == Some("relay")));
            }
            Some("candidate-pair") => {
                pairs.push((id, stat));
            }
            Some("transport") => selected = text(&stat, "selectedCandidatePairId").or(selected),
            _ => {}
        }
    }
    let is_relay = |pair: &JsValue| {
        let local = text(pair, "localCandidateId")?;
        relays.iter().find(|(id, _)| *id == local).map(|(_, relay)| *relay)
    };
    let named = selected.and_then(|selected| pairs.iter().find(|(id, _)| *id == selected));
    // Firefox names no pair in its transport before version 153, and marks the pair instead.
    let selected = named.or_else(|| pairs.iter().find(|(_, pair)| flag(pair, "selected"))).map(|(_, pair)| pair);
    let path = match selected.and_then(is_relay) {
        Some(true) => Path::Relayed,
        Some(false) => Path::Direct,
        None => Path::NotConnected,
    };
    let relayed = pairs.iter().filter(|(_, pair)| is_relay(pair) == Some(true)).map(|(id, pair)| PairSample {
        id: id.clone(),
        bytes_received: count(pair, "bytesReceived"),
        bytes_sent: count(pair, "bytesSent"),
        packets_received: count(pair, "packetsReceived"),
        packets_sent: count(pair, "packetsSent"),
    });
    Some(Sample { path, relayed: relayed.collect() })
}

fn text(stat: &JsValue, name: &str) -> Option<String> {
    property(stat, name)?.as_string()
}

fn flag(stat: &JsValue, name: &str) -> bool {
    property(stat, name).is_some_and(|value| value.is_truthy())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters are whole and below 2^53")]
fn count(stat: &JsValue, name: &str) -> u64 {
    property(stat, name).and_then(|value| value.as_f64()).map_or(0, |value| value.max(0.0) as u64)
}
