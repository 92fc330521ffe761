//! The player's controls. They lie over the picture and go while nobody moves.

use super::{IconButton, Sign, Volume};
use crate::app::device::{Wish, use_device};
use crate::app::player::use_player;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, clock, label, say};
use crate::domain::Role;
use crate::protocol::FilmState;
use crate::stream::Phase;
use leptos::prelude::*;

/// What the host moves the film with, and what everyone sets for themselves.
#[component]
pub fn Controls() -> impl IntoView {
    let session = use_session();
    let shown = session.part(|view| view.phase == Phase::Inside && view.film.is_some());
    let hosting = session.part(|view| view.role == Some(Role::Host));
    let film = session.part(|view| view.film.as_ref().is_some_and(|film| !film.kind.is_live()));
    view! {
        <Show when=move || shown.get()>
            <div class="controls" role="group" aria-label=say(label::CONTROLS)>
                <Show when=move || hosting.get() fallback=Mirrored>
                    <Seek />
                </Show>
                <div class="controls-row">
                    <Show when=move || hosting.get() && film.get()>
                        <PlayPause />
                    </Show>
                    <Volume />
                    <Show when=move || film.get()>
                        <Clock />
                    </Show>
                    <Windows />
                </div>
            </div>
        </Show>
    }
    .into_any()
}

#[component]
fn PlayPause() -> impl IntoView {
    let player = use_player();
    let session = use_session();
    let playing = session.part(|view| view.film.as_ref().is_some_and(|film| film.state == FilmState::Playing));
    let sign = Signal::derive(move || if playing.get() { Sign::Pause } else { Sign::Play });
    let label = Signal::derive(move || if playing.get() { label::PAUSE } else { label::PLAY });
    view! { <IconButton sign label key="Space" on_press=Callback::new(move |()| player.toggle_play()) /> }
}

/// Where the film is; the host moves it.
#[component]
fn Seek() -> impl IntoView {
    let player = use_player();
    let session = use_session();
    let asleep = asleep();
    let position = session.part(|view| view.film.as_ref().map_or(0, |film| film.position_ms / 1000));
    let length = session.part(|view| view.film.as_ref().and_then(|film| film.duration_ms).unwrap_or(0).div_ceil(1000));
    let words = session.words(words::position);
    let on_input = move |ev| {
        if let Ok(second) = event_target_value(&ev).parse() {
            player.seek(second);
        }
    };
    view! {
        <input
            class="seek"
            type="range"
            min="0"
            step="1"
            max=move || length.get().max(1).to_string()
            prop:value=move || position.get().to_string()
            aria-label=say(label::POSITION)
            aria-valuetext=move || words.get()
            hidden=move || length.get() == 0
            disabled=move || asleep.get()
            on:input=on_input
        />
    }
    .into_any()
}

/// Where the host's film is: a guest sees it and cannot move it.
#[component]
fn Mirrored() -> impl IntoView {
    let session = use_session();
    let position = session.part(|view| view.film.as_ref().map_or(0, |film| film.position_ms / 1000));
    let length = session.part(|view| view.film.as_ref().and_then(|film| film.duration_ms).map_or(0, |ms| ms / 1000));
    view! {
        <progress
            aria-label=say(label::POSITION)
            max=move || length.get().max(1).to_string()
            value=move || position.get().to_string()
            hidden=move || length.get() == 0
        ></progress>
    }
    .into_any()
}

#[component]
fn Clock() -> impl IntoView {
    let session = use_session();
    let position = session.part(|view| view.film.as_ref().map_or(0, |film| film.position_ms / 1000));
    let length = session.part(|view| view.film.as_ref().and_then(|film| film.duration_ms).map_or(0, |ms| ms / 1000));
    let of_length = move || match length.get() {
        0 => String::new(),
        seconds => format!(" / {}", clock(seconds * 1000)),
    };
    view! {
        <p class="clock">
            <span>{move || clock(position.get() * 1000)}</span>
            <span>{of_length}</span>
        </p>
    }
    .into_any()
}

/// Where the picture is seen: in the page, above all windows, on the whole screen.
#[component]
fn Windows() -> impl IntoView {
    let player = use_player();
    let device = use_device();
    let sign = Signal::derive(move || if player.full.get() { Sign::Shrink } else { Sign::FullScreen });
    let label = Signal::derive(move || if player.full.get() { label::LEAVE_FULL_SCREEN } else { label::FULL_SCREEN });
    view! {
        <div class="windows">
            <IconButton
                sign=Sign::Keys
                label=label::SHORTCUTS
                key="?"
                on_press=Callback::new(move |()| {
                    drop(player.help.get_untracked().map(|help| help.show_modal()));
                })
            />
            <Show when=move || device.able.get().picture_in_picture>
                <IconButton
                    sign=Sign::PictureInPicture
                    label=label::PICTURE_IN_PICTURE
                    on_press=Callback::new(move |()| device.wish.run(Wish::PictureInPicture))
                />
            </Show>
            <Show when=move || device.able.get().full_screen>
                <IconButton sign label key="F" on_press=Callback::new(move |()| player.toggle_full_screen()) />
            </Show>
        </div>
    }
    .into_any()
}
