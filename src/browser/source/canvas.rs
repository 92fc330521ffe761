//! The way round for browsers whose elements cannot be captured (Safari): the picture by way of a canvas, the sound by way
//! of Web Audio, which also feeds the host's own loudspeaker.
//!
//! Frames are painted by a worker's clock: animation frames stop in a tab that nobody sees, and so do the page's own
//! timers, nearly. In such browsers the host's volume is everyone's volume.
//!
//! The same painting, without sound, stands in for a film that has ended: where elements can be captured, their tracks end
//! with the film.

use crate::browser::peer::Tracks;
use crate::browser::sys::{construct, global, invoke, object, property, set_property};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlVideoElement, MediaStream, MediaStreamTrack, Url};

/// Frames a second.
const RATE: f64 = 30.0;
/// A picture that stands is painted again after so many beats, for those who came meanwhile.
const STANDING: u32 = 10;

/// The picture of one element, by way of a canvas.
pub struct Painting {
    video: HtmlVideoElement,
    canvas: JsValue,
    context: JsValue,
    track: Option<MediaStreamTrack>,
}

/// Canvas and Web Audio of one element.
pub struct CanvasCapture {
    painting: Painting,
    audio: JsValue,
    tracks: Tracks,
}

/// Paints as long as it lives.
pub struct Pump {
    worker: Option<JsValue>,
    timer: Option<f64>,
    _paint: Closure<dyn FnMut()>,
}

/// What an element shows that gives out nothing itself any more, for those who come now.
pub struct Still {
    painting: Painting,
    _pump: Pump,
}

/// Whether this browser has what it takes.
pub fn is_possible() -> bool {
    global(&["HTMLCanvasElement", "prototype", "captureStream"]).is_some()
        && global(&["AudioContext", "prototype", "createMediaElementSource"]).is_some()
        && global(&["AudioContext", "prototype", "createMediaStreamDestination"]).is_some()
}

impl Still {
    /// Shows what the element shows, from now on.
    pub fn of(video: &HtmlVideoElement) -> Option<Self> {
        let painting = Painting::of(video).ok()?;
        let pump = painting.pump(|| ());
        Some(Self { painting, _pump: pump })
    }

    /// The picture, without sound.
    pub fn tracks(&self) -> Tracks {
        Tracks { video: self.painting.track.clone(), audio: None }
    }
}

impl CanvasCapture {
    /// Wires an element up; once for every element.
    pub fn attach(video: &HtmlVideoElement) -> Result<Self, JsValue> {
        let painting = Painting::of(video)?;
        let audio = construct("AudioContext", &[])?;
        let source = invoke(&audio, "createMediaElementSource", &[video.clone().into()])?;
        let sent = invoke(&audio, "createMediaStreamDestination", &[])?;
        set_property(&sent, "channelCount", &2.into());
        let heard = property(&audio, "destination").ok_or(JsValue::NULL)?;
        invoke(&source, "connect", std::slice::from_ref(&sent))?;
        invoke(&source, "connect", &[heard])?;
        let sound: MediaStream = property(&sent, "stream").ok_or(JsValue::NULL)?.dyn_into()?;
        let tracks = Tracks { video: painting.track.clone(), audio: first(sound.get_audio_tracks()) };
        Ok(Self { painting, audio, tracks })
    }

    /// The tracks, the same for every film.
    pub fn tracks(&self) -> Tracks {
        self.tracks.clone()
    }

    /// Paints from now on.
    pub fn pump(&self) -> Pump {
        let audio = self.audio.clone();
        let wake = move || {
            let _ = invoke(&audio, "resume", &[]);
        };
        wake();
        let audio = self.audio.clone();
        self.painting.pump(move || {
            // A context that was made without a press waits for one.
            if property(&audio, "state").and_then(|state| state.as_string()).as_deref() == Some("suspended") {
                wake();
            }
        })
    }
}

impl Painting {
    fn of(video: &HtmlVideoElement) -> Result<Self, JsValue> {
        let document = global(&["document"]).ok_or(JsValue::NULL)?;
        let canvas = invoke(&document, "createElement", &["canvas".into()])?;
        let context = invoke(&canvas, "getContext", &["2d".into()])?;
        let picture: MediaStream = invoke(&canvas, "captureStream", &[RATE.into()])?.dyn_into()?;
        Ok(Self { video: video.clone(), canvas, context, track: first(picture.get_video_tracks()) })
    }

    /// Paints from now on, and does something else after each time.
    fn pump(&self, mut then: impl FnMut() + 'static) -> Pump {
        let (video, canvas, context) = (self.video.clone(), self.canvas.clone(), self.context.clone());
        let (mut painted, mut size, mut beats) = (-1.0, (0, 0), 0);
        let paint = Closure::<dyn FnMut()>::new(move || {
            let now = video.current_time();
            beats += 1;
            #[expect(clippy::float_cmp, reason = "the very same moment, which is the very same frame")]
            let same = now == painted;
            if (same && beats % STANDING != 0) || video.ready_state() < 2 {
                return;
            }
            painted = now;
            let real = (video.video_width(), video.video_height());
            if real != size {
                size = real;
                set_property(&canvas, "width", &real.0.into());
                set_property(&canvas, "height", &real.1.into());
            }
            let _ = invoke(&context, "drawImage", &[video.clone().into(), 0.into(), 0.into()]);
            then();
        });
        let beat = 1000.0 / RATE;
        let worker = worker(beat).ok();
        let timer = match &worker {
            Some(worker) => {
                set_property(worker, "onmessage", paint.as_ref());
                None
            }
            None => invoke(&js_sys::global(), "setInterval", &[paint.as_ref().clone(), beat.into()])
                .ok()
                .and_then(|timer| timer.as_f64()),
        };
        Pump { worker, timer, _paint: paint }
    }
}

impl Drop for Painting {
    fn drop(&mut self) {
        if let Some(track) = &self.track {
            track.stop();
        }
    }
}

impl Drop for CanvasCapture {
    fn drop(&mut self) {
        if let Some(track) = &self.tracks.audio {
            track.stop();
        }
        let _ = invoke(&self.audio, "close", &[]);
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            set_property(worker, "onmessage", &JsValue::NULL);
            let _ = invoke(worker, "terminate", &[]);
        }
        if let Some(timer) = self.timer {
            let _ = invoke(&js_sys::global(), "clearInterval", &[timer.into()]);
        }
    }
}

fn first(tracks: js_sys::Array) -> Option<MediaStreamTrack> {
    tracks.get(0).dyn_into().ok()
}

/// A worker that says nothing but "now".
fn worker(beat: f64) -> Result<JsValue, JsValue> {
    let source = format!("setInterval(() => postMessage(0), {beat});");
    let parts = js_sys::Array::of1(&source.into());
    let blob: Blob = construct("Blob", &[parts.into(), object(&[("type", "text/javascript".into())])])?.dyn_into()?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let worker = construct("Worker", &[url.as_str().into()]);
    // It has been fetched by the time that this is carried out, or never will be.
    let revoke = url.clone();
    leptos::task::spawn_local(async move {
        gloo_timers::future::TimeoutFuture::new(5_000).await;
        let _ = Url::revoke_object_url(&revoke);
    });
    worker
}
