//! A dialogue: above everything, with a heading and a way to shut it. The browser keeps the focus inside, and gives it back.

use super::{IconButton, Sign};
use crate::app::words::label;
use leptos::html::Dialog;
use leptos::prelude::*;

/// Opened by whoever holds `node`, with `show_modal`.
#[component]
pub fn Dialogue(
    /// Of the heading; unique in the page.
    id: &'static str,
    /// The heading.
    title: AnyView,
    /// To open and shut it.
    node: NodeRef<Dialog>,
    /// Hears when it is shut, however that comes.
    #[prop(optional)]
    on_shut: Option<Callback<()>>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let close = move |()| {
        let _ = node.get_untracked().map(|dialogue| dialogue.close());
    };
    let shut = move |_| {
        if let Some(on_shut) = on_shut {
            on_shut.run(());
        }
    };
    view! {
        <dialog class="dialogue" node_ref=node aria-labelledby=id on:close=shut>
            <div class="dialogue-head">
                <h2 id=id>{title}</h2>
                <IconButton sign=Sign::Close label=label::CLOSE on_press=Callback::new(close) />
            </div>
            {children()}
        </dialog>
    }
    .into_any()
}
