//! What surrounds every page.

use super::{LanguageMenu, Wordmark};
use crate::app::language::use_language;
use crate::app::session::use_session;
use crate::app::words::{self, label, say};
use crate::stream::Phase;
use leptos::html::H1;
use leptos::prelude::*;

/// The skip link, the page, and below it the choice of language.
#[component]
pub fn Frame(
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip" href="#main" rel="external">
            {say(label::SKIP)}
        </a>
        <div class="frame">
            {children()} <footer class="foot">
                <CheckLink />
                <LanguageMenu />
            </footer>
        </div>
    }
}

/// The way to the check of one's connection. Whoever is in a session stays there: it opens beside it.
#[component]
pub fn CheckLink() -> impl IntoView {
    let session = use_session();
    let inside = session.part(|view| view.phase == Phase::Inside);
    let beside = move |value: &'static str| move || inside.get().then_some(value);
    view! {
        <a href="/check" target=beside("_blank") rel=beside("noopener")>
            {say(words::check::CHECK)}
        </a>
    }
}

/// The head of a page: the product's name. On a session's page it is no link, so that no slip of the hand ends a film.
#[component]
pub fn Masthead(
    /// Whether this is a session's page.
    #[prop(optional)]
    inside: bool,
) -> impl IntoView {
    let name = if inside {
        view! {
            <Wordmark />
            <SessionName />
        }
        .into_any()
    } else {
        view! {
            <a href="/" aria-label=say(label::HOME)>
                <Wordmark />
            </a>
        }
        .into_any()
    };
    view! { <header class="masthead">{name}</header> }
}

#[component]
fn SessionName() -> impl IntoView {
    let session = use_session();
    let inside = session.part(|view| view.code.filter(|_| view.phase == Phase::Inside));
    let heading = NodeRef::<H1>::new();
    let language = use_language();
    focus_on_arrival(heading);
    move || {
        inside.get().map(|code| {
            view! {
                <h1 tabindex="-1" node_ref=heading>
                    {move || words::session_name(&code.to_string(), language.get())}
                </h1>
            }
        })
    }
}

/// Moves the focus to a heading as soon as it is there, since what had the focus before is gone.
pub fn focus_on_arrival(heading: NodeRef<H1>) {
    Effect::new(move || {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
}

/// Shown by plain DOM when the page itself has failed; the address is loaded anew.
#[component]
pub fn Broken() -> impl IntoView {
    view! {
        <div id="broken" class="broken" role="alert" hidden>
            <p>{say(words::BROKEN)}</p>
            <a class="button primary" href="" rel="external">
                {say(label::RELOAD)}
            </a>
        </div>
    }
}
