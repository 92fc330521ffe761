//! The task of a page's checks: does what the core says.

use super::gathering::Gathering;
use super::trial::Trial;
use super::{Inputs, Page};
use crate::app::api;
use crate::browser::queue::next;
use crate::browser::{sys, timer, use_webrtc};
use crate::protocol::CheckUsage;
use crate::stream::check::{Check, CheckView, Heard, Input, Output, Place, Withheld};
use futures::channel::mpsc::UnboundedReceiver;
use leptos::prelude::*;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;
use wasm_bindgen::prelude::*;

/// Where the server takes the reports.
const USAGE: &str = "/api/check/usage";

/// The task, once it runs.
pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

part! {
    of check:
    /// Does what the page asks for, from `first` on, until the page ends. Comes with the check's page.
    pub(super) fn drive(page: Page, first: Input, queue: UnboundedReceiver<Input>) -> Running {
        let Page { state, inputs } = page;
        watch_page(&inputs);
        let task = Task {
            core: Check::new(sys::seed()),
            view: CheckView::default(),
            state,
            inputs,
            gatherings: BTreeMap::new(),
            trial: None,
        };
        Box::pin(task.run(first, queue))
    },
    loaded by load
}

struct Task {
    core: Check,
    view: CheckView,
    state: RwSignal<CheckView>,
    inputs: Inputs,
    gatherings: BTreeMap<Place, Gathering>,
    trial: Option<(Place, Trial)>,
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
        let view = self.core.view();
        if view != self.view {
            self.view = view;
            self.state.set(self.view.clone());
        }
    }

    fn carry_out(&mut self, output: Output) {
        let inputs = &self.inputs;
        match output {
            Output::FetchIce => {
                let inputs = inputs.clone();
                leptos::task::spawn_local(async move { inputs.push(Input::Ice(use_webrtc::ask().await)) });
            }
            Output::AskLeave => {
                let inputs = inputs.clone();
                leptos::task::spawn_local(async move {
                    let answer = api::begin_check().await.map(|leave| leave.check);
                    let withheld = |refused: api::ApiError| match refused.0.retry_after {
                        Some(seconds) => Withheld::TooMany(Duration::from_secs(seconds)),
                        None => Withheld::Unreachable,
                    };
                    inputs.push(Input::Leave(answer.map_err(withheld)));
                });
            }
            Output::Gather(place, server) => {
                if let Some(gathering) = Gathering::begin(place, server.as_ref(), inputs) {
                    self.gatherings.insert(place, gathering);
                }
            }
            Output::StopGathering(place) => drop(self.gatherings.remove(&place)),
            Output::Connect(place, server, ids) => match Trial::begin(place, &server, ids, inputs) {
                Ok(trial) => self.trial = Some((place, trial)),
                Err(_) => inputs.push(Input::Heard(place, Heard::Broken)),
            },
            Output::Say(place, say) => {
                if let Some((_, trial)) = self.trial.as_ref().filter(|(at, _)| *at == place) {
                    trial.say(&say);
                }
            }
            Output::Count(place) => {
                if let Some((_, trial)) = self.trial.as_ref().filter(|(at, _)| *at == place) {
                    trial.count(inputs);
                }
            }
            Output::Close(place) => match self.trial.take_if(|(at, _)| *at == place) {
                Some((_, trial)) => trial.close(place, inputs),
                None => inputs.push(Input::Closed(place)),
            },
            Output::Report(usage) => report(usage, inputs.clone()),
            Output::Beacon(usage) => beacon(&usage),
        }
    }
}

/// Tells the server; without an answer the core tells it again.
fn report(usage: CheckUsage, inputs: Inputs) {
    leptos::task::spawn_local(async move {
        let (Some(window), Ok(body)) = (web_sys::window(), serde_json::to_string(&usage)) else { return };
        let options = sys::object(&[("method", "POST".into()), ("body", body.into()), ("keepalive", true.into())]);
        let answer = sys::invoke_async(&window, "fetch", &[USAGE.into(), options]).await;
        if answer.is_ok_and(|answer| sys::property(&answer, "ok").is_some_and(|ok| ok.is_truthy())) {
            inputs.push(Input::Booked(usage));
        }
    });
}

fn beacon(usage: &CheckUsage) {
    if let (Some(window), Ok(body)) = (web_sys::window(), serde_json::to_string(usage)) {
        let _ = window.navigator().send_beacon_with_opt_str(USAGE, Some(&body));
    }
}

fn watch_page(inputs: &Inputs) {
    let hidden = inputs.listener(|_| Some(Input::PageHidden)).into_js_value();
    if let Some(window) = web_sys::window() {
        let _ = window.add_event_listener_with_callback("pagehide", hidden.unchecked_ref());
    }
}
