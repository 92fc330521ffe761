//! The task of the operator's page: does what the core says. The token lives in it and goes with it.

use super::server::{self, Live};
use super::{Inputs, Page};
use crate::browser::queue::next;
use crate::browser::timer;
use crate::stream::admin::{Admin, AdminPage, Input, Output, TypedToken};
use futures::channel::mpsc::UnboundedReceiver;
use leptos::prelude::*;
use std::pin::Pin;

/// The task, once it runs.
pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

part! {
    of admin:
    /// Does what the page asks for, from `first` on, until the page ends. Comes with the operator's page.
    pub(super) fn drive(page: Page, first: Input, queue: UnboundedReceiver<Input>) -> Running {
        let Page { state, inputs } = page;
        let task = Task { core: Admin::default(), state, inputs, token: None, live: None };
        Box::pin(task.run(first, queue))
    },
    loaded by load
}

struct Task {
    core: Admin,
    state: RwSignal<AdminPage>,
    inputs: Inputs,
    token: Option<TypedToken>,
    live: Option<Live>,
}

impl Task {
    async fn run(mut self, first: Input, mut queue: UnboundedReceiver<Input>) {
        self.core.handle(first, timer::now());
        loop {
            self.settle();
            let due = self.core.next_timeout();
            let Some(input) = next(&mut queue, due, Input::Tick).await else { return };
            self.core.handle(input, timer::now());
        }
    }

    fn settle(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.carry_out(output);
        }
        if self.state.with_untracked(|shown| shown != self.core.page()) {
            self.state.set(self.core.page().clone());
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Keep(token) => (self.token, self.live) = (Some(token), None),
            Output::Forget => (self.token, self.live) = (None, None),
            Output::FetchView => self.ask(|token| async move { Input::View(Box::new(server::view(&token).await)) }),
            Output::FetchTicket => self.ask(|token| async move { Input::Ticket(server::ticket(&token).await) }),
            Output::Post(action) => self.ask(|token| async move {
                let done = server::act(&token, &action).await;
                Input::Acted(action, done)
            }),
            Output::OpenSocket(ticket) => {
                self.live = Live::open(&ticket, &self.inputs);
                if self.live.is_none() {
                    self.inputs.push(Input::SocketClosed);
                }
            }
        }
    }

    /// Asks the server something, with the token, and takes in the answer.
    fn ask<Answer: Future<Output = Input> + 'static>(&self, question: impl FnOnce(TypedToken) -> Answer) {
        let Some(token) = self.token.clone() else { return };
        let (inputs, answer) = (self.inputs.clone(), question(token));
        leptos::task::spawn_local(async move { inputs.push(answer.await) });
    }
}
