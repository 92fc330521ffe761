//! Bindings that web-sys lacks or hides behind its unstable switch.

use wasm_bindgen::prelude::*;
use web_sys::{HtmlMediaElement, MediaStream, RtcConfiguration, RtcPeerConnection, RtcRtpTransceiver};

#[wasm_bindgen]
extern "C" {
    /// An `HTMLMediaElement` that can give out what it plays.
    #[wasm_bindgen(extends = HtmlMediaElement)]
    pub type CapturableElement;

    /// `captureStream()` (W3C mediacapture-fromelement).
    #[wasm_bindgen(method, catch, js_name = captureStream)]
    fn capture_stream(this: &CapturableElement) -> Result<MediaStream, JsValue>;

    /// Firefox's name for it before version 149.
    #[wasm_bindgen(method, catch, js_name = mozCaptureStream)]
    fn moz_capture_stream(this: &CapturableElement) -> Result<MediaStream, JsValue>;

    /// An `RTCRtpTransceiver` whose methods may throw.
    #[wasm_bindgen(extends = RtcRtpTransceiver)]
    pub type Transceiver;

    /// `setCodecPreferences()` (W3C webrtc); web-sys binds it as if it could not fail.
    #[wasm_bindgen(method, catch, js_name = setCodecPreferences)]
    fn set_codec_preferences(this: &Transceiver, codecs: &js_sys::Array) -> Result<(), JsValue>;

    /// An `RTCPeerConnection` with what web-sys lacks.
    #[wasm_bindgen(extends = RtcPeerConnection)]
    pub type PeerConnection;

    /// `setConfiguration()` (W3C webrtc).
    #[wasm_bindgen(method, catch, js_name = setConfiguration)]
    fn set_configuration(this: &PeerConnection, configuration: &RtcConfiguration) -> Result<(), JsValue>;
}

/// Lets a connection use other ICE servers from its next restart on.
pub fn set_configuration(pc: &RtcPeerConnection, configuration: &RtcConfiguration) -> Result<(), JsValue> {
    pc.unchecked_ref::<PeerConnection>().set_configuration(configuration)
}

/// Asks for these codecs in this order.
pub fn set_codec_preferences(transceiver: &RtcRtpTransceiver, codecs: &js_sys::Array) -> Result<(), JsValue> {
    transceiver.unchecked_ref::<Transceiver>().set_codec_preferences(codecs)
}

/// What `element` plays, as a stream; `None` where the browser cannot do that.
pub fn capture(element: &HtmlMediaElement) -> Option<MediaStream> {
    let element: &CapturableElement = element.unchecked_ref();
    element.capture_stream().or_else(|_| element.moz_capture_stream()).ok()
}

/// A property of a JavaScript object, where it has one.
pub fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// Sets a property of a JavaScript object.
pub fn set_property(object: &JsValue, name: &str, value: &JsValue) {
    // Only a frozen object refuses, and these are our own.
    let _ = js_sys::Reflect::set(object, &name.into(), value);
}
