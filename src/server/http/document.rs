//! `GET /api/openapi.json`: what the API looks like, for programs and for those who write them.
//!
//! The document is written by hand, and `tests::document` holds it to the truth: it describes every address of the router and
//! no other, its examples are what our own types read and write, and whatever the app answers in that test is as described.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

/// Where the document is.
pub(super) const PATH: &str = "/api/openapi.json";

/// The document.
pub(super) const TEXT: &str = include_str!("openapi.json");

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

pub(super) async fn answer() -> impl IntoResponse {
    ([JSON], TEXT)
}
