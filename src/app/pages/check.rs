//! "Check my connection": for guests whom no picture reaches, and for whoever helps them.
//!
//! Nothing is asked before somebody presses: credentials cost something, and the relay learns an address. Refuses to know how
//! a check is done; it shows the state of one.

use crate::app::check::{CheckHandle, use_check};
use crate::app::components::{CheckLine, Frame, Masthead, PageTitle, Support};
use crate::app::language::use_language;
use crate::app::session::asleep;
use crate::app::words::{self, check, say};
use crate::stream::check::{CheckAction, CheckStage};
use leptos::prelude::*;
use leptos_meta::Style;
use leptos_router::LazyRoute;
use wasm_split_helpers::SplitLoaderError;

/// Comes with this page: no other one needs it.
pub(super) const STYLE: &str = include_str!("../../../style/check.css");

/// The page, in a file of its own.
pub struct CheckRoute;

impl LazyRoute for CheckRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        leptos::prefetch_lazy_fn_on_server("check");
        match check_page().await {
            Ok(page) => page,
            Err(error) => panic!("{error}"),
        }
    }

    async fn preload() {
        // Where it cannot be had, `view` says so.
        let _ = load_check().await;
    }
}

/// Waits until what a check needs is here.
pub async fn load_check() -> Result<(), SplitLoaderError> {
    load().await
}

part! {
    of check: fn check_page() -> AnyView { CheckPage().into_any() },
    loaded by load
}

/// The button, the end of it in one sentence, every answer, and a text to copy.
#[component]
pub fn CheckPage() -> impl IntoView {
    let handle = use_check();
    let language = use_language();
    // Whoever goes away wants nothing sent any more.
    on_cleanup(move || handle.act.run(CheckAction::Stop));
    let title = move || format!("{} · Tessro", check::CHECK.to(language.get()));
    let lines = handle.part(|view| view.lines.clone());
    let withheld = handle.part(|view| view.withheld.is_some());
    let rows = move || {
        let (language, withheld) = (language.get(), withheld.get());
        lines.get().into_iter().map(|line| view! { <CheckLine line withheld language /> }).collect_view()
    };
    view! {
        <PageTitle text=title />
        <Style>{STYLE}</Style>
        <Frame>
            <Masthead />
            <main id="main" class="check" tabindex="-1">
                <div class="card">
                    <h1>{say(check::CHECK)}</h1>
                    <p>{say(check::CHECK_INTRO)}</p>
                    <p class="hint">{say(check::CHECK_COST)}</p>
                    <Begin />
                    <Outcome />
                </div>
                <section class="panel" hidden=move || lines.with(Vec::is_empty)>
                    <h2>{say(check::ANSWERS)}</h2>
                    <ul role="list" class="check-lines">
                        {rows}
                    </ul>
                </section>
                <ForSupport />
            </main>
        </Frame>
    }
    .into_any()
}

/// One button all the way, so that the focus stays where it is.
#[component]
fn Begin() -> impl IntoView {
    let handle = use_check();
    let asleep = asleep();
    let stage = handle.part(|view| match view.stage {
        CheckStage::Ready => (CheckAction::Start, check::START_CHECK),
        CheckStage::Fetching | CheckStage::Asking => (CheckAction::Stop, check::STOP_CHECK),
        CheckStage::Over(_) => (CheckAction::Start, check::CHECK_AGAIN),
    });
    let language = use_language();
    view! {
        <button
            class="button"
            class:primary=move || stage.get().0 == CheckAction::Start
            type="button"
            disabled=move || asleep.get()
            on:click=move |_| handle.act.run(stage.get_untracked().0)
        >
            {move || stage.get().1.to(language.get())}
        </button>
    }
    .into_any()
}

/// What happens, and then what came of it: the only part of the page that is announced by itself.
#[component]
fn Outcome() -> impl IntoView {
    let handle = use_check();
    let language = use_language();
    let said = Memo::new(move |_| {
        handle.state.with(|view| match view.verdict() {
            Some(verdict) => words::verdict(view, verdict, language.get()),
            None => (check::check_progress(view, language.get()), String::new()),
        })
    });
    view! {
        <div class="check-outcome" role="status" data-end=end(handle) hidden=move || said.with(|said| said.0.is_empty())>
            <p class="check-sentence">{move || said.get().0}</p>
            <p>{move || said.get().1}</p>
        </div>
    }
    .into_any()
}

fn end(handle: CheckHandle) -> impl Fn() -> &'static str {
    let good = handle.part(|view| view.verdict().map(crate::stream::check::Verdict::is_good));
    move || match good.get() {
        None => "open",
        Some(true) => "good",
        Some(false) => "bad",
    }
}

#[component]
fn ForSupport() -> impl IntoView {
    let handle = use_check();
    let over = handle.part(|view| view.verdict().is_some());
    let text = handle.part(check::check_support).into();
    view! {
        <Show when=move || over.get()>
            <section class="panel check-support">
                <h2>{say(check::FOR_SUPPORT)}</h2>
                <Support text hint=words::SUPPORT_HINT rows=8 />
            </section>
        </Show>
    }
    .into_any()
}
