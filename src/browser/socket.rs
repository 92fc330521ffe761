//! The WebSocket to the server. Refuses to know what is said and when to try again.

use super::event::{Event, Events};
use crate::protocol::ClientMessage;
use crate::stream::Input;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, WebSocket};

/// An open socket, or one on its way. Dropping it closes it in silence.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Socket {
    /// Starts to open a socket to this page's own server.
    pub fn open(events: &Events) -> Option<Self> {
        let location = web_sys::window()?.location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let socket = WebSocket::new(&format!("{scheme}://{}/ws", location.host().ok()?)).ok()?;
        let opened = events.listener(|_| Some(Event::Core(Input::SocketOpened)));
        let closed = events.listener(|_| Some(Event::Core(Input::SocketClosed)));
        let message = events.listener(|event| {
            let text = event.dyn_into::<MessageEvent>().ok()?.data().as_string()?;
            // A message of a newer server that this page does not know is passed over.
            Some(Event::Core(Input::Message(serde_json::from_str(&text).ok()?)))
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Some(Self { socket, _listeners: [opened, closed, message] })
    }

    /// Sends a message; one that cannot be sent is lost, as it would be on a line that breaks a moment later.
    pub fn send(&self, message: &ClientMessage) {
        if let Ok(text) = serde_json::to_string(message) {
            let _ = self.socket.send_with_str(&text);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
        let _ = self.socket.close();
    }
}
