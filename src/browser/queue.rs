//! The queue of a page: whoever has something for its task puts it in, and the task waits for that or for time to pass.
//!
//! Knows nothing of what is in it.

use super::timer;
use crate::domain::Now;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{Either, select};
use std::pin::pin;
use wasm_bindgen::prelude::*;

/// The queue's entry. Never blocks; what comes after the end of the page is dropped.
#[derive(Debug)]
pub struct Inputs<T>(UnboundedSender<T>);

impl<T> Clone for Inputs<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Inputs<T> {
    /// An entry, and where things come out.
    pub fn queue() -> (Self, UnboundedReceiver<T>) {
        let (sender, queue) = unbounded();
        (Self(sender), queue)
    }

    /// Puts something into the queue.
    pub fn push(&self, input: T) {
        let _ = self.0.unbounded_send(input);
    }
}

impl<T: 'static> Inputs<T> {
    /// A JavaScript function that makes inputs of its argument.
    pub fn listener(&self, make: impl Fn(JsValue) -> Option<T> + 'static) -> Closure<dyn FnMut(JsValue)> {
        let inputs = self.clone();
        Closure::new(move |argument| {
            if let Some(input) = make(argument) {
                inputs.push(input);
            }
        })
    }
}

/// What comes next: the queue's next, or `tick` once it is due. `None` once nothing more can come.
pub async fn next<T>(queue: &mut UnboundedReceiver<T>, due: Option<Now>, tick: T) -> Option<T> {
    let Some(due) = due else { return queue.next().await };
    let pause = due.since(timer::now());
    match select(queue.next(), pin!(timer::sleep(pause))).await {
        Either::Left((input, _)) => input,
        Either::Right(_) => Some(tick),
    }
}
