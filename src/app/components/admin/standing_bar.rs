//! Who is there, whether the page is live, what came of the last action, and the way out.

use crate::app::admin::use_admin;
use crate::app::language::use_language;
use crate::app::words::{admin, say};
use crate::protocol::Counting;
use crate::stream::admin::AdminDeed;
use leptos::prelude::*;

/// One line at the head of the page.
#[component]
pub fn StandingBar() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let live = handle.part(|page| page.live);
    let people = Memo::new(move |_| {
        let language = language.get();
        handle.state.with(|page| page.view.as_ref().map(|view| admin::people_now(view, language)).unwrap_or_default())
    });
    let said = Memo::new(move |_| {
        let language = language.get();
        handle.state.with(|page| page.said.as_ref().map(|said| (said.number, admin::said(said, language))))
    });
    let failed = handle.part(|page| page.said.as_ref().is_some_and(|said| said.done.is_err()));
    let trouble = handle.part(|page| match page.view.as_ref().map(|view| view.counting) {
        Some(Counting::SumsOnly) => Some(admin::SUMS_ONLY),
        Some(Counting::Apart) => Some(admin::APART),
        Some(Counting::Stopped) => Some(admin::NOT_COUNTED),
        Some(Counting::Works) | None => None,
    });
    let meters = Memo::new(move |_| {
        let language = language.get();
        handle
            .state
            .with(|page| page.view.as_ref().map(|view| admin::meters_in_trouble(view, language)).unwrap_or_default())
    });
    view! {
        <div class="admin-bar">
            <p class="admin-live" role="status" data-live=move || live.get().to_string()>
                {move || if live.get() { admin::LIVE } else { admin::NOT_LIVE }.to(language.get())}
            </p>
            <p class="admin-people">{move || people.get()}</p>
            <button class="button small" type="button" on:click=move |_| handle.act.run(AdminDeed::Leave)>
                {say(admin::LOCK)}
            </button>
        </div>
        // Said by its number as well, so that the same words are heard again.
        <div class="admin-said" role="status" class:failed=move || failed.get()>
            {move || {
                said.get().map(|(number, words)| view! { <p class="notice" data-number=number.to_string()>{words}</p> })
            }}
        </div>
        <p class="notice" role="alert" hidden=move || trouble.get().is_none()>
            {move || trouble.get().map(|text| text.to(language.get()))}
        </p>
        <p class="notice" role="alert" hidden=move || meters.with(String::is_empty)>
            {move || meters.get()}
        </p>
    }
    .into_any()
}
