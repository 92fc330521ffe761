//! What every answer tells the browser to be careful about.
//!
//! A page may load what this server has and run the scripts that carry its nonce, a new one for each answer, and nothing else: what
//! somebody might smuggle into a name or into the chat is text, and would not run if it were not. Every other answer may do
//! nothing at all. Whoever came over TLS is told to come over TLS from now on.

use super::AppState;
use crate::app::LATE_STYLES;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use axum_client_ip::ClientIpSource;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{context::use_context, nonce::use_nonce};
use leptos_axum::ResponseOptions;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// What is no page may load nothing and be shown inside of nothing.
const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The same on every answer.
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // For browsers that do not know frame-ancestors.
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    (PERMISSIONS_POLICY, HeaderValue::from_static("geolocation=(), midi=(), payment=(), usb=()")),
];

/// A year. Other names below this one are somebody else's business.
const HTTPS_FROM_NOW_ON: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What the answer to one request tells.
pub(super) struct Careful {
    https_from_now_on: bool,
}

impl Careful {
    /// For a request with these headers.
    pub(super) fn of(state: &AppState, request: &HeaderMap) -> Self {
        Self { https_from_now_on: came_over_tls(state, request) && !is_local(request) }
    }

    /// Tells it.
    pub(super) fn tell(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.reserve(ALWAYS.len() + 2);
        headers.extend(ALWAYS);
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
        if self.https_from_now_on {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_FROM_NOW_ON);
        }
        response
    }
}

/// To be called where a page is rendered: its answer gets a policy with the nonce of this very page.
pub(super) fn of_a_page() {
    if let Some((nonce, response)) = use_nonce().zip(use_context::<ResponseOptions>())
        && let Ok(policy) = HeaderValue::from_str(&policy(&nonce))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Films are read from the viewer's own disk (`blob:`), and a worker that keeps time is made on the spot.
fn policy(nonce: &str) -> String {
    // `cargo leptos watch` speaks to its pages from a port of its own.
    let watch = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() { " ws:" } else { "" };
    let late = &*LATE;
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'{late}; \
         img-src 'self'; \
         connect-src 'self'{watch}; media-src 'self' blob:; worker-src blob:; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

/// A page that comes later brings its styles into one that has no nonce for them, so they are known by what they are.
static LATE: LazyLock<String> = LazyLock::new(|| {
    let source = |style: &&str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(style)));
    LATE_STYLES.iter().map(source).collect()
});

/// Where the server speaks TLS itself, where its public address is one with TLS, or where the proxy that the operator named says so.
fn came_over_tls(state: &AppState, headers: &HeaderMap) -> bool {
    let told = || headers.get(X_FORWARDED_PROTO).is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
    let by_proxy = state.client_ip_source != ClientIpSource::ConnectInfo;
    state.has_certificate || state.client_url.as_ref().is_some_and(super::Origin::is_https) || (by_proxy && told())
}

/// Every program on one's own machine shares the name `localhost`, with and without TLS.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_policy_is_unsafe_but_compiling_our_own_wasm() {
        let policy = policy("abc");
        assert_eq!(policy.matches("unsafe").count(), 1, "{policy}");
        assert!(policy.contains("script-src 'self' 'nonce-abc' 'wasm-unsafe-eval';"), "{policy}");
        assert_eq!(policy.matches("sha256-").count(), LATE_STYLES.len(), "{policy}");
        assert!(!policy.contains('*') && !policy.contains("data:") && !policy.contains("http"), "{policy}");
    }

    #[test]
    fn ones_own_machine_is_not_told_to_use_tls_only() {
        let at = |host| is_local(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]));
        assert!(at("localhost:3001") && at("LOCALHOST") && at("a.localhost:1"));
        assert!(!at("tessro.example") && !at("localhost.example") && !at("notlocalhost"));
    }
}
