//! The size of the pictures that the captured track gives, for all senders at once.

use crate::browser::event::Events;
use crate::browser::sys::{invoke, invoke_async, object, property};
use crate::browser::timer;
use crate::stream::{CaptureSize, Input};
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_sys::MediaStreamTrack;

/// A track tells its new size with its next frame, so it is asked this often, with pauses of this length.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Asks the track for this size, and tells what it gives then.
pub fn ask(track: Option<MediaStreamTrack>, size: CaptureSize, events: &Events) {
    let events = events.clone();
    leptos::task::spawn_local(async move {
        let gives = match track {
            Some(track) => settled(&track, size).await,
            None => None,
        };
        events.input(Input::Captured(size.number, gives));
    });
}

/// Width and height have the film's own proportions, so nothing is cut off; ideals leave a browser that cannot do it as it was.
async fn settled(track: &MediaStreamTrack, size: CaptureSize) -> Option<(u16, u16)> {
    let ideal = |lines: u16| object(&[("ideal", lines.into())]);
    let wanted = object(&[("width", ideal(size.width)), ("height", ideal(size.height))]);
    let _ = invoke_async(track, "applyConstraints", &[wanted]).await;
    for _ in 0..LOOKS {
        if gives(track) == Some((size.width, size.height)) {
            break;
        }
        timer::sleep(PAUSE).await;
    }
    gives(track)
}

fn gives(track: &MediaStreamTrack) -> Option<(u16, u16)> {
    let settings = invoke(track, "getSettings", &[]).ok()?;
    Some((lines(&settings, "width")?, lines(&settings, "height")?))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the lines of a picture")]
fn lines(settings: &JsValue, name: &str) -> Option<u16> {
    property(settings, name)?.as_f64().map(|lines| lines as u16).filter(|lines| *lines > 0)
}
