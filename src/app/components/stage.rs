//! The picture and what belongs to it.

use super::presence::TryNow;
use super::{Chooser, GuestControls, Icon, Progress, Sign};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label};
use crate::domain::Role;
use crate::stream::{LinkView, Phase, Picture, SessionAction, SessionView};
use leptos::html::Section;
use leptos::prelude::*;

/// The one `<video>` with its words. A curtain hides it while there is nothing to see.
#[component]
pub fn Stage() -> impl IntoView {
    let session = use_session();
    let whole = NodeRef::<Section>::new();
    let host = session.part(|view| view.role == Some(Role::Host));
    let guest = session.part(|view| view.phase == Phase::Inside && view.role == Some(Role::Guest));
    let controls = session.part(|view| view.role == Some(Role::Host) && view.film.is_some());
    let curtain = session.part(curtain);
    let away = session.part(|view| view.phase == Phase::Inside && view.link == LinkView::Away);
    let name = move || {
        if host.get() { label::OWN_VIDEO } else { label::HOSTS_STREAM }
    };
    view! {
        <section class="stage" tabindex="-1" node_ref=whole data-curtain=move || curtain.get()>
            <div class="screen">
                <video node_ref=session.stage playsinline aria-label=name controls=move || controls.get()></video>
            </div>
            <div class="curtain" aria-hidden="true"></div>
            <Chooser />
            <SoundOn whole />
            <div class="bar">
                <Status />
                <Show when=move || away.get()>
                    <TryNow />
                </Show>
                <Progress />
                <Show when=move || guest.get()>
                    <GuestControls whole />
                </Show>
            </div>
        </section>
    }
    .into_any()
}

fn curtain(view: &SessionView) -> &'static str {
    let seen = match view.role {
        Some(Role::Host) => true,
        Some(Role::Guest) | None => view.film.is_some() && view.picture == Picture::Connected,
    };
    if seen { "open" } else { "closed" }
}

/// What is happening, in one sentence. The only part of the page that is announced by itself.
#[component]
fn Status() -> impl IntoView {
    let session = use_session();
    let status = session.part(words::status);
    let server = session.part(words::server_notice);
    let relay = session.part(words::relay_trouble);
    view! {
        <div class="status" role="status" aria-atomic="false">
            <p>{move || status.get()}</p>
            <p class="away" hidden=move || server.get().is_empty()>
                {move || server.get()}
            </p>
            <p class="hint" hidden=move || relay.with(String::is_empty)>
                {move || relay.get()}
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn SoundOn(
    /// Takes the focus when the button goes, so that nobody loses their place.
    whole: NodeRef<Section>,
) -> impl IntoView {
    let session = use_session();
    let blocked = session.part(|view| view.phase == Phase::Inside && view.sound_blocked);
    let asleep = asleep();
    view! {
        <Show when=move || blocked.get()>
            <button
                class="button primary sound-on"
                type="button"
                disabled=move || asleep.get()
                on:click=move |_| {
                    session.act.run(SessionAction::TurnSoundOn);
                    drop(whole.get_untracked().map(|stage| stage.focus()));
                }
            >
                <Icon sign=Sign::Sound />
                {label::SOUND_ON}
            </button>
        </Show>
    }
    .into_any()
}
