//! The page of one session, from the join form to its end.
//!
//! The `<video>`, the file input and the switch are rendered once and stay: what a person sees of them is decided by the
//! data attributes of `<main>`, never by a condition in the view.

use crate::app::chat::provide_chat;
use crate::app::components::{
    ChatPanel, Farewell, Frame, Invite, JoinForm, Leave, Masthead, Notices, PageTitle, People, Privacy, Quality,
    Shortcuts, Stage,
};
use crate::app::language::use_language;
use crate::app::player::provide_player;
use crate::app::session::{SessionHandle, use_session};
use crate::app::words;
use crate::domain::{Role, SessionCode};
use crate::protocol::FilmState;
use crate::stream::{LinkView, Phase, Picture, SessionAction, SessionView};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};
use leptos_router::{LazyRoute, NavigateOptions};
use wasm_split_helpers::SplitLoaderError;

/// The page, in a file of its own that whoever comes to the start page does not load.
pub struct SessionRoute;

impl LazyRoute for SessionRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        // The server names the file in the head of the page, so that it comes beside the first one and not after it.
        leptos::prefetch_lazy_fn_on_server("session");
        match session_page().await {
            Ok(page) => page,
            Err(error) => panic!("{error}"),
        }
    }

    async fn preload() {
        // Where it cannot be had, `view` says so.
        let _ = load_session().await;
    }
}

/// Waits until what a session needs is here: its page, and in a browser all that works for it.
pub async fn load_session() -> Result<(), SplitLoaderError> {
    load().await
}

part! {
    of session: fn session_page() -> AnyView { SessionPage().into_any() },
    loaded by load
}

/// Everything of one session.
#[component]
pub fn SessionPage() -> impl IntoView {
    let session = use_session();
    let params = use_params_map();
    let typed = Memo::new(move |_| params.with(|params| params.get("code").unwrap_or_default()));
    Effect::new(move || session.act.run(SessionAction::SessionMounted { typed: typed.get() }));
    follow_code(session, typed);
    let player = provide_player();
    let chat = provide_chat(player);

    let outside = session.part(|view| matches!(view.phase, Phase::Outside | Phase::Entering));
    let inside = session.part(|view| view.phase == Phase::Inside);
    let hosting = session.part(|view| view.phase == Phase::Inside && view.role == Some(Role::Host));
    let language = use_language();
    let title = move || format!("{} · Tessro", words::session_name(&shown(&typed.get()), language.get()));
    let part = move |read: fn(&SessionView) -> &'static str| move || session.state.with(read);
    view! {
        <PageTitle text=title />
        <Frame>
            <Masthead inside=true />
            <main
                id="main"
                class="session"
                node_ref=player.whole
                tabindex="-1"
                data-phase=part(phase)
                data-role=part(role)
                data-film=part(film)
                data-link=part(link)
                data-picture=part(picture)
                data-chat=move || chat.attribute()
            >
                <Show when=move || outside.get()>
                    <JoinForm typed />
                </Show>
                <Farewell typed />
                <Stage />
                <Show when=move || inside.get()>
                    <aside class="side">
                        <People />
                        <ChatPanel />
                    </aside>
                </Show>
                <div class="below">
                    <Show when=move || hosting.get()>
                        <Invite />
                    </Show>
                    <Show when=move || hosting.get()>
                        <Quality />
                    </Show>
                    <div class="personal">
                        <Privacy />
                        <Notices />
                        <Show when=move || inside.get()>
                            <Leave />
                        </Show>
                    </div>
                </div>
                <Show when=move || inside.get()>
                    <Shortcuts />
                </Show>
            </main>
        </Frame>
    }
    .into_any()
}

/// A code as people read it; what is no code stays as it was typed.
pub fn shown(typed: &str) -> String {
    SessionCode::parse(typed).map_or_else(|_| typed.to_owned(), |code| code.to_string())
}

/// The address follows the session that this person is in.
fn follow_code(session: SessionHandle, typed: Memo<String>) {
    let inside = session.part(|view| view.code.filter(|_| view.phase == Phase::Inside));
    let navigate = use_navigate();
    Effect::new(move || {
        if let Some(code) = inside.get()
            && SessionCode::parse(&typed.get()) != Ok(code)
        {
            navigate(&format!("/s/{code}"), NavigateOptions { replace: true, ..Default::default() });
        }
    });
}

fn phase(view: &SessionView) -> &'static str {
    match view.phase {
        Phase::Outside => "outside",
        Phase::Entering => "entering",
        Phase::Inside => "inside",
        Phase::Ended(_) => "ended",
    }
}

fn role(view: &SessionView) -> &'static str {
    match view.role {
        Some(Role::Host) => "host",
        Some(Role::Guest) => "guest",
        None => "none",
    }
}

fn film(view: &SessionView) -> &'static str {
    match view.film.as_ref().filter(|film| !film.returning).map(|film| film.state) {
        None => "none",
        Some(FilmState::Playing) => "playing",
        Some(FilmState::Paused) => "paused",
        Some(FilmState::Ended) => "ended",
    }
}

fn link(view: &SessionView) -> &'static str {
    match view.link {
        LinkView::Idle => "idle",
        LinkView::Connecting => "connecting",
        LinkView::Online => "online",
        LinkView::Away => "away",
    }
}

fn picture(view: &SessionView) -> &'static str {
    match view.picture {
        Picture::None => "none",
        Picture::Connecting => "connecting",
        Picture::Connected => "connected",
        Picture::Interrupted => "interrupted",
        Picture::Failed => "failed",
    }
}
