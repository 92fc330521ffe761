//! How the host asks people in.

use super::{Icon, Place, Sign, refusal};
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label};
use crate::stream::SessionAction;
use leptos::html::Input;
use leptos::prelude::*;

/// The code, the link, and a button that copies it.
#[component]
pub fn Invite() -> impl IntoView {
    let session = use_session();
    let code = session.part(|view| view.code.map(|code| code.to_string()).unwrap_or_default());
    let link = session.part(|view| view.invite.clone().unwrap_or_default());
    let copied = session.part(|view| view.invite_copied);
    let problem = refusal(session, Place::Invite);
    let asleep = asleep();
    let field = NodeRef::<Input>::new();
    let select = move || {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    };
    Effect::new(move || {
        if problem.get().is_some()
            && let Some(field) = field.get_untracked()
        {
            let _ = field.focus();
        }
    });
    view! {
        <section class="panel invite">
            <h2>"Invite"</h2>
            <p class="code">{move || code.get()}</p>
            <input
                type="text"
                readonly
                node_ref=field
                aria-label=label::INVITE_LINK
                aria-describedby="invite-hint"
                value=move || link.get()
                on:focus=move |_| select()
            />
            <button
                class="button"
                type="button"
                disabled=move || asleep.get()
                on:click=move |_| session.act.run(SessionAction::CopyInvite)
            >
                {move || view! { <Icon sign=if copied.get() { Sign::Done } else { Sign::Copy } /> }}
                {label::COPY_INVITE}
            </button>
            <p class="problem" role="alert" hidden=move || problem.get().is_none()>
                {move || problem.get().unwrap_or_default()}
            </p>
            <p id="invite-hint" class="hint">
                {words::INVITE_HINT}
            </p>
        </section>
    }
    .into_any()
}
