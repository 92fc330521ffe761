//! The operator's page over HTTP: `GET /api/admin/view`, `POST /api/admin/ticket`, `POST /api/admin/action`, and the live line
//! in [`live`].
//!
//! `ADMIN_TOKEN` comes as `Authorization: Bearer` and in no other way. What is done is logged with what it was done to, and never
//! with the token or an address.

pub(super) mod live;

use super::{AppState, Needs, error};
use crate::{
    app::api::ApiError,
    domain::{ParticipantId, ProviderName},
    protocol::{AdminAction, AdminTicket, AdminView, ErrorCode},
    server::{
        guard::{self, ClientAddress, NotLetIn, origin::Foreign},
        operator::Sources,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

pub(super) async fn view(State(state): State<AppState>, parts: Parts) -> Response {
    match let_in(&state, parts).await {
        Ok(_) => match look(&state).await {
            Ok(view) => Json(&*view).into_response(),
            Err(refused) => refused.into_response(),
        },
        Err(refused) => refused,
    }
}

pub(super) async fn ticket(State(state): State<AppState>, parts: Parts) -> Result<Json<AdminTicket>, Response> {
    let state = let_in(&state, parts).await?;
    Ok(Json(state.operator.tickets().give(rand::random(), state.sessions.clock().now())))
}

pub(super) async fn act(State(state): State<AppState>, parts: Parts, body: Bytes) -> Result<Response, Response> {
    let state = let_in(&state, parts).await?;
    let action = serde_json::from_slice(&body).map_err(|wrong| {
        let (line, column) = (wrong.line(), wrong.column());
        let message = format!("The body is no action (line {line}, column {column}). The document describes them.");
        ApiError::new(ErrorCode::BadRequest, "Bad request", message).into_response()
    })?;
    let refused = match action {
        AdminAction::EndSession { session } => end_session(state, session).await,
        AdminAction::EndRelay { participant } => end_relay(state, participant).await,
        AdminAction::PauseProvider { provider, paused } => pause(state, provider, paused).await,
    };
    state.operator.look_again();
    Ok(refused.map_or_else(|| StatusCode::NO_CONTENT.into_response(), ApiError::into_response))
}

/// `None`: it is done. So in the two below.
async fn end_session(state: &AppState, session: ParticipantId) -> Option<ApiError> {
    if !state.sessions.end(session).await {
        return Some(gone("That session is over already."));
    }
    tracing::info!(%session, "The operator ended a session");
    None
}

async fn end_relay(state: &AppState, participant: ParticipantId) -> Option<ApiError> {
    let Some(code) = state.sessions.of(participant).await else {
        return Some(gone("They are in no session any more."));
    };
    // First of all, so that the page that is told finds nothing new.
    state.grants.end((code, participant)).await;
    let providers: Vec<_> = state.grants.line().names().into_iter().cloned().collect();
    state.sessions.end_relay(code, participant, &providers).await;
    tracing::info!(%participant, "The operator ended relaying for a participant");
    None
}

async fn pause(state: &AppState, provider: ProviderName, paused: bool) -> Option<ApiError> {
    if !state.grants.line().names().contains(&&provider) {
        return Some(gone("No provider of this name is configured."));
    }
    let (pauses, name) = (state.grants.pauses().clone(), provider.clone());
    let written = tokio::task::spawn_blocking(move || pauses.set(&name, paused)).await;
    match written {
        Ok(Ok(())) => {
            let what = if paused { "paused" } else { "let go on" };
            tracing::info!(%provider, "The operator {what} a provider");
            None
        }
        Ok(Err(cause)) => {
            tracing::error!(%provider, "A provider could not be paused ({cause}): make DATA_DIR writable");
            Some(error::internal())
        }
        Err(_) => Some(error::internal()),
    }
}

fn gone(message: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, "Not there", message)
}

/// Whoever has the token, and comes from one of our pages or from none.
async fn let_in(state: &AppState, parts: Parts) -> Result<&AppState, Response> {
    if let Err(why) = guard::origin::check(&parts.headers, state.client_url.as_ref()) {
        return Err(foreign(why).into_response());
    }
    let headers: HeaderMap = parts.headers.clone();
    let from = ClientAddress::of(parts, state.client_ip_source.clone()).await;
    state.operator.door().let_in(&headers, from, state.sessions.clock().now()).map(|()| state).map_err(not_let_in)
}

fn foreign(why: Foreign) -> ApiError {
    let message =
        why.message("Only this app's own pages and programs may ask this. Open /admin at the address in CLIENT_URL.");
    ApiError::new(ErrorCode::ForbiddenOrigin, "Forbidden origin", message)
}

pub(super) fn not_let_in(why: NotLetIn) -> Response {
    match why {
        NotLetIn::NoToken => {
            let message =
                "No ADMIN_TOKEN is set, so nobody is let in. Set one in .env, long and random, and start again.";
            ApiError::new(ErrorCode::NoAdminToken, "No admin token", message).into_response()
        }
        NotLetIn::WrongToken => {
            let message = "Send ADMIN_TOKEN as a bearer token. It stands in the server's .env or environment.";
            let refused = ApiError::new(ErrorCode::WrongAdminToken, "Wrong admin token", message);
            ([(header::WWW_AUTHENTICATE, "Bearer")], refused).into_response()
        }
        NotLetIn::TooMany(wait) => {
            let seconds = wait.as_secs();
            let message = format!("Too many wrong tokens came from your network. Try again in {seconds} seconds.");
            let refused = ApiError::new(ErrorCode::TooManyRequests, "Too many tries", message);
            refused.retried_after(seconds).into_response()
        }
    }
}

/// Reads what there is, off the threads that serve.
async fn look(state: &AppState) -> Result<Arc<AdminView>, ApiError> {
    let state = state.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let Needs { sessions, usage, grants, operator, money, voices, .. } = &*state;
        let clock = sessions.clock();
        operator.view(&Sources { clock, sessions, usage, grants, voices, money }, clock.now())
    });
    looked.await.map_err(|_| error::internal())
}
