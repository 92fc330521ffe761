//! Whether streaming is to be had, and through what: the truth as the server knows it, asked again by itself.

use crate::app::api;
use crate::app::language::use_language;
use crate::app::words;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// How often it is asked.
const EVERY: Duration = Duration::from_mins(1);

/// One sentence; empty until the server has answered.
#[component]
pub fn ServerStatus() -> impl IntoView {
    let language = use_language();
    let status = RwSignal::new(None);
    let ask = move || {
        spawn_local(async move {
            // An answer that does not come leaves what was known.
            if let Ok(answer) = api::bandwidth_status().await {
                status.try_set(Some(answer));
            }
        });
    };
    Effect::new(move || {
        ask();
        if let Ok(handle) = set_interval_with_handle(ask, EVERY) {
            on_cleanup(move || handle.clear());
        }
    });
    let words = move || {
        status.with(|status| {
            status.as_ref().map(|status| words::server_status(status, language.get())).unwrap_or_default()
        })
    };
    view! { <p class="server-status">{words}</p> }
}
