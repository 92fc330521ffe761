//! Asks before anything is done: what, and what comes of it.

use crate::app::admin::use_admin;
use crate::app::components::Dialogue;
use crate::app::language::use_language;
use crate::app::words::{admin, say};
use crate::protocol::AdminAction;
use crate::stream::admin::AdminDeed;
use leptos::html::{Dialog, ElementType, H2};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;

/// A button that asks first.
#[component]
pub(super) fn Ask(
    /// What it is about.
    action: Signal<AdminAction>,
    /// What it says; its whole name is told to a screen reader.
    words: Signal<String>,
    /// Its whole name.
    name: Signal<String>,
    /// Whether it takes something away.
    danger: bool,
    /// Where the question is put.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    view! {
        <button
            class="button small"
            class:danger=danger
            type="button"
            aria-haspopup="dialog"
            aria-label=move || name.get()
            on:click=move |_| asked.set(Some(action.get_untracked()))
        >
            {move || words.get()}
        </button>
    }
    .into_any()
}

/// The dialogue.
#[component]
pub fn Question(
    /// What is asked; nothing: it is shut.
    asked: RwSignal<Option<AdminAction>>,
) -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    let node = NodeRef::<Dialog>::new();
    let words = Memo::new(move |before: Option<&(String, &'static str, &'static str)>| {
        let language = language.get();
        // What was asked last stays to be read while the dialogue goes.
        asked
            .with(|asked| asked.as_ref().map(|action| admin::question(action, language)))
            .or_else(|| before.cloned())
            .unwrap_or_default()
    });
    Effect::new(move || {
        if asked.with(Option::is_some)
            && let Some(dialogue) = node.get()
            && !dialogue.open()
        {
            let _ = dialogue.show_modal();
        }
    });
    let close = move || {
        let _ = node.get_untracked().map(|dialogue| dialogue.close());
    };
    let confirm = move |_| {
        let action = asked.get_untracked();
        close();
        if let Some(action) = action {
            hand_focus_on(&action);
            handle.act.run(AdminDeed::Act(action));
        }
    };
    view! {
        <div class="question" on:close:capture=move |_| asked.set(None)>
            <Dialogue id="question" title=(move || words.get().0).into_any() node>
                <p>{move || words.get().1}</p>
                <div class="row">
                    <button class="button primary" type="button" on:click=confirm>
                        {move || words.get().2}
                    </button>
                    <button class="button" type="button" on:click=move |_| close()>
                        {say(admin::KEEP)}
                    </button>
                </div>
            </Dialogue>
        </div>
    }
    .into_any()
}

/// The row may go with what is ended: whoever stood in it stands at the head of its list then.
fn hand_focus_on(action: &AdminAction) {
    let heading = match action {
        AdminAction::EndSession { .. } => "sessions-heading",
        AdminAction::EndRelay { .. } => "connections-heading",
        // Its button stays, and has the focus back.
        AdminAction::PauseProvider { .. } => return,
    };
    if let Some(heading) = document().get_element_by_id(heading) {
        let _ = heading.unchecked_into::<<H2 as ElementType>::Output>().focus();
    }
}
