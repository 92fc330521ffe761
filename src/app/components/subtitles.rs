//! Subtitles: the lines on the picture, each person's own choice, and the host's files.

use super::{FileButton, Icon, Sign, SourceButton};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::subtitles::{Encoding, OwnTrack, Span};
use crate::stream::{SessionAction, SourceAction};
use leptos::prelude::*;

/// What is said now, over the picture. Drawn by us: a native track would need a second `<video>` or a file to load.
#[component]
pub fn SubtitleLines() -> impl IntoView {
    let session = use_session();
    let lines = session.part(|view| view.sources.subtitles.lines.clone());
    let shown = move || {
        lines.get().into_iter().map(|spans| view! { <p>{spans.into_iter().map(run).collect_view()}</p> }).collect_view()
    };
    view! {
        <div class="subtitles" hidden=move || lines.with(Vec::is_empty)>
            {shown}
        </div>
    }
    .into_any()
}

fn run(span: Span) -> AnyView {
    let Span { text, italic, bold } = span;
    match (italic, bold) {
        (false, false) => text.into_any(),
        (true, false) => view! { <i>{text}</i> }.into_any(),
        (false, true) => view! { <b>{text}</b> }.into_any(),
        (true, true) => view! {
            <b>
                <i>{text}</i>
            </b>
        }
        .into_any(),
    }
}

/// Whether this person sees subtitles, and which.
#[component]
pub fn SubtitleChoice() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let tracks = session.part(|view| view.sources.subtitles.tracks.clone());
    let chosen = session.part(|view| view.sources.subtitles.chosen);
    let choose = move |track| session.act.run(SessionAction::Source(SourceAction::ShowSubtitles(track)));
    let turn = move |_| {
        let first = tracks.with_untracked(|tracks| tracks.first().map(|track| track.id));
        choose(if chosen.get_untracked().is_some() { None } else { first });
    };
    let options = move || {
        tracks
            .get()
            .into_iter()
            .map(|track| {
                let id = track.id;
                view! {
                    <option value=id.to_string() selected=move || chosen.get() == Some(id)>
                        {track.name}
                    </option>
                }
            })
            .collect_view()
    };
    view! {
        <Show when=move || tracks.with(|tracks| !tracks.is_empty())>
            <div class="subtitle-choice">
                <button
                    class="button quiet"
                    type="button"
                    role="switch"
                    aria-checked=move || chosen.get().is_some().to_string()
                    disabled=move || asleep.get()
                    on:click=turn
                >
                    <Icon sign=Sign::Subtitles />
                    {say(label::SUBTITLES)}
                </button>
                <select
                    aria-label=say(label::WHICH_SUBTITLES)
                    hidden=move || chosen.get().is_none() || tracks.with(Vec::len) < 2
                    disabled=move || asleep.get()
                    on:change=move |event| choose(event_target_value(&event).parse().ok())
                >
                    {options}
                </select>
            </div>
        </Show>
    }
    .into_any()
}

/// The host's subtitle files, and how each is written where that was guessed wrong.
#[component]
pub fn SubtitleFiles() -> impl IntoView {
    let session = use_session();
    let shown = session.part(|view| view.film.is_some() && view.sources.live.is_none());
    let own = session.part(|view| view.sources.subtitles.own.clone());
    view! {
        <FileButton
            id="subtitle-files"
            accept=".srt,.vtt,text/vtt"
            sign=Sign::Subtitles
            text=label::ADD_SUBTITLES
            node=session.subtitles
            shown
        />
        <ul
            class="subtitle-files"
            aria-label=say(label::SUBTITLE_FILES)
            hidden=move || own.with(Vec::is_empty)
        >
            {move || own.get().into_iter().map(|file| view! { <SubtitleFile file /> }).collect_view()}
        </ul>
    }
    .into_any()
}

#[component]
fn SubtitleFile(
    /// Which.
    file: OwnTrack,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let id = file.id;
    let options = Encoding::ALL.map(|encoding| {
        view! {
            <option value=encoding.label() selected=file.is_written_in(encoding)>
                {say(words::encoding(encoding))}
            </option>
        }
    });
    let rewrite = move |event| {
        if let Some(encoding) = Encoding::of_label(&event_target_value(&event)) {
            session.act.run(SessionAction::Source(SourceAction::WrittenIn(id, encoding)));
        }
    };
    view! {
        <li>
            <span class="title">{file.name.clone()}</span>
            <label class="hint">
                {say(words::WRITTEN_IN)} " " <select disabled=move || asleep.get() on:change=rewrite>
                    {options.into_iter().collect_view()}
                </select>
            </label>
            <SourceButton
                sign=Sign::Close
                text=label::REMOVE
                action=SourceAction::RemoveSubtitles(id)
                title=file.name
            />
        </li>
    }
    .into_any()
}
