//! How the picture comes: a badge, and behind it a panel for the curious.

use super::Dialogue;
use crate::app::device::{Wish, use_device};
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use leptos::html::{Dialog, Textarea};
use leptos::prelude::*;

/// "LIVE" while it is, and the connection in a few words.
#[component]
pub fn Badges() -> impl IntoView {
    let session = use_session();
    let live = session.part(words::is_live);
    let known = session.part(|view| view.connection.is_some());
    let panel = NodeRef::<Dialog>::new();
    view! {
        <div class="badges">
            <span class="live" hidden=move || !live.get()>
                {say(words::LIVE)}
            </span>
            <Show when=move || known.get()>
                <Badge panel />
            </Show>
        </div>
        <Figures panel />
    }
    .into_any()
}

#[component]
fn Badge(
    /// What it opens.
    panel: NodeRef<Dialog>,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let words = session.words(words::badge);
    let open = move |_| drop(panel.get_untracked().map(|panel| panel.show_modal()));
    view! {
        <button class="badge" type="button" disabled=move || asleep.get() aria-haspopup="dialog" on:click=open>
            <span class="unseen">{say(label::CONNECTION)} ": "</span>
            {move || words.get()}
        </button>
    }
    .into_any()
}

#[component]
fn Figures(
    /// Itself, to be opened.
    panel: NodeRef<Dialog>,
) -> impl IntoView {
    let session = use_session();
    let language = use_language();
    let connection = session.part(|view| view.connection.clone());
    let lines = move || {
        let figures = connection.get().map(|connection| words::figures(&connection, language.get()));
        let line = |(what, value): words::Figure| view! { <div><dt>{say(what)}</dt><dd>{value}</dd></div> };
        figures.unwrap_or_default().into_iter().map(line).collect_view()
    };
    view! {
        <Dialogue id="connection" title=say(label::CONNECTION).into_any() node=panel>
            <dl class="figures">{lines}</dl>
            <Support />
        </Dialogue>
    }
    .into_any()
}

#[component]
fn Support() -> impl IntoView {
    let session = use_session();
    let device = use_device();
    let asleep = asleep();
    let text = session.part(words::support);
    let field = NodeRef::<Textarea>::new();
    let copied = RwSignal::new(false);
    let done = say(words::SUPPORT_COPIED);
    let copy = move |_| {
        // Selected in any case: where there is no clipboard it can be copied by hand.
        let _ = field.get_untracked().map(|field| field.select());
        copied.set(!device.able.get_untracked().insecure);
        device.wish.run(Wish::Copy(text.get_untracked()));
    };
    view! {
        <p class="hint">{say(words::SUPPORT_HINT)}</p>
        <textarea readonly rows="4" node_ref=field aria-label=say(label::SUPPORT_TEXT) prop:value=move || text.get()></textarea>
        <div class="row">
            <button class="button small" type="button" disabled=move || asleep.get() on:click=copy>
                {say(label::COPY_FOR_SUPPORT)}
            </button>
            <p class="hint" role="status">
                {move || if copied.get() { done() } else { "" }}
            </p>
        </div>
    }
    .into_any()
}
