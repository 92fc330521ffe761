//! What a page is called in the browser's tabs.

use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;

/// Follows `text` in the browser. The server writes it after the page, when the page's signals may be gone: there it is what it
/// was when the page was rendered.
#[component]
pub fn PageTitle(
    /// All of it.
    text: impl Fn() -> String + Send + Sync + 'static,
) -> impl IntoView {
    let text = if is_server() { TextProp::from(as_html(&untrack(text))) } else { TextProp::from(text) };
    view! { <Title text /> }
}

/// The server writes a title into the page as it is, and anybody may write anything into an address that is shown in it.
fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
