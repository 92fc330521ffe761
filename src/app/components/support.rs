//! A text for whoever helps, to be copied.

use crate::app::device::{Wish, use_device};
use crate::app::session::asleep;
use crate::app::words::{self, Text, label, say};
use leptos::html::Textarea;
use leptos::prelude::*;

/// The text in a field, and a button that copies it.
#[component]
pub fn Support(
    /// What is copied.
    text: Signal<String>,
    /// What is in it, and what is not.
    hint: Text,
    /// How many lines are seen at once.
    #[prop(default = 4)]
    rows: u8,
) -> impl IntoView {
    let device = use_device();
    let asleep = asleep();
    let field = NodeRef::<Textarea>::new();
    let copied = RwSignal::new(false);
    let done = say(words::SUPPORT_COPIED);
    let copy = move |_| {
        // Selected in any case: where there is no clipboard it can be copied by hand.
        let _ = field.get_untracked().map(|field| field.select());
        copied.set(!device.able.get_untracked().insecure);
        device.wish.run(Wish::Copy(text.get_untracked()));
    };
    view! {
        <p class="hint">{say(hint)}</p>
        <textarea
            readonly
            rows=rows.to_string()
            node_ref=field
            aria-label=say(label::SUPPORT_TEXT)
            prop:value=move || text.get()
        ></textarea>
        <div class="row">
            <button class="button small" type="button" disabled=move || asleep.get() on:click=copy>
                {say(label::COPY_FOR_SUPPORT)}
            </button>
            <p class="hint" role="status">
                {move || if copied.get() { done() } else { "" }}
            </p>
        </div>
    }
    .into_any()
}
