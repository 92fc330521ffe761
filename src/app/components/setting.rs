//! A switch for what the session keeps.

use super::Switch;
use crate::app::session::use_session;
use crate::app::words::Text;
use crate::stream::{SessionAction, SessionView};
use leptos::prelude::*;

/// On or off as the session has it; turning it asks the session.
#[component]
pub fn Setting(
    /// Of the hint; unique in the page.
    id: &'static str,
    /// Its name.
    label: Text,
    /// What it does.
    hint: Text,
    /// Where it stands.
    on: fn(&SessionView) -> bool,
    /// What a person asks for by turning it.
    turn: fn(bool) -> SessionAction,
) -> impl IntoView {
    let session = use_session();
    let ask = move |on| session.act.run(turn(on));
    view! { <Switch id label hint on=session.part(on) on_turn=Callback::new(ask) /> }.into_any()
}
