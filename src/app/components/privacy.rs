//! Whether others may see this person's network address.

use super::Setting;
use crate::app::words::{self, label};
use crate::stream::SessionAction;
use leptos::prelude::*;

/// The switch, with what it does.
#[component]
pub fn Privacy() -> impl IntoView {
    view! {
        <section class="panel privacy">
            <Setting
                id="hide-address-hint"
                label=label::HIDE_ADDRESS
                hint=words::HIDE_ADDRESS_HINT
                on=|view| view.hide_address
                turn=SessionAction::HideAddress
            />
        </section>
    }
    .into_any()
}
