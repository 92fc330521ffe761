//! How long frames wait at a guest between their arrival and the screen: what subtitles have to wait as well.
//!
//! Browsers say it of single frames (requestVideoFrameCallback, `receiveTime`); where they do not, a constant has to do.

use super::event::Events;
use super::sys::{invoke, property};
use super::timer;
use crate::stream::{Input, SourceInput};
use futures::channel::oneshot;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlVideoElement, MediaStream};

/// How often one frame is asked.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Asks for as long as the element shows this stream.
pub fn watch(video: HtmlVideoElement, stream: MediaStream, events: Events) {
    leptos::task::spawn_local(async move {
        while let Some(about) = next_frame(&video).await {
            if video.src_object().as_ref() != Some(&stream) {
                return;
            }
            let moment = |name| property(&about, name).and_then(|moment| moment.as_f64());
            if let (Some(received), Some(shown)) = (moment("receiveTime"), moment("expectedDisplayTime")) {
                let wait = Duration::from_secs_f64((shown - received).clamp(0.0, 10_000.0) / 1000.0);
                events.input(Input::Sources(SourceInput::Playout(wait)));
            }
            timer::sleep(ASK_EVERY).await;
        }
    });
}

/// What the browser says of the next frame; `None` where it says nothing.
async fn next_frame(video: &HtmlVideoElement) -> Option<JsValue> {
    let (tell, told) = oneshot::channel();
    let callback = Closure::once_into_js(move |_now: JsValue, about: JsValue| drop(tell.send(about)));
    invoke(video, "requestVideoFrameCallback", &[callback]).ok()?;
    told.await.ok()
}
