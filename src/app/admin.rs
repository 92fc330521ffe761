//! The one thing that the operator's page knows: what there is to see, and what can be done.

use crate::stream::admin::{AdminDeed, AdminPage};
use leptos::prelude::*;

/// Provided as context above the router: inert on the server, the real one in the browser.
#[derive(Clone, Copy)]
pub struct AdminHandle {
    /// What to show.
    pub state: Signal<AdminPage>,
    /// What an operator does.
    pub act: Callback<AdminDeed>,
}

impl AdminHandle {
    /// A handle that shows one state for ever, and does nothing.
    pub fn showing(page: AdminPage) -> Self {
        Self { state: Signal::stored(page), act: Callback::new(|_| ()) }
    }

    /// One part of the state; what depends on it runs again only when that part changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(
        self,
        read: impl Fn(&AdminPage) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.state.with(&read))
    }
}

/// The operator's page.
pub fn use_admin() -> AdminHandle {
    use_context::<AdminHandle>().unwrap_or_else(|| AdminHandle::showing(AdminPage::default()))
}
