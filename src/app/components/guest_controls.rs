//! What a guest sets for themselves: how loud, and how large.

use super::{Icon, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::label;
use crate::stream::SessionAction;
use leptos::html::Section;
use leptos::prelude::*;

/// Acts on this page alone; playing and pausing are the host's.
#[component]
pub fn GuestControls(
    /// What fills the screen.
    whole: NodeRef<Section>,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let on_volume = move |ev| {
        let percent: u8 = event_target_value(&ev).parse().unwrap_or(100);
        if let Some(video) = session.stage.get_untracked() {
            video.set_volume(f64::from(percent) / 100.0);
        }
        if session.state.with_untracked(|view| view.sound_blocked) {
            session.act.run(SessionAction::TurnSoundOn);
        }
    };
    let on_full_screen = move |_| {
        if document().fullscreen_element().is_some() {
            document().exit_fullscreen();
        } else if let Some(whole) = whole.get_untracked() {
            // Where a browser has no such thing, the picture stays as it is.
            let _ = whole.request_fullscreen();
        }
    };
    view! {
        <div class="controls">
            <label class="volume">
                <Icon sign=Sign::Sound />
                <input
                    type="range"
                    min="0"
                    max="100"
                    value="100"
                    aria-label=label::VOLUME
                    disabled=move || asleep.get()
                    on:input=on_volume
                />
            </label>
            <button class="button quiet" type="button" disabled=move || asleep.get() on:click=on_full_screen>
                <Icon sign=Sign::FullScreen />
                {label::FULL_SCREEN}
            </button>
        </div>
    }
    .into_any()
}
