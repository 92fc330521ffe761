//! The host's own loudspeaker, where capturing takes the sound away from the element (Firefox before version 149).

use crate::browser::sys::{construct, invoke, property, set_property};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlVideoElement, MediaStream};

/// Plays what was captured, as loud as the element is set.
pub struct Loudspeaker {
    context: JsValue,
    video: HtmlVideoElement,
    on_volume: Closure<dyn FnMut()>,
    on_play: Closure<dyn FnMut()>,
}

impl Loudspeaker {
    /// Plays this stream; its sound may come later than it does.
    pub fn of_stream(stream: &MediaStream, video: &HtmlVideoElement) -> Result<Self, JsValue> {
        let context = construct("AudioContext", &[])?;
        let gain = invoke(&context, "createGain", &[])?;
        let destination = property(&context, "destination").ok_or(JsValue::NULL)?;
        invoke(&gain, "connect", &[destination])?;
        let on_volume = {
            let (video, gain) = (video.clone(), gain.clone());
            Closure::new(move || {
                if let Some(gain) = property(&gain, "gain") {
                    let volume = if video.muted() { 0.0 } else { video.volume() };
                    set_property(&gain, "value", &volume.into());
                }
            })
        };
        // A stream without sound cannot be wired up yet, and a context may only start with a press.
        let on_play = {
            let (context, stream, gain) = (context.clone(), stream.clone(), gain);
            let mut wired = String::new();
            Closure::new(move || {
                let _ = invoke(&context, "resume", &[]);
                let sound = super::capture::live_tracks(&stream).find(|track| track.kind() == "audio");
                if let Some(sound) = sound.filter(|sound| sound.id() != wired)
                    && let Ok(source) = invoke(&context, "createMediaStreamSource", &[stream.clone().into()])
                {
                    wired = sound.id();
                    let _ = invoke(&source, "connect", std::slice::from_ref(&gain));
                }
            })
        };
        let loudspeaker = Self { context, video: video.clone(), on_volume, on_play };
        for (name, listener) in loudspeaker.listeners() {
            video.add_event_listener_with_callback(name, listener)?;
            // Once for how things are already.
            let _ = listener.call0(&JsValue::NULL);
        }
        Ok(loudspeaker)
    }

    fn listeners(&self) -> [(&'static str, &js_sys::Function); 3] {
        let (volume, play) = (self.on_volume.as_ref().unchecked_ref(), self.on_play.as_ref().unchecked_ref());
        [("volumechange", volume), ("playing", play), ("timeupdate", play)]
    }
}

impl Drop for Loudspeaker {
    fn drop(&mut self) {
        for (name, listener) in self.listeners() {
            let _ = self.video.remove_event_listener_with_callback(name, listener);
        }
        let _ = invoke(&self.context, "close", &[]);
    }
}
