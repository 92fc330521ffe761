//! Whether others may see this person's network address.

use super::Switch;
use crate::app::session::use_session;
use crate::app::words::{self, label};
use crate::stream::SessionAction;
use leptos::prelude::*;

/// The switch, with what it does.
#[component]
pub fn Privacy() -> impl IntoView {
    let session = use_session();
    let hidden = session.part(|view| view.hide_address);
    let turn = move |on| session.act.run(SessionAction::HideAddress(on));
    view! {
        <section class="panel privacy">
            <Switch
                id="hide-address-hint"
                label=label::HIDE_ADDRESS
                hint=words::HIDE_ADDRESS_HINT
                on=hidden
                on_turn=Callback::new(turn)
            />
        </section>
    }
    .into_any()
}
