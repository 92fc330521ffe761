//! The driver of [`crate::stream::admin`]: one queue in, one local task that owns the core, the token and the socket.
//!
//! What works for an operator is loaded with the page; until somebody types a token, only the queue is there.

pub mod server;
pub mod task;

use super::{breakage, queue};
use crate::app::{self, admin::AdminHandle};
use crate::stream::admin::{AdminDeed, AdminPage, Input};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use leptos::prelude::*;

/// The entry of its queue.
pub type Inputs = queue::Inputs<Input>;

/// What the task works on.
pub struct Page {
    /// What the views show.
    pub state: RwSignal<AdminPage>,
    /// The entry of the queue.
    pub inputs: Inputs,
}

/// Starts to mind the queue, and gives the handle that the views know.
pub fn start() -> AdminHandle {
    let (inputs, queue) = Inputs::queue();
    let state = RwSignal::new(AdminPage::default());
    let acting = inputs.clone();
    let act = Callback::new(move |deed| acting.push(Input::Deed(deed)));
    leptos::task::spawn_local(mind(Page { state, inputs }, queue));
    AdminHandle { state: state.into(), act }
}

async fn mind(page: Page, mut queue: UnboundedReceiver<Input>) {
    while let Some(input) = queue.next().await {
        if !matches!(input, Input::Deed(AdminDeed::Enter(_))) {
            continue;
        }
        // It came with the page on which somebody has just typed.
        if app::load_admin().await.is_ok()
            && let Ok(running) = task::drive(page, input, queue).await
        {
            running.await;
        } else {
            breakage::show();
        }
        return;
    }
}
