//! A text field with its label, its hint and what was refused about it.

use super::{Place, refusal};
use crate::app::session::use_session;
use crate::app::words::{Text, say};
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;

/// Keeps what is typed to itself: nothing is written into it that was typed by somebody.
#[component]
pub fn Field(
    /// Of the input; also the place that problems belong to: `name`, `password` or `code`.
    id: &'static str,
    /// Its accessible name.
    label: Text,
    /// What to know before typing.
    hint: Text,
    /// To read it when the form is sent.
    node: NodeRef<Input>,
    /// The input's type.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in.
    #[prop(default = "off")]
    complete: &'static str,
    /// Whether the name last used in this browser is filled in.
    #[prop(default = false)]
    remembered: bool,
    /// Whether the refusals at the door stand here.
    #[prop(default = false)]
    door: bool,
    /// Sees keys before the form does.
    #[prop(optional)]
    on_enter: Option<Callback<KeyboardEvent>>,
) -> impl IntoView {
    let session = use_session();
    let place = match id {
        "name" => Place::Name,
        "password" => Place::Password,
        _ => Place::Code,
    };
    let (own, at_door) = (refusal(session, place), refusal(session, Place::Door));
    let problem = Memo::new(move |_| own.get().or_else(|| at_door.get().filter(|_| door)));
    let touched = StoredValue::new(false);
    if remembered {
        let name = session.part(|view| view.profile.name.clone());
        Effect::new(move || {
            if let Some(input) = node.get()
                && !touched.get_value()
                && input.value().is_empty()
            {
                input.set_value(&name.get());
            }
        });
    }
    let refused = move || problem.get().is_some();
    let described = move || {
        if refused() { format!("{id}-problem {id}-hint") } else { format!("{id}-hint") }
    };
    view! {
        <div class="field">
            <label for=id>{say(label)}</label>
            <input
                id=id
                name=id
                type=kind
                autocomplete=complete
                autocapitalize=if id == "code" { "characters" } else { "off" }
                spellcheck="false"
                node_ref=node
                aria-describedby=described
                aria-invalid=move || refused().then_some("true")
                on:input=move |_| touched.set_value(true)
                on:keydown=move |ev| {
                    if let Some(on_enter) = on_enter {
                        on_enter.run(ev);
                    }
                }
            />
            <p id=format!("{id}-problem") class="problem" hidden=move || !refused()>
                {move || problem.get().unwrap_or_default()}
            </p>
            <p id=format!("{id}-hint") class="hint">
                {say(hint)}
            </p>
        </div>
    }
    .into_any()
}

/// What stands in a field now.
pub fn typed(node: NodeRef<Input>) -> String {
    node.get_untracked().map(|input| input.value()).unwrap_or_default()
}
