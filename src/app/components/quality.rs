//! What the host sets about quality, and what the line makes of it: the choice, the upload, the relays.

use super::Setting;
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{quality as words, say};
use crate::stream::{QualityChoice, SessionAction, Strain};
use leptos::prelude::*;

/// The choice, the meter and the switch.
#[component]
pub fn Quality() -> impl IntoView {
    view! {
        <section class="panel quality">
            <Choices />
            <Upload />
            <Setting
                id="spare-relays-hint"
                label=words::SPARE_RELAYS
                hint=words::SPARE_RELAYS_HINT
                on=|view| view.spare_relays
                turn=SessionAction::SpareRelays
            />
        </section>
    }
    .into_any()
}

#[component]
fn Choices() -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let chosen = session.part(|view| view.quality);
    let choice = move |choice: QualityChoice| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="quality"
                    prop:checked=move || chosen.get() == choice
                    disabled=move || asleep.get()
                    on:change=move |_| session.act.run(SessionAction::Quality(choice))
                />
                <span>{say(words::choice(choice))}</span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{say(words::QUALITY)}</legend>
            {QualityChoice::ALL.into_iter().map(choice).collect_view()}
        </fieldset>
    }
}

#[component]
fn Upload() -> impl IntoView {
    let session = use_session();
    let upload = session.part(|view| view.upload);
    let there = Memo::new(move |_| upload.with(Option::is_some));
    let percent = Memo::new(move |_| {
        upload
            .get()
            .and_then(|upload| Some(upload.used_bits * 100 / upload.carries_bits?.max(1)))
            .map_or(0, |percent| u8::try_from(percent).unwrap_or(100).min(100))
    });
    let language = use_language();
    let words =
        Memo::new(move |_| upload.get().map(|upload| words::upload(upload, language.get())).unwrap_or_default());
    let warning = Memo::new(move |_| upload.get().map_or("", |upload| words::strain(upload).to(language.get())));
    let strain = move || match upload.get().map(|upload| upload.strain) {
        Some(Strain::Calm) | None => "calm",
        Some(Strain::Tight) => "tight",
        Some(Strain::Full) => "full",
    };
    view! {
        <Show when=move || there.get()>
            <div class="upload" data-strain=strain>
                <p class="upload-words" aria-hidden="true">
                    <span>{say(words::UPLOAD)}</span>
                    <span>{move || words.get()}</span>
                </p>
                <meter
                    min="0"
                    max="100"
                    aria-label=say(words::UPLOAD)
                    aria-valuetext=move || words.get()
                    prop:value=move || percent.get()
                ></meter>
            </div>
        </Show>
        <p class="hint" role="status" hidden=move || warning.with(|warning| warning.is_empty())>
            {move || warning.get()}
        </p>
    }
}
