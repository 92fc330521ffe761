//! The live line of the operator's page: `GET /api/admin/live`, a WebSocket whose first message is a ticket.
//!
//! After it the whole view goes out whenever it has changed, at most once a second, and now and then in any case, so that a dead
//! line is noticed at both ends. Nothing else is read: what comes later is dropped. There are so many lines and no more.

use super::{foreign, look};
use crate::{
    app::api::ApiError,
    protocol::{AdminTicket, AdminView, ErrorCode},
    server::{
        guard::{self, Place},
        http::AppState,
    },
};
use axum::{
    Extension,
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// A page shows its ticket at once.
const TICKET_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether something has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The view goes out after this time also where nothing has changed.
const SAY_AT_LEAST_EVERY: u32 = 15;

/// A page that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// A ticket is far smaller, and nothing else is read.
const LARGEST_MESSAGE: usize = 1_024;

/// A view with all its rows is a tenth of this.
const LARGEST_VIEW: usize = 1024 * 1024;

/// How a line ends (RFC 6455 section 7.4).
const GOING_AWAY: (u16, &str) = (1001, "the server is stopping");
const NO_TICKET: (u16, &str) = (1008, "no valid ticket");
const NO_ROOM: (u16, &str) = (1013, "too many operators' pages are open; close one");
const FAULT: (u16, &str) = (1011, "something went wrong on the server");

pub(in super::super) async fn open(
    State(state): State<AppState>,
    headers: HeaderMap,
    place: Option<Extension<Arc<Place>>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Err(why) = guard::origin::check(&headers, state.client_url.as_ref()) {
        return foreign(why).into_response();
    }
    let Ok(upgrade) = upgrade else {
        let message = "This address is a WebSocket. Open one, and send a ticket of POST /api/admin/ticket first.";
        return ApiError::new(ErrorCode::BadRequest, "No WebSocket", message).into_response();
    };
    let place = place.map(|Extension(place)| place);
    upgrade
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE)
        .max_write_buffer_size(LARGEST_VIEW)
        .on_upgrade(move |mut socket| async move {
            let stopping = state.sessions.stopping().clone();
            let shown_out = place.as_ref().map_or_else(CancellationToken::new, |place| place.shown_out().clone());
            let ended = tokio::select! {
                () = stopping.cancelled() => Some(GOING_AWAY),
                () = shown_out.cancelled() => Some(NO_TICKET),
                ended = serve(&mut socket, &state, place.as_deref()) => ended,
            };
            if let Some((code, reason)) = ended {
                let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
                // Whoever is gone hears no goodbye.
                let _said = timeout(Duration::from_secs(1), socket.send(close)).await;
            }
        })
}

/// `None` once the page is gone.
async fn serve(socket: &mut WebSocket, state: &AppState, place: Option<&Place>) -> Option<(u16, &'static str)> {
    let first = timeout(TICKET_WITHIN, socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = first else { return Some(NO_TICKET) };
    let ticket = serde_json::from_str::<AdminTicket>(&text).ok();
    if !ticket.is_some_and(|ticket| state.operator.tickets().take(&ticket, state.sessions.clock().now())) {
        return Some(NO_TICKET);
    }
    // Taken with the ticket in hand: nobody without one holds the operators' lines.
    let Ok(_room) = state.operator.live().try_acquire() else { return Some(NO_ROOM) };
    if let Some(place) = place {
        place.sit_down();
    }
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut said, mut silent) = (None::<Arc<AdminView>>, 0);
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                None | Some(Err(_) | Ok(Message::Close(_))) => return None,
                Some(Ok(_)) => {}
            },
            _ = ticks.tick() => {
                let Ok(view) = look(state).await else { return Some(FAULT) };
                silent += 1;
                if silent < SAY_AT_LEAST_EVERY && said.as_ref().is_some_and(|said| is_same(said, &view)) {
                    continue;
                }
                let Ok(text) = serde_json::to_string(&*view) else { return Some(FAULT) };
                match timeout(WRITE_WITHIN, socket.send(Message::Text(text.into()))).await {
                    Ok(Ok(())) => (said, silent) = (Some(view), 0),
                    Ok(Err(_)) | Err(_) => return None,
                }
            }
        }
    }
}

/// All but the time.
fn is_same(one: &AdminView, other: &AdminView) -> bool {
    *one == AdminView { at_ms: one.at_ms, ..other.clone() }
}
