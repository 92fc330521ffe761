//! Every address that the server answers.

use super::{
    AppState, beacon, edge, functions,
    package::{Package, of_this_build},
};
use crate::{
    app::{
        App, FilesAt,
        api::{GetBandwidthStatus, IceServers, TurnCredentials},
        shell,
    },
    protocol::limits,
    server::{guard::Origin, signaling},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    routing::{any, get, post},
};
use leptos::{context::provide_context, server_fn::ServerFn as _};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tower::util::option_layer;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

/// The whole app.
pub fn app(state: AppState) -> Router {
    let static_header =
        |name: HeaderName, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .merge(signaling::routes(state.sessions.clone()))
        .merge(pages(state.clone()))
        .merge(api(state))
        .layer(CatchPanicLayer::new())
        .layer(static_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(static_header(header::REFERRER_POLICY, "no-referrer"))
}

fn api(state: AppState) -> Router {
    Router::new()
        .route(TurnCredentials::PATH, get(function))
        .route(IceServers::PATH, get(function))
        .route(GetBandwidthStatus::PATH, get(function))
        .route("/api/usage", post(beacon::take).layer(DefaultBodyLimit::max(limits::MESSAGE_BYTES)))
        .route("/api", any(StatusCode::NOT_FOUND))
        .route("/api/", any(StatusCode::NOT_FOUND))
        .route("/api/{*rest}", any(StatusCode::NOT_FOUND))
        .layer(option_layer(state.client_url.as_ref().map(cors)))
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn(edge::contract))
        .with_state(state)
}

/// Pages, the files that they load, and the page for what is nowhere.
fn pages(state: AppState) -> Router {
    let usage = state.usage.clone();
    let package = Package::new(&state.leptos);
    let of_this_build = from_fn_with_state(package.clone(), of_this_build);
    let context = move || {
        provide_context(usage.clone());
        provide_context(FilesAt(package.root()));
    };
    let options = state.leptos.clone();
    let document = move || shell(options.clone());
    let listing = generate_route_list(App);
    let page = leptos_axum::render_route_with_context::<AppState, _>(listing.clone(), context.clone(), document);
    // The names carry no hash: a browser that did not ask again could pair old files with new ones.
    let ask_again = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let files = tower::ServiceBuilder::new().layer(ask_again).service(leptos_axum::site_pkg_dir_service(&state.leptos));
    let files = Router::new().route_service("/pkg/{*file}", files);
    Router::new()
        .nest("/build/{build}", files.clone().layer(of_this_build))
        .merge(files)
        .leptos_routes_with_handler(listing, page)
        .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(context, shell))
        // What stands precompressed in the package passes through as it is.
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// A server function, with what it needs in its context. Pages are rendered without that: see [`functions::Desk`].
async fn function(State(state): State<AppState>, request: Request) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let context = move || {
        provide_context(state.usage.clone());
        provide_context(functions::Desk(state.clone()));
    };
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}

/// Pages of `CLIENT_URL` may read the API, and those of no other site.
fn cors(ours: &Origin) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::exact(ours.header().clone()))
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, functions::LIMIT, functions::REMAINING, functions::RESET])
}
