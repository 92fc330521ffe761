//! How loud it is at this screen.

use super::{IconButton, Sign};
use crate::app::player::use_player;
use crate::app::session::asleep;
use crate::app::words::{label, say};
use leptos::prelude::*;

/// Off and on, and a slider. Follows the element, whoever changes it.
#[component]
pub fn Volume() -> impl IntoView {
    let player = use_player();
    let asleep = asleep();
    let silent = Memo::new(move |_| player.muted.get() || player.volume.get() == 0);
    let sign = Signal::derive(move || if silent.get() { Sign::Silence } else { Sign::Sound });
    let label = Signal::derive(move || if silent.get() { label::UNMUTE } else { label::MUTE });
    let toggle = move |()| {
        if silent.get_untracked() && player.volume.get_untracked() == 0 {
            player.set_volume(50);
        } else {
            player.set_muted(!silent.get_untracked());
        }
    };
    view! {
        <div class="volume">
            <IconButton sign label key="M" on_press=Callback::new(toggle) />
            <input
                type="range"
                min="0"
                max="100"
                step="5"
                value="100"
                prop:value=move || if player.muted.get() { 0 } else { player.volume.get() }.to_string()
                aria-label=say(label::VOLUME)
                disabled=move || asleep.get()
                on:input=move |ev| player.set_volume(event_target_value(&ev).parse().unwrap_or(100))
            />
        </div>
    }
    .into_any()
}
