//! An address where there is nothing.

use crate::app::components::{Frame, Masthead};
use crate::app::words::{self, label, say};
use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, and shows the way home.
#[component]
pub fn LostPage() -> impl IntoView {
    let (heading, sentence) = words::NOT_FOUND;
    view! {
        <Title text=say(words::NOT_FOUND_TITLE) />
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
