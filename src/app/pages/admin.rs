//! The operator's page: the door, and behind it what there is to see.
//!
//! The token is typed here and handed on at once; the field is emptied, and nothing of it is kept in the page's own state. Refuses
//! to know how figures come to be; it shows the state of [`AdminHandle`](crate::app::admin::AdminHandle).

use crate::app::admin::use_admin;
use crate::app::components::admin::{
    Connections, Door, Elsewhere, Month, OutcomesPanel, Providers, Question, Sessions, StandingBar,
};
use crate::app::components::{Frame, Masthead, PageTitle};
use crate::app::language::use_language;
use crate::app::words::{admin, say};
use crate::stream::admin::{self as core, AdminDeed};
use leptos::prelude::*;
use leptos_meta::Style;
use leptos_router::LazyRoute;
use wasm_split_helpers::SplitLoaderError;

/// Comes with this page: no other one needs it.
pub(super) const STYLE: &str =
    concat!(include_str!("../../../style/admin.css"), include_str!("../../../style/charts.css"));

/// The page, in a file of its own.
pub struct AdminRoute;

impl LazyRoute for AdminRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        leptos::prefetch_lazy_fn_on_server("admin");
        match admin_page().await {
            Ok(page) => page,
            Err(error) => panic!("{error}"),
        }
    }

    async fn preload() {
        // Where it cannot be had, `view` says so.
        let _ = load_admin().await;
    }
}

/// Waits until what the page needs is here.
pub async fn load_admin() -> Result<(), SplitLoaderError> {
    load().await
}

part! {
    of admin: fn admin_page() -> AnyView { AdminPage().into_any() },
    loaded by load
}

/// The door, or everything.
#[component]
pub fn AdminPage() -> impl IntoView {
    let handle = use_admin();
    let language = use_language();
    // Whoever goes to another page has left this one.
    on_cleanup(move || handle.act.run(AdminDeed::Leave));
    let title = move || format!("{} · Tessro", admin::ADMIN.to(language.get()));
    let open = handle.part(|page| page.door == core::Door::Open);
    view! {
        <PageTitle text=title />
        <Style>{STYLE}</Style>
        <Frame>
            <Masthead />
            <main id="main" class="admin" tabindex="-1" class:locked=move || !open.get()>
                <Show when=move || open.get() fallback=|| view! { <Door /> }>
                    <Everything />
                </Show>
            </main>
        </Frame>
    }
    .into_any()
}

#[component]
fn Everything() -> impl IntoView {
    let asked = RwSignal::new(None);
    view! {
        <h1 class="unseen">{say(admin::ADMIN)}</h1>
        <StandingBar />
        <Month />
        <Providers asked />
        <div class="admin-pair">
            <Connections asked />
            <OutcomesPanel />
        </div>
        <Sessions asked />
        <Elsewhere />
        <Question asked />
    }
    .into_any()
}
