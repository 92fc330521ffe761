//! The host's screen or camera: asked for, shown to the host without sound, and over when the host or the browser says so.

use super::stage::Stage;
use crate::browser::event::{Event, Events};
use crate::browser::peer::Tracks;
use crate::browser::sys::{self, global, invoke_async, object};
use crate::protocol::SourceKind;
use crate::stream::{Input, Refusal, SourceInput};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStream, MediaStreamTrack};

/// What is being shared.
pub struct Live {
    stream: MediaStream,
    tracks: Tracks,
    /// How the host had the element before.
    was_muted: bool,
    ended: Closure<dyn FnMut(JsValue)>,
}

/// Asks the person; what they answer comes as an event. Called while their press still counts.
pub fn open(kind: SourceKind, events: &Events) {
    let events = events.clone();
    leptos::task::spawn_local(async move {
        match ask(kind).await {
            Ok(stream) => events.push(Event::Shared(kind, send_wrapper::SendWrapper::new(stream))),
            Err(refusal) => events.input(Input::Sources(SourceInput::Refused(kind, refusal))),
        }
    });
}

async fn ask(kind: SourceKind) -> Result<MediaStream, Refusal> {
    let Some(devices) = global(&["navigator", "mediaDevices"]) else {
        let secure = global(&["isSecureContext"]).is_some_and(|secure| secure.is_truthy());
        return Err(if secure { Refusal::Unsupported } else { Refusal::Insecure });
    };
    let asked = match kind {
        SourceKind::Film => return Err(Refusal::Unsupported),
        SourceKind::Screen => invoke_async(&devices, "getDisplayMedia", &[screen()]).await,
        SourceKind::Camera => match invoke_async(&devices, "getUserMedia", &[camera(true)]).await {
            // A camera alone will do.
            Err(error) if sys::error_name(&error) == "NotFoundError" => {
                invoke_async(&devices, "getUserMedia", &[camera(false)]).await
            }
            asked => asked,
        },
    };
    asked.and_then(|stream| stream.dyn_into().map_err(|_| JsValue::NULL)).map_err(|error| refusal(&error))
}

/// A tab's or system's sound goes out as it is: what is made for voices would take a film's music apart. It stays audible
/// here, and a tab cannot be asked to show itself.
fn screen() -> JsValue {
    let sound = object(&[
        ("echoCancellation", false.into()),
        ("noiseSuppression", false.into()),
        ("autoGainControl", false.into()),
        ("suppressLocalAudioPlayback", false.into()),
        ("channelCount", object(&[("ideal", 2.into())])),
    ]);
    object(&[
        ("video", object(&[("frameRate", object(&[("ideal", 30.into())]))])),
        ("audio", sound),
        ("systemAudio", "include".into()),
        ("selfBrowserSurface", "exclude".into()),
        ("surfaceSwitching", "include".into()),
    ])
}

/// A microphone beside a camera hears voices, so it keeps what browsers do for voices.
fn camera(microphone: bool) -> JsValue {
    let ideal = |value: i32| object(&[("ideal", value.into())]);
    object(&[("video", object(&[("width", ideal(1280)), ("height", ideal(720))])), ("audio", microphone.into())])
}

fn refusal(error: &JsValue) -> Refusal {
    match sys::error_name(error).as_str() {
        "NotFoundError" | "OverconstrainedError" => Refusal::NoDevice,
        "NotReadableError" | "AbortError" => Refusal::Busy,
        "NotAllowedError" | "SecurityError" | "InvalidStateError" => Refusal::Denied,
        _ => Refusal::Unsupported,
    }
}

impl Live {
    /// Puts it on the stage.
    pub fn start(kind: SourceKind, stream: MediaStream, stage: &Stage, events: &Events) -> Self {
        let first = |tracks: js_sys::Array| tracks.get(0).dyn_into::<MediaStreamTrack>().ok();
        let tracks = Tracks { video: first(stream.get_video_tracks()), audio: first(stream.get_audio_tracks()) };
        let ended = events.listener(|_| Some(Event::Core(Input::Sources(SourceInput::SharingEnded))));
        if let Some(video) = &tracks.video {
            super::hint(video, if kind == SourceKind::Screen { "detail" } else { "motion" });
            let _ = video.add_event_listener_with_callback("ended", ended.as_ref().unchecked_ref());
        }
        let live = Self { stream, tracks, was_muted: stage.video.muted(), ended };
        live.show(stage);
        live
    }

    /// On this element, without sound: the host hears the original.
    pub fn show(&self, stage: &Stage) {
        let video = &stage.video;
        let _ = video.remove_attribute("src");
        video.set_src_object(Some(&self.stream));
        video.set_muted(true);
        if let Ok(playing) = video.play() {
            leptos::task::spawn_local(async move {
                let _ = JsFuture::from(playing).await;
            });
        }
    }

    /// Makes room on the element, and leaves it as it was.
    pub fn leave(&self, stage: &Stage) {
        stage.video.set_src_object(None);
        stage.video.set_muted(self.was_muted);
    }

    /// The tracks that are being sent.
    pub fn tracks(&self) -> Tracks {
        self.tracks.clone()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(video) = &self.tracks.video {
            let _ = video.remove_event_listener_with_callback("ended", self.ended.as_ref().unchecked_ref());
        }
        for track in super::capture::live_tracks(&self.stream) {
            track.stop();
        }
    }
}
