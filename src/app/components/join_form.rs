//! What a newcomer with only the link is asked.

use super::{Field, FormProblem, Place, Presence, focus_refused, refusal, typed as text_of};
use crate::app::pages::shown;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::stream::{Phase, SessionAction};
use leptos::ev::SubmitEvent;
use leptos::html::{Input, P};
use leptos::prelude::*;

/// A name and, where set, the password; the code is the address's.
#[component]
pub fn JoinForm(
    /// The code as it stands in the address.
    typed: Memo<String>,
) -> impl IntoView {
    let session = use_session();
    let (name, password, form) = (NodeRef::<Input>::new(), NodeRef::<Input>::new(), NodeRef::<P>::new());
    let asking = focus_refused(session, move |place| match place {
        Place::Name => drop(name.get_untracked().map(|field| field.focus())),
        Place::Password | Place::Door => drop(password.get_untracked().map(|field| field.focus())),
        Place::Code | Place::Form => drop(form.get_untracked().map(|sentence| sentence.focus())),
        Place::Invite | Place::Film => {}
    });
    let on_submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        asking();
        let code = typed.get_untracked();
        session.act.run(SessionAction::Join { code, name: text_of(name), password: text_of(password) });
    };
    let (of_code, of_form) = (refusal(session, Place::Code), refusal(session, Place::Form));
    let problem = Memo::new(move |_| of_code.get().or(of_form.get()));
    let asleep = asleep();
    let entering = session.part(|view| view.phase == Phase::Entering);
    view! {
        <section class="card join">
            <h1>{say(words::JOIN_HEADING)}</h1>
            <p class="code">{move || shown(&typed.get())}</p>
            <form method="post" on:submit=on_submit>
                <Field id="name" label=label::NAME hint=words::NAME_HINT node=name complete="nickname" remembered=true />
                <Field id="password" label=label::PASSWORD hint=words::JOIN_PASSWORD_HINT node=password kind="password" door=true />
                <FormProblem node=form problem />
                <button class="button primary" type="submit" disabled=move || asleep.get() || entering.get()>
                    {say(label::JOIN)}
                </button>
                <Presence />
            </form>
            <p class="hint">
                <a href="/">{say(label::BACK)}</a>
            </p>
        </section>
    }
    .into_any()
}
