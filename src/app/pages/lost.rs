//! An address where there is nothing.

use crate::app::components::{Frame, Masthead, PageTitle};
use crate::app::words::{self, label, say};
use leptos::prelude::*;

/// Says so, and shows the way home.
#[component]
pub fn LostPage() -> impl IntoView {
    let (heading, sentence) = words::NOT_FOUND;
    let title = say(words::NOT_FOUND_TITLE);
    let title = move || title().to_owned();
    view! {
        <PageTitle text=title />
        <Frame>
            <Masthead />
            <main id="main" class="lost" tabindex="-1">
                <div class="card farewell">
                    <h1>{say(heading)}</h1>
                    <p>{say(sentence)}</p>
                    <a class="button primary" href="/">{say(label::BACK)}</a>
                </div>
            </main>
        </Frame>
    }
    .into_any()
}
