//! One `RTCPeerConnection` that connects to nobody: it only asks one ICE server for addresses.

use super::Inputs;
use crate::browser::sys::property;
use crate::browser::use_webrtc;
use crate::protocol::IceServer;
use crate::stream::check::{CandidateKind, Failure, Input, Place};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcConfiguration, RtcPeerConnection, RtcSdpType, RtcSessionDescriptionInit};

const EVENTS: [&str; 2] = ["icecandidate", "icecandidateerror"];

/// Closed when it is dropped.
pub struct Gathering {
    pc: RtcPeerConnection,
    listeners: [Closure<dyn FnMut(JsValue)>; 2],
}

impl Gathering {
    /// Asks this server alone, or none; what comes of it goes into the queue.
    pub fn begin(place: Place, server: Option<&IceServer>, inputs: &Inputs) -> Option<Self> {
        let configuration = RtcConfiguration::new();
        configuration.set_ice_servers(&server.into_iter().map(use_webrtc::ice_server).collect::<js_sys::Array>());
        let Ok(pc) = RtcPeerConnection::new_with_configuration(&configuration) else {
            inputs.push(Input::Failed(place, Failure::Unusable));
            inputs.push(Input::Gathered(place));
            return None;
        };
        let candidate = inputs.listener(move |event| match property(&event, "candidate") {
            Some(candidate) => kind(&candidate).map(|kind| Input::Candidate(place, kind)),
            None => Some(Input::Gathered(place)),
        });
        let error = inputs.listener(move |event| {
            let code = property(&event, "errorCode").and_then(|code| code.as_f64()).unwrap_or_default();
            let text = property(&event, "errorText").and_then(|text| text.as_string()).unwrap_or_default();
            Some(Input::Failed(place, Failure::of_event(whole(code), &text)))
        });
        let listeners = [candidate, error];
        for (name, listener) in EVENTS.iter().zip(&listeners) {
            let _ = pc.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
        // Without anything to send there is nothing to gather for.
        let _channel = pc.create_data_channel("check");
        let (offering, inputs) = (pc.clone(), inputs.clone());
        leptos::task::spawn_local(async move {
            if offer(&offering).await.is_err() {
                inputs.push(Input::Failed(place, Failure::Unusable));
                inputs.push(Input::Gathered(place));
            }
        });
        Some(Self { pc, listeners })
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        for (name, listener) in EVENTS.iter().zip(&self.listeners) {
            let _ = self.pc.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
        self.pc.close();
    }
}

async fn offer(pc: &RtcPeerConnection) -> Result<(), JsValue> {
    let offer = JsFuture::from(pc.create_offer()).await?;
    let init = RtcSessionDescriptionInit::new(RtcSdpType::Offer);
    init.set_sdp(&property(&offer, "sdp").and_then(|sdp| sdp.as_string()).unwrap_or_default());
    JsFuture::from(pc.set_local_description(&init)).await.map(drop)
}

/// The kind of an `RTCIceCandidate`; `None` for the empty one that ends a generation.
fn kind(candidate: &JsValue) -> Option<CandidateKind> {
    match property(candidate, "type")?.as_string()?.as_str() {
        "host" => Some(CandidateKind::Host),
        "srflx" => Some(CandidateKind::Reflexive),
        "relay" => Some(CandidateKind::Relayed),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes have three digits")]
fn whole(code: f64) -> u16 {
    code as u16
}
