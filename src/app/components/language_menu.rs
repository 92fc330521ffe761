//! The choice of language.

use crate::app::language::use_language;
use crate::app::session::asleep;
use crate::app::words::{label, say};
use crate::domain::Language;
use leptos::prelude::*;

/// Takes effect at once, with nothing loaded anew: a host's film plays on.
#[component]
pub fn LanguageMenu() -> impl IntoView {
    let language = use_language();
    let asleep = asleep();
    let choose = move |ev| {
        if let Some(chosen) = Language::from_tag(&event_target_value(&ev)) {
            language.set(chosen);
        }
    };
    let option = move |one: Language| {
        view! {
            <option value=one.tag() lang=one.tag() selected=move || language.get() == one>
                {one.own_name()}
            </option>
        }
    };
    view! {
        <label class="language">
            <span>{say(label::LANGUAGE)}</span>
            <select disabled=move || asleep.get() on:change=choose>
                {Language::ALL.map(option).collect_view()}
            </select>
        </label>
    }
    .into_any()
}
