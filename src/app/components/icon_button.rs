//! A button with a drawing in it; its name is heard, and read where the pointer rests.

use super::{Icon, Sign};
use crate::app::language::use_language;
use crate::app::session::asleep;
use crate::app::words::Text;
use leptos::html::Button;
use leptos::prelude::*;

/// 44 pixels wide and high, for a thumb.
#[component]
pub fn IconButton(
    /// What is drawn.
    #[prop(into)]
    sign: Signal<Sign>,
    /// Its name.
    #[prop(into)]
    label: Signal<Text>,
    /// The key that does the same.
    #[prop(optional)]
    key: &'static str,
    /// What it does.
    on_press: Callback<()>,
    /// Whether what it opens is open; nothing where it opens nothing.
    #[prop(optional, into)]
    expanded: Option<Signal<bool>>,
    /// To give it the focus.
    #[prop(optional)]
    node: NodeRef<Button>,
    /// Beside the drawing.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let language = use_language();
    let asleep = asleep();
    let name = move || label.get().to(language.get());
    let title = move || if key.is_empty() { name().to_owned() } else { format!("{} ({key})", name()) };
    view! {
        <button
            class="icon-button"
            type="button"
            node_ref=node
            aria-label=name
            title=title
            aria-keyshortcuts=(!key.is_empty()).then_some(key)
            aria-expanded=move || expanded.map(|open| if open.get() { "true" } else { "false" })
            disabled=move || asleep.get()
            on:click=move |_| on_press.run(())
        >
            {move || view! { <Icon sign=sign.get() /> }}
            {children.map(|children| children())}
        </button>
    }
    .into_any()
}
