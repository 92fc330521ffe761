//! A guest's stage: the host's tracks in the one `<video>`, with sound as soon as the browser allows it.

use super::event::Events;
use super::playout;
use super::sys::error_name;
use crate::stream::Input;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlVideoElement, MediaStream, MediaStreamTrack};

/// Shows these tracks, muted where the browser demands a press before there is sound.
pub fn show(video: &HtmlVideoElement, tracks: &[MediaStreamTrack], events: &Events) {
    let Ok(stream) = MediaStream::new() else { return };
    for track in tracks {
        stream.add_track(track);
    }
    video.set_src_object(Some(&stream));
    playout::watch(video.clone(), stream, events.clone());
    play(video.clone(), events.clone());
}

/// A press allows sound.
pub fn unmute(video: &HtmlVideoElement, events: &Events) {
    video.set_muted(false);
    play(video.clone(), events.clone());
}

/// Takes everything off the stage.
pub fn clear(video: &HtmlVideoElement) {
    let _ = video.pause();
    video.set_src_object(None);
    let _ = video.remove_attribute("src");
    video.load();
}

fn play(video: HtmlVideoElement, events: Events) {
    leptos::task::spawn_local(async move {
        let refused = match video.play() {
            Ok(playing) => JsFuture::from(playing).await.err(),
            Err(error) => Some(error),
        };
        let Some(refused) = refused else {
            events.input(Input::SoundBlocked(video.muted()));
            return;
        };
        // An aborted play is followed by the next one; only a refusal for want of a press is ours to mend.
        if error_name(&refused) == "NotAllowedError" && !video.muted() {
            video.set_muted(true);
            events.input(Input::SoundBlocked(true));
            if let Ok(playing) = video.play() {
                let _ = JsFuture::from(playing).await;
            }
        }
    });
}
