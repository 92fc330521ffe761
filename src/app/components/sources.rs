//! What the host can show beside a chosen video: screen, camera, more films, subtitles; and the way back after a reload.

use super::{FileButton, Icon, Playlist, Sign, SourceButton, SubtitleFiles};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::domain::Role;
use crate::protocol::SourceKind;
use crate::stream::{Phase, Problem, SessionAction, SourceAction};
use leptos::prelude::*;

/// Everything of the host's below the stage.
#[component]
pub fn Sources() -> impl IntoView {
    let session = use_session();
    let hosting = session.part(|view| view.phase == Phase::Inside && view.role == Some(Role::Host));
    let live = session.part(|view| view.sources.live.is_some());
    let returning = session.part(|view| view.sources.returning.as_ref().is_some_and(|back| back.has_handle));
    let notice = session.words(words::source_notice);
    let upcoming = session.words(words::upcoming);
    let cannot = session.part(|view| view.sources.cannot_stream);
    let open = session.part(|view| view.sources.abilities.open_from_disk);
    view! {
        <Show when=move || hosting.get()>
            <div class="sources">
                <p class="problem cannot-stream" role="alert" hidden=move || !cannot.get()>
                    {say(words::problem(Problem::CannotCapture))}
                </p>
                <Show when=move || returning.get()>
                    <GoOn />
                </Show>
                <p class="problem" role="alert" hidden=move || notice.with(String::is_empty)>
                    {move || notice.get()}
                </p>
                <div class="source-buttons">
                    <Show
                        when=move || live.get()
                        fallback=|| {
                            view! {
                                <SourceButton
                                    sign=Sign::Screen
                                    text=label::SHARE_SCREEN
                                    action=SourceAction::Share(SourceKind::Screen)
                                />
                                <SourceButton
                                    sign=Sign::Camera
                                    text=label::USE_CAMERA
                                    action=SourceAction::Share(SourceKind::Camera)
                                />
                            }
                        }
                    >
                        <SourceButton sign=Sign::Stop text=label::STOP_SHARING action=SourceAction::StopSharing />
                    </Show>
                    <Show when=move || open.get()>
                        <SourceButton sign=Sign::Film text=label::OPEN_FROM_DISK action=SourceAction::OpenFromDisk />
                    </Show>
                    <AddFilms />
                    <SubtitleFiles />
                </div>
                <p class="hint" hidden=move || upcoming.with(String::is_empty)>
                    {move || upcoming.get()}
                </p>
                <Playlist />
            </div>
        </Show>
    }
    .into_any()
}

#[component]
fn GoOn() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let words = session.words(words::go_on);
    view! {
        <button
            class="button primary"
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::Source(SourceAction::GoOn))
        >
            <Icon sign=Sign::Play />
            {move || words.get()}
        </button>
    }
}

#[component]
fn AddFilms() -> impl IntoView {
    let session = use_session();
    let shown = session.part(|view| view.film.is_some() || !view.sources.playlist.is_empty());
    view! {
        <FileButton
            id="more-films"
            accept="video/*,.mkv,.mov,.m4v,.srt,.vtt"
            sign=Sign::Add
            text=label::ADD_FILMS
            node=session.more_films
            shown
        />
    }
    .into_any()
}
