//! `getStats`, read into what the meters, the ladder and the badge need (W3C webrtc-stats).
//!
//! Every candidate pair whose local candidate is a relay counts, selected or not: media can run over a pair that neither
//! end names as selected.

use super::sys::property;
use crate::protocol::{CandidateType, Path, RelayTransport};
use crate::stream::{PairSample, Received, Sample, Sent};
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcPeerConnection, RtcStatsReport};

/// One report, sorted by what is read from it.
#[derive(Default)]
struct Report {
    locals: Vec<JsValue>,
    remotes: Vec<JsValue>,
    pairs: Vec<JsValue>,
    codecs: Vec<JsValue>,
    inbound: Vec<JsValue>,
    outbound: Vec<JsValue>,
    remote: Vec<JsValue>,
    sources: Vec<JsValue>,
    selected: Option<String>,
}

/// Reads the counters; `None` where the browser gives none.
pub async fn sample(pc: &RtcPeerConnection) -> Option<Sample> {
    let report: RtcStatsReport = JsFuture::from(pc.get_stats()).await.ok()?.unchecked_into();
    let report = Report::sorted(&report)?;
    let selected = report.selected();
    let path = match selected.and_then(|pair| report.is_relay(pair)) {
        Some(true) => Path::Relayed,
        Some(false) => Path::Direct,
        None => Path::NotConnected,
    };
    let counters = |pair: &JsValue| PairSample {
        id: text(pair, "id").unwrap_or_default(),
        bytes_received: count(pair, "bytesReceived"),
        bytes_sent: count(pair, "bytesSent"),
        packets_received: count(pair, "packetsReceived"),
        packets_sent: count(pair, "packetsSent"),
    };
    let relayed = report.pairs.iter().filter(|pair| report.is_relay(pair) == Some(true));
    let other_end = report.pairs.iter().filter(|pair| report.is_relay_of_other_end(pair));
    Some(Sample {
        path,
        selected: selected.and_then(|pair| text(pair, "id")),
        relayed: relayed.map(counters).collect(),
        other_end: other_end.map(counters).collect(),
        media_received: report.inbound.iter().map(|stream| count(stream, "bytesReceived")).sum(),
        quiet: report.inbound.iter().filter_map(quiet).min(),
        media_sent: report.outbound.iter().map(|stream| count(stream, "bytesSent")).sum(),
        round_trip: selected.and_then(|pair| seconds(pair, "currentRoundTripTime")),
        line: selected.map(|pair| count(pair, "availableOutgoingBitrate")).filter(|bits| *bits > 0),
        candidates: selected.map(|pair| report.candidates(pair)).unwrap_or_default(),
        received: picture(&report.inbound).map(|stream| report.received(stream)),
        sent: picture(&report.outbound).map(|stream| report.sent(stream)),
    })
}

impl Report {
    fn sorted(report: &RtcStatsReport) -> Option<Self> {
        let mut sorted = Self::default();
        for stat in js_sys::try_iter(&report.values()).ok()??.flatten() {
            let shelf = match text(&stat, "type").as_deref() {
                Some("local-candidate") => &mut sorted.locals,
                Some("remote-candidate") => &mut sorted.remotes,
                Some("candidate-pair") => &mut sorted.pairs,
                Some("codec") => &mut sorted.codecs,
                Some("inbound-rtp") => &mut sorted.inbound,
                Some("outbound-rtp") => &mut sorted.outbound,
                Some("remote-inbound-rtp") => &mut sorted.remote,
                Some("media-source") => &mut sorted.sources,
                Some("transport") => {
                    sorted.selected = text(&stat, "selectedCandidatePairId").or(sorted.selected);
                    continue;
                }
                _ => continue,
            };
            shelf.push(stat);
        }
        Some(sorted)
    }

    fn selected(&self) -> Option<&JsValue> {
        let named = self.selected.as_ref().and_then(|selected| named(&self.pairs, selected));
        // Firefox names no pair in its transport before version 153, and marks the pair instead.
        named.or_else(|| self.pairs.iter().find(|pair| flag(pair, "selected")))
    }

    fn is_relay(&self, pair: &JsValue) -> Option<bool> {
        let local = named(&self.locals, &text(pair, "localCandidateId")?)?;
        Some(text(local, "candidateType").as_deref() == Some("relay"))
    }

    /// Types and the way to the relay: never an address.
    fn candidates(&self, pair: &JsValue) -> (Option<CandidateType>, Option<CandidateType>, Option<RelayTransport>) {
        let of = |shelf: &[JsValue], id: &str| text(pair, id).and_then(|id| named(shelf, &id).cloned());
        let kind = |candidate: &Option<JsValue>| {
            candidate.as_ref().and_then(|candidate| CandidateType::of(&text(candidate, "candidateType")?))
        };
        let (local, remote) = (of(&self.locals, "localCandidateId"), of(&self.remotes, "remoteCandidateId"));
        let transport = local.as_ref().and_then(|local| RelayTransport::of(&text(local, "relayProtocol")?));
        (kind(&local), kind(&remote), transport)
    }

    fn is_relay_of_other_end(&self, pair: &JsValue) -> bool {
        let remote = text(pair, "remoteCandidateId").and_then(|id| named(&self.remotes, &id));
        remote.and_then(|remote| text(remote, "candidateType")).as_deref() == Some("relay")
    }

    fn codec(&self, stream: &JsValue) -> String {
        let mime = text(stream, "codecId").and_then(|id| text(named(&self.codecs, &id)?, "mimeType"));
        mime.as_deref().and_then(|mime| mime.split_once('/')).map(|(_, codec)| codec.to_owned()).unwrap_or_default()
    }

    fn received(&self, stream: &JsValue) -> Received {
        Received {
            frames: small(stream, "framesDecoded"),
            width: small(stream, "frameWidth"),
            height: small(stream, "frameHeight"),
            frozen: seconds(stream, "totalFreezesDuration").unwrap_or_default(),
            codec: self.codec(stream),
        }
    }

    fn sent(&self, stream: &JsValue) -> Sent {
        let source = text(stream, "mediaSourceId").and_then(|id| named(&self.sources, &id));
        let remote = text(stream, "remoteId").and_then(|id| named(&self.remote, &id));
        let lost = remote.and_then(|remote| seconds(remote, "fractionLost")).unwrap_or_default();
        Sent {
            frames: small(stream, "framesEncoded"),
            encoding: seconds(stream, "totalEncodeTime").unwrap_or_default(),
            width: small(stream, "frameWidth"),
            height: small(stream, "frameHeight"),
            source: source
                .map(|source| (small(source, "width"), small(source, "height")))
                .filter(|(width, height)| *width > 0 && *height > 0),
            source_fps: source.map(|source| small(source, "framesPerSecond")).unwrap_or_default(),
            lost_permille: u16::try_from(lost.as_millis()).unwrap_or_default(),
            codec: self.codec(stream),
        }
    }
}

fn picture(streams: &[JsValue]) -> Option<&JsValue> {
    streams.iter().find(|stream| text(stream, "kind").as_deref() == Some("video"))
}

/// Since the last packet. The two clocks may be apart by a little, and by so much that they say nothing.
fn quiet(stream: &JsValue) -> Option<Duration> {
    let millis = |name| property(stream, name)?.as_f64();
    let quiet = millis("timestamp")? - millis("lastPacketReceivedTimestamp")?;
    if quiet < -50.0 { None } else { Duration::try_from_secs_f64(quiet.max(0.0) / 1000.0).ok() }
}

fn named<'a>(stats: &'a [JsValue], id: &str) -> Option<&'a JsValue> {
    stats.iter().find(|stat| text(stat, "id").as_deref() == Some(id))
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

/// A number that is small by its nature; one that is not counts as none.
fn small<T: TryFrom<u64> + Default>(stat: &JsValue, name: &str) -> T {
    T::try_from(count(stat, name)).unwrap_or_default()
}

fn seconds(stat: &JsValue, name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(property(stat, name)?.as_f64()?).ok()
}
