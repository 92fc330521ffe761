//! How the operator's page asks the server: `fetch` with the token in its header, and one socket with a ticket.
//!
//! The token goes nowhere else: no address, no cookie, no storage, no socket.

use super::Inputs;
use crate::browser::sys;
use crate::protocol::{AdminAction, AdminTicket, AdminView, ErrorBody, ErrorCode};
use crate::stream::admin::{Input, Refused, TypedToken};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, WebSocket};

/// What there is to see.
pub async fn view(token: &TypedToken) -> Result<AdminView, Refused> {
    read(&ask(token, "GET", "/api/admin/view", None).await?)
}

/// What opens the socket.
pub async fn ticket(token: &TypedToken) -> Result<AdminTicket, Refused> {
    read(&ask(token, "POST", "/api/admin/ticket", None).await?)
}

/// Has the server do something.
pub async fn act(token: &TypedToken, action: &AdminAction) -> Result<(), Refused> {
    ask(token, "POST", "/api/admin/action", written(action)).await.map(drop)
}

async fn ask(token: &TypedToken, method: &str, address: &str, body: Option<String>) -> Result<String, Refused> {
    let window = web_sys::window().ok_or(Refused::Unreachable)?;
    let header = format!("Bearer {}", token.expose());
    let headers = sys::object(&[("authorization", header.into()), ("content-type", "application/json".into())]);
    let mut options = vec![
        ("method", JsValue::from(method)),
        ("headers", headers),
        ("credentials", "omit".into()),
        ("cache", "no-store".into()),
    ];
    options.extend(body.map(|body| ("body", JsValue::from(body))));
    // A token with letters that no header takes is refused here, and is nobody's.
    let fetched = sys::invoke_async(&window, "fetch", &[address.into(), sys::object(&options)]).await;
    let answer = fetched.map_err(|error| match sys::error_name(&error).as_str() {
        "TypeError" if !token.expose().is_ascii() => Refused::WrongToken,
        _ => Refused::Unreachable,
    })?;
    let text =
        JsFuture::from(js_sys::Promise::resolve(&sys::invoke(&answer, "text", &[]).map_err(|_| Refused::Unreachable)?));
    let text = text.await.ok().and_then(|text| text.as_string()).unwrap_or_default();
    if sys::property(&answer, "ok").is_some_and(|ok| ok.is_truthy()) {
        return Ok(text);
    }
    let error = serde_json::from_str::<ErrorBody>(&text).map_err(|_| Refused::Unreachable)?;
    Err(if error.code == ErrorCode::WrongAdminToken {
        Refused::WrongToken
    } else if error.code == ErrorCode::NoAdminToken {
        Refused::NoToken
    } else if error.code == ErrorCode::TooManyRequests {
        Refused::TooOften(error.retry_after.unwrap_or_default())
    } else if error.code == ErrorCode::NotFound {
        Refused::Gone
    } else {
        Refused::Unreachable
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refused> {
    serde_json::from_str(text).map_err(|_| Refused::Unreachable)
}

fn written<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// The live line. Dropping it closes it in silence.
pub struct Live {
    socket: WebSocket,
    _listeners: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Live {
    /// Opens it, and shows the ticket first of all.
    pub fn open(ticket: &AdminTicket, inputs: &Inputs) -> Option<Self> {
        let location = web_sys::window()?.location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let socket = WebSocket::new(&format!("{scheme}://{}/api/admin/live", location.host().ok()?)).ok()?;
        let (first, line) = (written(ticket)?, socket.clone());
        let opened = inputs.listener(move |_| {
            // On a line that breaks a moment later it is lost, which its end tells.
            let _ = line.send_with_str(&first);
            None
        });
        let closed = inputs.listener(|_| Some(Input::SocketClosed));
        let message = inputs.listener(|event| {
            let text = event.dyn_into::<MessageEvent>().ok()?.data().as_string()?;
            Some(Input::Fresh(Box::new(serde_json::from_str(&text).ok()?)))
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Some(Self { socket, _listeners: [opened, closed, message] })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
        let _ = self.socket.close();
    }
}
