//! An address where there is nothing.

use crate::app::components::{Frame, Masthead};
use crate::app::words::{self, label};
use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, and shows the way home.
#[component]
pub fn LostPage() -> impl IntoView {
    let (heading, sentence) = words::NOT_FOUND;
    view! {
        <Title text="Nothing here · Tessro" />
        <Frame>
            <Masthead />
            <main id="main" class="lost" tabindex="-1">
                <div class="card farewell">
                    <h1>{heading}</h1>
                    <p>{sentence}</p>
                    <a class="button primary" href="/">{label::BACK}</a>
                </div>
            </main>
        </Frame>
    }
    .into_any()
}
