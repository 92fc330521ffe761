//! A host's two senders of one connection: their tracks, and how they are encoded.

use super::codecs;
use super::peer::Tracks;
use super::sys::{get_parameters, property, set_parameters, set_property};
use crate::stream::{Encoding, Rung};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MediaStreamTrack, RtcPeerConnection, RtcRtpEncodingParameters, RtcRtpSender, RtcRtpTransceiver,
    RtcRtpTransceiverDirection, RtcRtpTransceiverInit,
};

/// Stereo Opus without audible loss.
const AUDIO_BITS_PER_SECOND: u32 = 192_000;

/// Both senders are there from the beginning, so that any film fits without a new negotiation.
pub struct Senders {
    video: RtcRtpSender,
    audio: RtcRtpSender,
}

impl Senders {
    /// Adds both; `tracks` are what they send.
    pub fn add(pc: &RtcPeerConnection, tracks: &Tracks) -> Self {
        let video = add_transceiver(pc, "video", tracks.video.as_ref(), Rung::P1080.most_bits());
        codecs::prefer_cheap(&video);
        let audio = add_transceiver(pc, "audio", tracks.audio.as_ref(), AUDIO_BITS_PER_SECOND);
        Self { video: video.sender(), audio: audio.sender() }
    }

    /// Sends these tracks from now on, without a new negotiation.
    pub async fn replace(&self, tracks: &Tracks) -> Result<(), JsValue> {
        JsFuture::from(self.video.replace_track(tracks.video.as_ref())).await?;
        JsFuture::from(self.audio.replace_track(tracks.audio.as_ref())).await.map(drop)
    }

    /// Encodes like this from now on. A browser that refuses a setting keeps its own, and the film goes on.
    pub async fn encode(&self, encoding: Encoding) {
        let picture = [
            ("active", encoding.picture.into()),
            ("maxBitrate", encoding.picture_bits.into()),
            ("scaleResolutionDownBy", (f64::from(encoding.scale_permille) / 1000.0).into()),
            ("maxFramerate", encoding.fps.into()),
        ];
        // The ladder decides on the size; left to itself the browser would shrink the picture of a busy machine further.
        let picture = Settings { encoding: &picture, degradation: Some("maintain-resolution"), key_frame: false };
        let _ = set(&self.video, picture).await;
        let sound = [("active", encoding.sound.into()), ("maxBitrate", encoding.sound_bits.into())];
        let _ = set(&self.audio, Settings { encoding: &sound, ..Settings::default() }).await;
    }

    /// Encodes the next picture whole, where the browser can be told to.
    pub async fn key_frame(&self) {
        let _ = set(&self.video, Settings { key_frame: true, ..Settings::default() }).await;
    }
}

/// What is to change at a sender.
#[derive(Default)]
struct Settings<'a> {
    /// Of its one encoding.
    encoding: &'a [(&'a str, JsValue)],
    degradation: Option<&'a str>,
    key_frame: bool,
}

async fn set(sender: &RtcRtpSender, settings: Settings<'_>) -> Result<(), JsValue> {
    // What is given back has to be what was just given out, transaction and all.
    let parameters = get_parameters(sender)?;
    let encodings = property(&parameters, "encodings").map(|encodings| js_sys::Array::from(&encodings));
    let Some(first) = encodings.map(|encodings| encodings.get(0)).filter(JsValue::is_object) else {
        return Ok(());
    };
    for (name, value) in settings.encoding {
        set_property(&first, name, value);
    }
    if let Some(degradation) = settings.degradation {
        set_property(&parameters, "degradationPreference", &degradation.into());
    }
    JsFuture::from(set_parameters(sender, &parameters, settings.key_frame)?).await.map(drop)
}

fn add_transceiver(
    pc: &RtcPeerConnection,
    kind: &str,
    track: Option<&MediaStreamTrack>,
    bits: u32,
) -> RtcRtpTransceiver {
    let encoding = RtcRtpEncodingParameters::new();
    encoding.set_max_bitrate(bits);
    let init = RtcRtpTransceiverInit::new();
    init.set_direction(RtcRtpTransceiverDirection::Sendonly);
    init.set_send_encodings(&js_sys::Array::of1(&encoding));
    match track {
        Some(track) => pc.add_transceiver_with_media_stream_track_and_init(track, &init),
        None => pc.add_transceiver_with_str_and_init(kind, &init),
    }
}
