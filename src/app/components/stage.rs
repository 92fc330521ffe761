//! The picture and what belongs to it.

use super::presence::TryNow;
use super::{
    Badges, ChatButton, CheckLink, Chooser, Controls, Icon, Reactions, Sign, Sky, Sources, Status, SubtitleChoice,
    SubtitleLines,
};
use crate::app::language::use_language;
use crate::app::player::use_player;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
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
    let player = use_player();
    let inside = session.part(|view| view.phase == Phase::Inside);
    let title = session.words(words::film_title);
    let curtain = session.part(curtain);
    let away = session.part(|view| view.phase == Phase::Inside && view.link == LinkView::Away);
    let failed = session.part(|view| view.phase == Phase::Inside && view.picture == Picture::Failed);
    let language = use_language();
    let name = move || {
        let label = if host.get() { label::OWN_VIDEO } else { label::HOSTS_STREAM };
        label.to(language.get())
    };
    view! {
        <section
            class="stage"
            tabindex="-1"
            node_ref=whole
            data-curtain=move || curtain.get()
            data-idle=move || if player.idle.get() { "true" } else { "false" }
            on:pointermove=move |_| player.stir()
            on:pointerdown=move |_| player.stir()
            on:focusin=move |_| player.stir()
        >
            <div class="screen">
                <video
                    node_ref=session.stage
                    playsinline
                    aria-label=name
                    on:volumechange=move |_| player.heard()
                    on:dblclick=move |_| player.toggle_full_screen()
                ></video>
            </div>
            <div class="curtain" aria-hidden="true"></div>
            <SubtitleLines />
            <Chooser />
            <SoundOn whole />
            <Sky />
            <Controls />
            <div class="words">
                <p class="title">{move || title.get()}</p>
                <Status />
                <Show when=move || away.get()>
                    <TryNow />
                </Show>
                <Show when=move || failed.get()>
                    <p class="hint">
                        <CheckLink />
                    </p>
                </Show>
            </div>
            <Show when=move || inside.get()>
                <div class="bar">
                    <Badges />
                    <SubtitleChoice />
                    <Reactions />
                    <ChatButton />
                </div>
            </Show>
            <Sources />
        </section>
    }
    .into_any()
}

fn curtain(view: &SessionView) -> &'static str {
    let seen = match view.role {
        Some(Role::Host) => true,
        Some(Role::Guest) | None => {
            view.film.as_ref().is_some_and(|film| !film.returning)
                && matches!(view.picture, Picture::Connected | Picture::Interrupted)
        }
    };
    if seen { "open" } else { "closed" }
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
                {say(label::SOUND_ON)}
            </button>
        </Show>
    }
    .into_any()
}
