//! The driver of [`crate::stream::check`]: one queue in, one local task that owns the core and the connections.
//!
//! What works for a check is loaded with its page; until somebody begins one, only the queue is there.

pub mod gathering;
pub mod task;
pub mod trial;

use super::{breakage, queue};
use crate::app::{self, check::CheckHandle};
use crate::stream::check::{CheckAction, CheckView, Input};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use leptos::prelude::*;

/// The entry of its queue.
pub type Inputs = queue::Inputs<Input>;

/// What the task works on.
pub struct Page {
    /// What the views show.
    pub state: RwSignal<CheckView>,
    /// The entry of the queue.
    pub inputs: Inputs,
}

/// Starts to mind the queue, and gives the handle that the views know.
pub fn start() -> CheckHandle {
    let (inputs, queue) = Inputs::queue();
    let state = RwSignal::new(CheckView::default());
    let acting = inputs.clone();
    let act = Callback::new(move |action| acting.push(Input::Act(action)));
    leptos::task::spawn_local(mind(Page { state, inputs }, queue));
    CheckHandle { state: state.into(), act }
}

async fn mind(page: Page, mut queue: UnboundedReceiver<Input>) {
    while let Some(input) = queue.next().await {
        if input != Input::Act(CheckAction::Start) {
            continue;
        }
        // It came with the page on which somebody has just pressed.
        if app::load_check().await.is_ok()
            && let Ok(running) = task::drive(page, input, queue).await
        {
            running.await;
        } else {
            breakage::show();
        }
        return;
    }
}
