//! A button behind which files are chosen.

use super::{Icon, Sign};
use crate::app::session::asleep;
use crate::app::words::{Text, say};
use leptos::html::Input;
use leptos::prelude::*;

/// Several files at once; hidden while there is no use for them.
#[component]
pub fn FileButton(
    /// Of the input; unique in the page.
    id: &'static str,
    /// What kinds of files.
    accept: &'static str,
    /// Its drawing.
    sign: Sign,
    /// Its name.
    text: Text,
    /// To read what was chosen.
    node: NodeRef<Input>,
    /// Whether there is use for it.
    #[prop(into)]
    shown: Signal<bool>,
) -> impl IntoView {
    let asleep = asleep();
    view! {
        <span class="file-button" hidden=move || !shown.get()>
            <input
                id=id
                type="file"
                multiple
                accept=accept
                node_ref=node
                disabled=move || asleep.get()
            />
            <label class="button small quiet" for=id>
                <Icon sign />
                {say(text)}
            </label>
        </span>
    }
    .into_any()
}
