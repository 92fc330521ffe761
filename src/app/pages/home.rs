//! The start page: create a session, or join one by its code.

use crate::app::components::{
    Field, FormProblem, Frame, Masthead, Place, Presence, ServerStatus, focus_refused, refusal, typed,
};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::{Phase, SessionAction};
use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html::{Input, P};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// What it is, and the way in.
#[component]
pub fn HomePage() -> impl IntoView {
    let session = use_session();
    let still_inside = RwSignal::new(false);
    let inside = session.part(|view| (view.phase == Phase::Inside, view.code));
    let navigate = use_navigate();
    Effect::new(move |was_inside: Option<bool>| {
        let (inside, code) = inside.get();
        match (was_inside, code) {
            (None, _) => still_inside.set(inside),
            (Some(false), Some(code)) if inside => navigate(&format!("/s/{code}"), NavigateOptions::default()),
            _ => (),
        }
        inside
    });
    Effect::new(move || session.act.run(SessionAction::HomeMounted));
    view! {
        <Frame>
            <Masthead />
            <main id="main" class="home" tabindex="-1">
                <section class="pitch">
                    <h1>{say(words::TAGLINE)}</h1>
                    <Explanation />
                    <ServerStatus />
                </section>
                <section class="card doors">
                    <Show when=move || still_inside.get() && inside.get().0 fallback=Doors>
                        <StillInside />
                    </Show>
                </section>
            </main>
        </Frame>
    }
    .into_any()
}

#[component]
fn Explanation() -> impl IntoView {
    let point = |(heading, sentence)| {
        view! {
            <li>
                <strong>{say(heading)}</strong>
                <span>{say(sentence)}</span>
            </li>
        }
    };
    view! { <ul class="points">{words::EXPLANATION.map(point).collect_view()}</ul> }
}

#[component]
fn StillInside() -> impl IntoView {
    let session = use_session();
    let address = move || session.state.with(|view| view.code.map(|code| format!("/s/{code}")).unwrap_or_default());
    view! {
        <div class="notice">
            <p>{say(words::STILL_INSIDE)}</p>
            <a class="button" href=address>
                {say(label::RETURN)}
            </a>
        </div>
    }
    .into_any()
}

/// Two forms that share one name and one password. Enter in the code joins; in the others it does what the code says.
#[component]
fn Doors() -> impl IntoView {
    let session = use_session();
    let (name, password, code) = (NodeRef::<Input>::new(), NodeRef::<Input>::new(), NodeRef::<Input>::new());
    let form = NodeRef::<P>::new();
    let asking = focus_refused(session, move |place| match place {
        Place::Name => drop(name.get_untracked().map(|field| field.focus())),
        Place::Password => drop(password.get_untracked().map(|field| field.focus())),
        Place::Code | Place::Door => drop(code.get_untracked().map(|field| field.focus())),
        Place::Form => drop(form.get_untracked().map(|sentence| sentence.focus())),
        Place::Invite | Place::Film => {}
    });
    let ask = move |action| {
        asking();
        session.act.run(action);
    };
    let join = move || {
        ask(SessionAction::Join { code: typed(code), name: typed(name), password: typed(password) });
    };
    let on_create = move |ev: SubmitEvent| {
        ev.prevent_default();
        ask(SessionAction::Create { name: typed(name), password: typed(password) });
    };
    let on_join = move |ev: SubmitEvent| {
        ev.prevent_default();
        join();
    };
    let on_enter = Callback::new(move |ev: KeyboardEvent| {
        if ev.key() == "Enter" && !ev.is_composing() && !typed(code).trim().is_empty() {
            ev.prevent_default();
            join();
        }
    });
    let asleep = asleep();
    let entering = session.part(|view| view.phase == Phase::Entering);
    let closed = move || asleep.get() || entering.get();
    view! {
        <form id="create" method="post" on:submit=on_create>
            <Field id="name" label=label::NAME hint=words::NAME_HINT node=name on_enter complete="nickname" remembered=true />
            <Field id="password" label=label::PASSWORD hint=words::PASSWORD_HINT node=password on_enter kind="password" />
            <button class="button primary" type="submit" disabled=closed>
                {say(label::CREATE)}
            </button>
        </form>
        <p class="or">
            <span>{say(words::OR)}</span>
        </p>
        <form id="join" class="join-by-code" method="post" on:submit=on_join>
            <Field id="code" label=label::CODE hint=words::CODE_HINT node=code door=true />
            <button class="button" type="submit" disabled=closed>
                {say(label::JOIN)}
            </button>
        </form>
        <FormProblem node=form problem=refusal(session, Place::Form) />
        <Presence />
    }
    .into_any()
}
