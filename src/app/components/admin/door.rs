//! Where the token is typed.

use crate::app::admin::use_admin;
use crate::app::language::use_language;
use crate::app::session::asleep;
use crate::app::words::{admin, say};
use crate::stream::admin::{AdminDeed, Door as State, TypedToken};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

/// The field and the button. What was typed is handed on and forgotten here.
#[component]
pub fn Door() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let asleep = asleep();
    let field = NodeRef::<Input>::new();
    let asking = handle.part(|page| page.door == State::Asking);
    let problem = Memo::new(move |_| handle.state.with(|page| admin::at_the_door(page, language.get())));
    let refused = move || !problem.with(String::is_empty);
    let enter = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(input) = field.get_untracked() else { return };
        let token = TypedToken::new(&input.value());
        input.set_value("");
        handle.act.run(AdminDeed::Enter(token));
    };
    // Whoever was refused is asked again where they stood.
    Effect::new(move || {
        if refused()
            && let Some(input) = field.get()
        {
            let _ = input.focus();
        }
    });
    view! {
        <div class="card admin-door">
            <h1>{say(admin::ADMIN)}</h1>
            <p>{say(admin::ADMIN_INTRO)}</p>
            <form method="post" autocomplete="off" on:submit=enter>
                <div class="field">
                    <label for="admin-token">{say(admin::TOKEN)}</label>
                    // Without a name nothing of it could be sent by the form itself.
                    <input
                        id="admin-token"
                        type="password"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        required
                        node_ref=field
                        disabled=move || asleep.get()
                        aria-describedby=move || {
                            if refused() { "admin-token-problem admin-token-hint" } else { "admin-token-hint" }
                        }
                        aria-invalid=move || refused().then_some("true")
                    />
                    <p id="admin-token-problem" class="problem" role="alert" hidden=move || !refused()>
                        {move || problem.get()}
                    </p>
                    <p id="admin-token-hint" class="hint">
                        {say(admin::TOKEN_HINT)}
                    </p>
                </div>
                <button class="button primary" type="submit" disabled=move || asleep.get()>
                    {say(admin::ENTER)}
                </button>
                <p class="hint" role="status">
                    {move || if asking.get() { admin::ENTERING.to(language.get()) } else { "" }}
                </p>
            </form>
        </div>
    }
    .into_any()
}
