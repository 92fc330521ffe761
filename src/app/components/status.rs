//! What is happening, in words.

use crate::app::language::use_language;
use crate::app::session::use_session;
use crate::app::words;
use crate::stream::{Person, Phase};
use leptos::prelude::*;

/// One sentence, and what goes wrong beside it. The only part of the page that is announced by itself.
#[component]
pub fn Status() -> impl IntoView {
    let session = use_session();
    let status = session.words(words::status);
    let server = session.text(words::server_notice);
    let relay = session.words(words::relay_trouble);
    let unseen = unseen();
    view! {
        <div class="status" role="status" aria-atomic="false">
            <p>{move || status.get()}</p>
            <p class="away" hidden=move || server.get().is_empty()>
                {move || server.get()}
            </p>
            <p class="hint" hidden=move || relay.with(String::is_empty)>
                {move || relay.get()}
            </p>
            <p class="unseen">{move || unseen.get()}</p>
        </div>
    }
    .into_any()
}

/// What others see without words: who comes and goes, and the first of a burst of reactions.
fn unseen() -> RwSignal<String> {
    let session = use_session();
    let language = use_language();
    let said = RwSignal::new(String::new());
    let people = session.part(|view| (view.phase == Phase::Inside).then(|| view.people.clone()));
    Effect::new(move |before: Option<Option<Vec<Person>>>| {
        let now = people.get();
        if let (Some(Some(before)), Some(now)) = (before, &now)
            && !before.is_empty()
        {
            let news = words::came_and_went(&before, now, language.get_untracked());
            if !news.is_empty() {
                said.set(news);
            }
        }
        now
    });
    let first = session.part(|view| view.reactions.first().map(|first| (first.name.clone(), first.reaction)));
    Effect::new(move |flew: Option<bool>| {
        let first = first.get();
        if let (Some(false), Some((name, reaction))) = (flew, &first) {
            let language = language.get_untracked();
            said.set(format!("{}: {}", words::called(name, language), words::reaction(*reaction).to(language)));
        }
        first.is_some()
    });
    said
}
