//! Bindings that web-sys lacks or hides behind its unstable switch.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlMediaElement, MediaStream, RtcConfiguration, RtcPeerConnection, RtcRtpSender, RtcRtpTransceiver};

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

    /// An `RTCRtpSender` whose methods may throw.
    #[wasm_bindgen(extends = RtcRtpSender)]
    pub type Sender;

    /// `getParameters()` (W3C webrtc), as the browser gives them.
    #[wasm_bindgen(method, catch, js_name = getParameters)]
    fn get_parameters(this: &Sender) -> Result<JsValue, JsValue>;

    /// `setParameters()` (W3C webrtc), with what `getParameters` gave just before. Browsers that know no options leave them out.
    #[wasm_bindgen(method, catch, js_name = setParameters)]
    fn set_parameters(this: &Sender, parameters: &JsValue, options: &JsValue) -> Result<js_sys::Promise, JsValue>;
}

/// How a sender encodes.
pub fn get_parameters(sender: &RtcRtpSender) -> Result<JsValue, JsValue> {
    sender.unchecked_ref::<Sender>().get_parameters()
}

/// How a sender encodes from now on. `key_frame`: and that the next picture is whole (W3C webrtc-extensions, `encodingOptions`).
pub fn set_parameters(
    sender: &RtcRtpSender,
    parameters: &JsValue,
    key_frame: bool,
) -> Result<js_sys::Promise, JsValue> {
    let options = js_sys::Object::new();
    if key_frame {
        let encoding = js_sys::Object::new();
        set_property(&encoding, "keyFrame", &true.into());
        set_property(&options, "encodingOptions", &js_sys::Array::of1(&encoding));
    }
    sender.unchecked_ref::<Sender>().set_parameters(parameters, &options)
}

/// Asks how well this machine encodes or decodes a film in a codec (W3C media-capabilities); `None` where it cannot say.
pub fn media_capabilities(method: &str, codec: &str) -> Option<js_sys::Promise> {
    let capabilities = property(&web_sys::window()?.navigator(), "mediaCapabilities")?;
    let video = object(&[
        ("contentType", format!("video/{codec}").into()),
        ("width", 1280.into()),
        ("height", 720.into()),
        ("bitrate", 4_000_000.into()),
        ("framerate", 30.into()),
    ]);
    let question = object(&[("type", "webrtc".into()), ("video", video)]);
    invoke(&capabilities, method, &[question]).ok()?.dyn_into().ok()
}

/// Lets a connection use other ICE servers from its next restart on.
pub fn set_configuration(pc: &RtcPeerConnection, configuration: &RtcConfiguration) -> Result<(), JsValue> {
    pc.unchecked_ref::<PeerConnection>().set_configuration(configuration)
}

/// Asks for these codecs in this order.
pub fn set_codec_preferences(transceiver: &RtcRtpTransceiver, codecs: &js_sys::Array) -> Result<(), JsValue> {
    transceiver.unchecked_ref::<Transceiver>().set_codec_preferences(codecs)
}

/// What `element` plays, as a stream; `None` where the browser has neither name for it.
pub fn capture(element: &HtmlMediaElement) -> Option<Captured> {
    let element: &CapturableElement = element.unchecked_ref();
    if let Ok(stream) = element.capture_stream() {
        return Some(Captured { stream, silences_element: false });
    }
    element.moz_capture_stream().ok().map(|stream| Captured { stream, silences_element: true })
}

/// A stream of what an element plays.
pub struct Captured {
    /// The stream.
    pub stream: MediaStream,
    /// Firefox's older method takes the sound away from the element.
    pub silences_element: bool,
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

/// `new MediaMetadata({ title })` (W3C mediasession); `None` where the browser has none.
pub fn media_metadata(title: &str) -> Option<JsValue> {
    construct("MediaMetadata", &[object(&[("title", title.into())])]).ok()
}

/// Calls a method; an error too where there is none of this name.
pub fn invoke(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: js_sys::Function = js_sys::Reflect::get(object, &name.into())?.dyn_into()?;
    method.apply(object, &arguments.iter().collect())
}

/// Calls a method and waits for its promise.
pub async fn invoke_async(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let promise = js_sys::Promise::resolve(&invoke(object, name, arguments)?);
    JsFuture::from(promise).await
}

/// `new Class(...)`; an error too where there is no such class.
pub fn construct(class: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let class: js_sys::Function = js_sys::Reflect::get(&js_sys::global(), &class.into())?.dyn_into()?;
    js_sys::Reflect::construct(&class, &arguments.iter().collect())
}

/// `{ name: value, ... }`
pub fn object(pairs: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in pairs {
        set_property(&object, name, value);
    }
    object.into()
}

/// The property behind a path of names, such as `HTMLCanvasElement.prototype.captureStream`.
pub fn global(path: &[&str]) -> Option<JsValue> {
    path.iter().try_fold(js_sys::global().into(), |object: JsValue, name| property(&object, name))
}

/// What a core's randomness starts from.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any bits will do")]
pub fn seed() -> u64 {
    (js_sys::Math::random() * 2_f64.powi(52)) as u64 ^ ((js_sys::Math::random() * 2_f64.powi(52)) as u64) << 12
}

/// The name of an error, such as `NotAllowedError`.
pub fn error_name(error: &JsValue) -> String {
    property(error, "name").and_then(|name| name.as_string()).unwrap_or_default()
}
