//! The list of keys.

use super::{Dialogue, Switch};
use crate::app::device::{Wish, use_device};
use crate::app::player::use_player;
use crate::app::session::use_session;
use crate::app::words::{self, label, say};
use crate::domain::Role;
use leptos::prelude::*;

/// What each key does, and whether letters alone do anything.
#[component]
pub fn Shortcuts() -> impl IntoView {
    let player = use_player();
    let device = use_device();
    let session = use_session();
    let hosting = session.part(|view| view.role == Some(Role::Host));
    let turn = move |on| {
        device.single_keys.set(on);
        device.wish.run(Wish::SingleKeys(on));
    };
    let line = move |(key, what, of_host): (&'static str, _, bool)| {
        view! {
            <div hidden=move || of_host && !hosting.get()>
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{say(what)}</dd>
            </div>
        }
    };
    view! {
        <Dialogue id="shortcuts" title=say(label::SHORTCUTS).into_any() node=player.help>
            <dl class="keys">{words::KEYS.map(line).collect_view()}</dl>
            <Switch
                id="single-keys-hint"
                label=label::SINGLE_KEYS
                hint=words::SINGLE_KEYS_HINT
                on=device.single_keys
                on_turn=Callback::new(turn)
            />
        </Dialogue>
    }
    .into_any()
}
