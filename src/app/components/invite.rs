//! How the host asks people in, and keeps others out.

use super::{Icon, Place, Qr, Setting, Sign, refusal};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::SessionAction;
use leptos::html::Input;
use leptos::prelude::*;

/// The code, the link with what copies and shows it, and the lock.
#[component]
pub fn Invite() -> impl IntoView {
    let session = use_session();
    let code = session.part(|view| view.code.map(|code| code.to_string()).unwrap_or_default());
    view! {
        <section class="panel invite">
            <h2>{say(words::INVITE)}</h2>
            <p class="code">{move || code.get()}</p>
            <Link />
            <div class="row">
                <Copy />
                <Qr />
            </div>
            <p id="invite-hint" class="hint">
                {say(words::INVITE_HINT)}
            </p>
            <Setting
                id="lock-hint"
                label=label::LOCK
                hint=words::LOCK_HINT
                on=|view| view.locked
                turn=SessionAction::Lock
            />
        </section>
    }
    .into_any()
}

/// The link as text; what cannot be copied by itself is selected here.
#[component]
fn Link() -> impl IntoView {
    let session = use_session();
    let link = session.part(|view| view.invite.clone().unwrap_or_default());
    let problem = refusal(session, Place::Invite);
    let field = NodeRef::<Input>::new();
    Effect::new(move || {
        if problem.get().is_some()
            && let Some(field) = field.get_untracked()
        {
            let _ = field.focus();
        }
    });
    view! {
        <input
            type="text"
            readonly
            node_ref=field
            aria-label=say(label::INVITE_LINK)
            aria-describedby="invite-hint"
            value=move || link.get()
            on:focus=move |_| {
                let _ = field.get_untracked().map(|field| field.select());
            }
        />
        <p class="problem" role="alert" hidden=move || problem.get().is_none()>
            {move || problem.get().unwrap_or_default()}
        </p>
    }
    .into_any()
}

#[component]
fn Copy() -> impl IntoView {
    let session = use_session();
    let copied = session.part(|view| view.invite_copied);
    let asleep = asleep();
    view! {
        <button
            class="button"
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| session.act.run(SessionAction::CopyInvite)
        >
            {move || view! { <Icon sign=if copied.get() { Sign::Done } else { Sign::Copy } /> }}
            {say(label::COPY_INVITE)}
        </button>
    }
    .into_any()
}
