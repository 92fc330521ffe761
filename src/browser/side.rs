//! The data channel beside sound and picture: what belongs to the film and not to the server, such as its subtitles.
//!
//! Both ends open it by agreement (W3C webrtc, `negotiated`), so it needs no negotiation of its own, and it goes with its
//! connection. Refuses to know what is said over it.

use super::event::{Event, Events};
use crate::domain::ConnectionId;
use crate::stream::{Input, PeerEvent};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState, RtcPeerConnection};

/// Its number, the same at both ends.
const ID: u16 = 0;

/// One connection's data channel.
pub struct Side {
    channel: RtcDataChannel,
    _listeners: [Closure<dyn FnMut(JsValue)>; 2],
}

impl Side {
    /// Opens it together with its connection.
    pub fn open(id: ConnectionId, pc: &RtcPeerConnection, events: &Events) -> Self {
        let init = RtcDataChannelInit::new();
        init.set_negotiated(true);
        init.set_id(ID);
        let channel = pc.create_data_channel_with_data_channel_dict("side", &init);
        let opened = events.listener(move |_| Some(Event::Core(Input::Peer(id, PeerEvent::SideOpened))));
        let told = events.listener(move |event| {
            let text = event.dyn_into::<MessageEvent>().ok()?.data().as_string()?;
            Some(Event::Core(Input::Peer(id, PeerEvent::Told(text))))
        });
        channel.set_onopen(Some(opened.as_ref().unchecked_ref()));
        channel.set_onmessage(Some(told.as_ref().unchecked_ref()));
        Self { channel, _listeners: [opened, told] }
    }

    /// Sends a text; before the channel is open it is lost, and said again once it is.
    pub fn tell(&self, text: &str) {
        if self.channel.ready_state() == RtcDataChannelState::Open {
            let _ = self.channel.send_with_str(text);
        }
    }

    /// The last events of a closing channel must not reach closures that are gone.
    pub fn close(&self) {
        self.channel.set_onopen(None);
        self.channel.set_onmessage(None);
    }
}
