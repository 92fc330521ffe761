//! The way round for browsers whose elements cannot be captured (Safari): the picture by way of a canvas, the sound by way
//! of Web Audio, which also feeds the host's own loudspeaker.
//!
//! The browser tells of each frame that it shows, and of none in a tab that nobody sees, where the page's own timers nearly
//! stop as well. So a worker's clock asks, several times a frame, and [`Frames`] knows which of its beats is another frame's.
//! What is painted is sent, and nothing else: a rate that the canvas is captured at would be a second clock, which loses
//! frames against the first. In such browsers the host's volume is everyone's volume.
//!
//! The same painting, without sound, stands in for a film that has ended: where elements can be captured, their tracks end
//! with the film.

use crate::browser::peer::Tracks;
use crate::browser::sys::{construct, global, invoke, object, property, set_property};
use crate::browser::timer;
use crate::stream::frames::Frames;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, HtmlVideoElement, MediaStream, MediaStreamTrack, Url};

/// How often the worker's clock beats, in milliseconds: a frame is painted so late at most.
const BEAT: f64 = 8.0;

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
    brush: Rc<RefCell<Brush>>,
    _beat: Closure<dyn FnMut()>,
    _told: Closure<dyn FnMut(JsValue, JsValue)>,
}

/// What the worker's clock and the browser's word of a frame both move.
struct Brush {
    video: HtmlVideoElement,
    canvas: JsValue,
    context: JsValue,
    size: (u32, u32),
    frames: Frames,
    /// Called with the next frame, where the browser tells of frames.
    listener: JsValue,
    /// The browser's name for that call, which is still to come.
    awaited: Option<JsValue>,
    /// After each time.
    then: Box<dyn FnMut()>,
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
        let picture: MediaStream = invoke(&canvas, "captureStream", &[])?.dyn_into()?;
        Ok(Self { video: video.clone(), canvas, context, track: first(picture.get_video_tracks()) })
    }

    /// Paints from now on, and does something else after each time.
    fn pump(&self, then: impl FnMut() + 'static) -> Pump {
        let brush = Rc::new(RefCell::new(Brush {
            video: self.video.clone(),
            canvas: self.canvas.clone(),
            context: self.context.clone(),
            size: (0, 0),
            frames: Frames::default(),
            listener: JsValue::UNDEFINED,
            awaited: None,
            then: Box::new(then),
        }));
        let beaten = brush.clone();
        let beat = Closure::<dyn FnMut()>::new(move || beaten.borrow_mut().beat());
        let telling = brush.clone();
        let told = Closure::<dyn FnMut(JsValue, JsValue)>::new(move |_now: JsValue, about: JsValue| {
            telling.borrow_mut().told(&about);
        });
        brush.borrow_mut().listen(told.as_ref());
        let worker = worker(BEAT).ok();
        let timer = match &worker {
            Some(worker) => {
                set_property(worker, "onmessage", beat.as_ref());
                None
            }
            None => invoke(&js_sys::global(), "setInterval", &[beat.as_ref().clone(), BEAT.into()])
                .ok()
                .and_then(|timer| timer.as_f64()),
        };
        Pump { worker, timer, brush, _beat: beat, _told: told }
    }
}

impl Brush {
    /// From now on the browser tells this listener of frames; [`Self::beat`] alone has to do where it cannot.
    fn listen(&mut self, listener: &JsValue) {
        self.listener = listener.clone();
        self.await_frame();
    }

    fn await_frame(&mut self) {
        self.awaited = invoke(&self.video, "requestVideoFrameCallback", std::slice::from_ref(&self.listener)).ok();
    }

    /// A frame is shown (W3C video-rvfc).
    fn told(&mut self, about: &JsValue) {
        self.await_frame();
        let begins = property(about, "mediaTime").and_then(|begins| begins.as_f64());
        if begins.is_some_and(|begins| self.frames.told(begins, self.video.playback_rate(), timer::now())) {
            self.paint();
        }
    }

    /// The worker's clock.
    fn beat(&mut self) {
        let (position, rate) = (self.video.current_time(), self.video.playback_rate());
        // Without a picture nothing could be painted, and it would count as painted.
        if self.video.ready_state() >= 2 && self.frames.asked(position, rate, timer::now()) {
            self.paint();
        }
    }

    fn paint(&mut self) {
        let real = (self.video.video_width(), self.video.video_height());
        if real != self.size {
            self.size = real;
            set_property(&self.canvas, "width", &real.0.into());
            set_property(&self.canvas, "height", &real.1.into());
        }
        let _ = invoke(&self.context, "drawImage", &[self.video.clone().into(), 0.into(), 0.into()]);
        (self.then)();
    }

    fn stop(&mut self) {
        if let Some(awaited) = self.awaited.take() {
            let _ = invoke(&self.video, "cancelVideoFrameCallback", &[awaited]);
        }
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
        self.brush.borrow_mut().stop();
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
