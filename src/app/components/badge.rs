//! How the picture comes: a badge, and behind it a panel for the curious.

use super::{Dialogue, Support};
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::SessionView;
use leptos::html::Dialog;
use leptos::prelude::*;

/// "LIVE" while it is, and the connection in a few words.
#[component]
pub fn Badges() -> impl IntoView {
    let session = use_session();
    let live = session.part(words::is_live);
    let known = session.part(|view| view.connection.is_some());
    let panel = NodeRef::<Dialog>::new();
    let open = RwSignal::new(false);
    view! {
        <div class="badges">
            <span class="live" hidden=move || !live.get()>
                {say(words::LIVE)}
            </span>
            <Show when=move || known.get()>
                <Badge panel open />
            </Show>
        </div>
        <Figures panel open />
    }
    .into_any()
}

#[component]
fn Badge(
    /// What it opens.
    panel: NodeRef<Dialog>,
    /// That it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let asleep = asleep();
    let words = session.words(words::badge);
    let show = move |_| {
        open.set(true);
        drop(panel.get_untracked().map(|panel| panel.show_modal()));
    };
    view! {
        <button class="badge" type="button" disabled=move || asleep.get() aria-haspopup="dialog" on:click=show>
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
    /// Whether it is: the figures change every second, and nobody reads them in a panel that is shut.
    open: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let language = use_language();
    let connection = session.part(|view| view.connection.clone());
    let relay = session.part(SessionView::relay_in_hand);
    let lines = move || {
        if !open.get() {
            return None;
        }
        let mut figures = connection.get().map(|connection| words::figures(&connection, language.get()));
        if let (Some(figures), Some((provider, minutes))) = (&mut figures, relay.get()) {
            figures.push((words::CREDENTIALS, words::credentials(&provider, minutes, language.get())));
        }
        let line = |(what, value): words::Figure| view! { <div><dt>{say(what)}</dt><dd>{value}</dd></div> };
        Some(figures.unwrap_or_default().into_iter().map(line).collect_view())
    };
    let support = session.part(words::support);
    let text = Signal::derive(move || if open.get() { support.get() } else { String::new() });
    let shut = Callback::new(move |()| open.set(false));
    view! {
        <Dialogue id="connection" title=say(label::CONNECTION).into_any() node=panel on_shut=shut>
            <dl class="figures">{lines}</dl>
            <Support text hint=words::SUPPORT_HINT />
        </Dialogue>
    }
    .into_any()
}
