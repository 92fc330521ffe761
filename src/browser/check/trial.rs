//! Two `RTCPeerConnection`s within the page that may reach each other through one relay only, and a data channel between them.

use super::Inputs;
use crate::browser::sys::property;
use crate::browser::{stats, timer, use_webrtc};
use crate::domain::ConnectionId;
use crate::protocol::IceServer;
use crate::stream::check::{End, Heard, Input, Place, Say};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MessageEvent, RtcConfiguration, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState, RtcDataChannelType,
    RtcIceCandidate, RtcIceTransportPolicy, RtcPeerConnection, RtcPeerConnectionIceEvent, RtcPeerConnectionState,
    RtcSdpType, RtcSessionDescriptionInit,
};

/// What every browser takes as one message.
const MESSAGE: u32 = 16 * 1024;
/// The last acknowledgements are still on their way when everything has arrived.
const SETTLED: Duration = Duration::from_millis(250);

/// The two ends. Closed when the last handle is dropped.
#[derive(Clone)]
pub struct Trial(Rc<[Side; 2]>);

struct Side {
    id: ConnectionId,
    pc: RtcPeerConnection,
    channel: RtcDataChannel,
    /// They live as long as the connection does.
    listeners: Vec<Closure<dyn FnMut(JsValue)>>,
}

type Candidates = UnboundedReceiver<(End, RtcIceCandidate)>;

impl Trial {
    /// Connects the two; what happens goes into the queue.
    pub fn begin(place: Place, server: &IceServer, ids: [ConnectionId; 2], inputs: &Inputs) -> Result<Self, JsValue> {
        let configuration = RtcConfiguration::new();
        configuration.set_ice_servers(&std::iter::once(use_webrtc::ice_server(server)).collect::<js_sys::Array>());
        configuration.set_ice_transport_policy(RtcIceTransportPolicy::Relay);
        let mut sides = [Side::new(ids[0], &configuration)?, Side::new(ids[1], &configuration)?];
        let (candidates, found) = unbounded();
        let channels = sides.each_ref().map(|side| side.channel.clone());
        for (side, end) in sides.iter_mut().zip([End::First, End::Second]) {
            side.listen_to_channel(place, end, channels.clone(), inputs);
            let candidates = candidates.clone();
            let candidate = Closure::new(move |event: JsValue| {
                if let Some(candidate) = event.unchecked_ref::<RtcPeerConnectionIceEvent>().candidate() {
                    let _ = candidates.unbounded_send((end, candidate));
                }
            });
            side.pc.set_onicecandidate(Some(candidate.as_ref().unchecked_ref()));
            side.listeners.push(candidate);
        }
        let trial = Self(Rc::new(sides));
        let pcs = trial.0.each_ref().map(|side| side.pc.clone());
        let inputs = inputs.clone();
        leptos::task::spawn_local(async move {
            if introduce(pcs, found).await.is_err() {
                inputs.push(Input::Heard(place, Heard::Broken));
            }
        });
        Ok(trial)
    }

    /// Sends something from one end. What cannot be sent does not arrive, which is noticed.
    pub fn say(&self, say: &Say) {
        match say {
            Say::Text(end, text) => drop(self.channel(*end).send_with_str(text)),
            Say::Bytes(end, bytes) => {
                let message = js_sys::ArrayBuffer::new(MESSAGE);
                let last = js_sys::ArrayBuffer::new(bytes % MESSAGE);
                for _ in 0..bytes / MESSAGE {
                    let _ = self.channel(*end).send_with_array_buffer(&message);
                }
                if last.byte_length() > 0 {
                    let _ = self.channel(*end).send_with_array_buffer(&last);
                }
            }
        }
    }

    /// Reads the counters of both ends.
    pub fn count(&self, inputs: &Inputs) {
        let (trial, inputs) = (self.clone(), inputs.clone());
        leptos::task::spawn_local(async move { trial.sample(&inputs).await });
    }

    /// Counts once more, and is gone.
    pub fn close(self, place: Place, inputs: &Inputs) {
        let inputs = inputs.clone();
        leptos::task::spawn_local(async move {
            timer::sleep(SETTLED).await;
            self.sample(&inputs).await;
            drop(self);
            inputs.push(Input::Closed(place));
        });
    }

    async fn sample(&self, inputs: &Inputs) {
        for side in self.0.iter() {
            if let Some(sample) = stats::sample(&side.pc).await {
                inputs.push(Input::Sampled(side.id, sample));
            }
        }
    }

    fn channel(&self, end: End) -> &RtcDataChannel {
        match end {
            End::First => &self.0[0].channel,
            End::Second => &self.0[1].channel,
        }
    }
}

impl Side {
    fn new(id: ConnectionId, configuration: &RtcConfiguration) -> Result<Self, JsValue> {
        let pc = RtcPeerConnection::new_with_configuration(configuration)?;
        let init = RtcDataChannelInit::new();
        init.set_negotiated(true);
        init.set_id(0);
        let channel = pc.create_data_channel_with_data_channel_dict("check", &init);
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        Ok(Self { id, pc, channel, listeners: Vec::new() })
    }

    fn listen_to_channel(&mut self, place: Place, end: End, channels: [RtcDataChannel; 2], inputs: &Inputs) {
        let heard = move |heard| Some(Input::Heard(place, heard));
        let opened = inputs.listener(move |_| {
            let both = channels.iter().all(|channel| channel.ready_state() == RtcDataChannelState::Open);
            both.then_some(Heard::Opened).and_then(heard)
        });
        let told = inputs.listener(move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            match data.as_string() {
                Some(text) => heard(Heard::Text(end, text)),
                None => heard(Heard::Bytes(end, data.dyn_into::<js_sys::ArrayBuffer>().ok()?.byte_length())),
            }
        });
        let connection = self.pc.clone();
        let state = inputs.listener(move |_| {
            let failed = connection.connection_state() == RtcPeerConnectionState::Failed;
            failed.then_some(Heard::Broken).and_then(heard)
        });
        self.channel.set_onopen(Some(opened.as_ref().unchecked_ref()));
        self.channel.set_onmessage(Some(told.as_ref().unchecked_ref()));
        self.pc.set_onconnectionstatechange(Some(state.as_ref().unchecked_ref()));
        self.listeners.extend([opened, told, state]);
    }
}

impl Drop for Side {
    /// The last events of a closing connection must not reach closures that are gone.
    fn drop(&mut self) {
        self.channel.set_onopen(None);
        self.channel.set_onmessage(None);
        self.pc.set_onconnectionstatechange(None);
        self.pc.set_onicecandidate(None);
        self.pc.close();
    }
}

/// Offer and answer, and then every candidate to the other end, until both are gone.
async fn introduce([first, second]: [RtcPeerConnection; 2], mut candidates: Candidates) -> Result<(), JsValue> {
    let offer = described(RtcSdpType::Offer, &JsFuture::from(first.create_offer()).await?);
    JsFuture::from(first.set_local_description(&offer)).await?;
    JsFuture::from(second.set_remote_description(&offer)).await?;
    let answer = described(RtcSdpType::Answer, &JsFuture::from(second.create_answer()).await?);
    JsFuture::from(second.set_local_description(&answer)).await?;
    JsFuture::from(first.set_remote_description(&answer)).await?;
    while let Some((from, candidate)) = candidates.next().await {
        let to = match from {
            End::First => &second,
            End::Second => &first,
        };
        // One that the browser does not take costs that candidate, not the connection.
        let _ = JsFuture::from(to.add_ice_candidate_with_opt_rtc_ice_candidate(Some(&candidate))).await;
    }
    Ok(())
}

fn described(kind: RtcSdpType, description: &JsValue) -> RtcSessionDescriptionInit {
    let init = RtcSessionDescriptionInit::new(kind);
    init.set_sdp(&property(description, "sdp").and_then(|sdp| sdp.as_string()).unwrap_or_default());
    init
}
