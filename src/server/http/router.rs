//! Every address that the server answers.

use super::{
    AppState, admin, beacon, check, crowd,
    desk::{Desk, TURN_REST},
    document, edge, functions, headers, health, metrics,
    package::{Package, of_this_build, tell_where},
    turn_rest,
};
use crate::{
    app::{
        App,
        api::{BeginCheck, GetBandwidthStatus, IceServers, TurnCredentials},
        shell,
    },
    protocol::limits,
    server::signaling,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::from_fn_with_state,
    routing::{MethodRouter, any, get, post},
};
use leptos::{context::provide_context, server_fn::ServerFn as _};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer};

/// An address and what answers there.
type Address = (&'static str, MethodRouter<AppState>);

/// The whole app.
pub fn app(state: AppState) -> Router {
    assemble(state, Router::new())
}

/// The whole app with more addresses under `/api`, behind the same layers as all others there.
fn assemble(state: AppState, more: Router<AppState>) -> Router {
    open(beside_the_api())
        .with_state(state.clone())
        .merge(signaling::routes(state.sessions.clone(), signaling::Pace::default()))
        .merge(pages(state.clone()))
        .merge(api(state.clone(), more))
        .layer(from_fn_with_state(state, crowd::every_request))
}

/// Every address that the document describes. Pages, their files and the socket are not among them.
pub fn addresses() -> Vec<&'static str> {
    beside_the_api().into_iter().chain(under_api()).map(|(path, _)| path).collect()
}

/// What programs ask outside of `/api`. The document describes each of them.
fn beside_the_api() -> Vec<Address> {
    vec![("/health", get(health::answer)), ("/metrics", get(metrics::figures))]
}

/// What answers under `/api`. The document describes each of them.
fn under_api() -> Vec<Address> {
    vec![
        (TurnCredentials::PATH, get(functions::turn_credentials)),
        (IceServers::PATH, get(functions::turn_credentials)),
        (TURN_REST, get(turn_rest::answer)),
        (GetBandwidthStatus::PATH, get(functions::bandwidth_status)),
        // It takes no arguments.
        (BeginCheck::PATH, post(function).layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES))),
        ("/api/check/usage", post(check::report).layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES))),
        ("/api/usage", post(beacon::take).layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES))),
        ("/api/admin/view", get(admin::view)),
        ("/api/admin/ticket", post(admin::ticket)),
        ("/api/admin/live", get(admin::live::open)),
        ("/api/admin/action", post(admin::act).layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES))),
        (document::PATH, get(document::answer)),
    ]
}

fn open(addresses: Vec<Address>) -> Router<AppState> {
    addresses.into_iter().fold(Router::new(), |router, (path, answers)| router.route(path, answers))
}

fn api(state: AppState, more: Router<AppState>) -> Router {
    open(under_api())
        .merge(more)
        .route("/api", any(StatusCode::NOT_FOUND))
        .route("/api/", any(StatusCode::NOT_FOUND))
        .route("/api/{*rest}", any(StatusCode::NOT_FOUND))
        .layer(from_fn_with_state(state.clone(), edge::contract))
        .with_state(state)
}

/// Pages, the files that they load, and the page for what is nowhere.
fn pages(state: AppState) -> Router {
    let package = Package::new(&state.leptos);
    let of_this_build = from_fn_with_state(package.clone(), of_this_build);
    let context = || {
        provide_context(functions::files_at());
        provide_context(functions::speech());
        headers::of_a_page();
    };
    let options = state.leptos.clone();
    let document = move || shell(options.clone());
    let listing = generate_route_list(App);
    let page = leptos_axum::render_route_with_context::<AppState, _>(listing.clone(), context, document);
    // The names carry no hash: a browser that did not ask again could pair old files with new ones.
    let ask_again = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let files = tower::ServiceBuilder::new().layer(ask_again).service(leptos_axum::site_pkg_dir_service(&state.leptos));
    let files = Router::new().route_service("/pkg/{*file}", files);
    let by_language =
        SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    Router::new()
        .leptos_routes_with_handler(listing, page)
        .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(context, shell))
        .layer(by_language)
        .layer(from_fn_with_state(package, tell_where))
        .nest("/build/{build}", files.clone().layer(of_this_build))
        .merge(files)
        // What stands precompressed in the package passes through as it is.
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// A server function, with what it needs in its context. Pages are rendered without that: see [`Desk`].
async fn function(State(state): State<AppState>, request: Request) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let context = move || provide_context(Desk(state.clone()));
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::http::Needs;
    use crate::{
        domain::ByteCount,
        server::{
            clock::Clock,
            config::Config,
            doctor::Checks,
            guard::{ClientApps, Flow, FlowRates, Guard, RateLimit},
            metrics::Answers,
            operator::Operator,
            paths::Countries,
            providers::{Grants, Known, Voices},
            signaling::{Rules, SessionSettings, Sessions},
            usage::Usage,
        },
    };
    use axum::body::{Body, to_bytes};
    use std::{sync::Arc, time::Duration};
    use tower::ServiceExt as _;

    fn state(data_dir: &std::path::Path) -> AppState {
        let (_, config) = Config::read(["tessro".into()], |_| None).unwrap();
        let clock = Clock::system();
        let usage = Usage::open(data_dir, ByteCount::new(1), clock.clone()).unwrap();
        let settings = SessionSettings {
            rules: Rules { limit: 2, host_grace: Duration::from_mins(5) },
            most_sessions: 10,
            most_people: 100,
            sockets_per_address: None,
            entries: None,
            client_url: None,
            client_ip_source: config.app.client_ip_source.clone(),
            bouncer: None,
            countries: Countries::default(),
            cluster: None,
        };
        AppState::from(Needs {
            leptos: crate::server::http::leptos_options(&config.app, None, ([127, 0, 0, 1], 1).into()),
            sessions: Sessions::open(data_dir, usage.clone(), clock.clone(), settings).unwrap(),
            grants: Grants::new(&config, None, usage.clone(), clock.clone()).unwrap(),
            voices: Voices::start(&config, Known::default(), clock, |_| ()).unwrap(),
            usage,
            guard: Arc::new(Guard::new(config.credentials.rate_limit_credentials, RateLimit::of(1, 300))),
            flow: Arc::new(Flow::new(FlowRates::default())),
            has_certificate: false,
            apps: ClientApps::new(&config.client_apps),
            client_ip_source: config.app.client_ip_source,
            answers: Answers::default(),
            checks: Checks::default(),
            money: config.money,
            operator: Operator::new(data_dir, None),
            data_dir: data_dir.to_owned(),
            client_url: None,
        })
    }

    #[expect(clippy::panic, reason = "it is what is tested")]
    async fn panics() -> StatusCode {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_fault_of_ours_under_api_is_json_whoever_asks_and_however() {
        let data = tempfile::tempdir().unwrap();
        let more = Router::new()
            .route("/api/panics", get(panics))
            .route("/api/faults", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "<html>oops</html>") }));
        let app = assemble(state(data.path()), more);
        for path in ["/api/panics", "/api/faults", "/api/panics?%ff"] {
            let request = Request::builder().uri(path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json", "{path}");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            let body = to_bytes(response.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["code"], "internal");
            assert!(!body["error"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
            assert!(!body.to_string().contains("on purpose") && !body.to_string().contains("oops"));
        }
        let response = app.oneshot(Request::builder().uri("/health").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "and the rest goes on");
    }
}
