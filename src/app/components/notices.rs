//! What people may know about relays, quietly; what costs them the picture stands on the stage.

use crate::app::session::use_session;
use crate::app::words;
use leptos::prelude::*;

/// The relay's sentence.
#[component]
pub fn Notices() -> impl IntoView {
    let session = use_session();
    let relay = session.part(words::relay_notice);
    view! {
        <p class="notice" hidden=move || relay.with(String::is_empty)>
            {move || relay.get()}
        </p>
    }
}
