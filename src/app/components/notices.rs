//! What people may know about relays and about a page without HTTPS, quietly; what costs them the picture stands on the
//! stage.

use crate::app::device::use_device;
use crate::app::session::use_session;
use crate::app::words::{self, say};
use leptos::prelude::*;

/// A sentence for each.
#[component]
pub fn Notices() -> impl IntoView {
    let session = use_session();
    let relay = session.words(words::relay_notice);
    let device = use_device();
    view! {
        <p class="notice" hidden=move || !device.able.get().insecure>
            {say(words::INSECURE)}
        </p>
        <p class="notice" hidden=move || relay.with(String::is_empty)>
            {move || relay.get()}
        </p>
    }
}
