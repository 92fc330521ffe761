//! The product's hook: fetches the ICE servers, keeps them in a signal, and builds every `RTCPeerConnection` from them.
//!
//! When to fetch and when to renew is decided in `stream::ice`; a page asks on mount, before its join form is answered.
//! What that core settles on, fetched, kept over a reload or STUN alone, comes into the signal through the task.

use super::event::Events;
use super::{round_trips, timer};
use crate::app::api;
use crate::domain::{ParticipantToken, ProviderName};
use crate::protocol::{ErrorCode, IceAnswer, IceServer};
use crate::stream::{IceOutcome, Input, PeerConfig};
use futures::future::{Either, select};
use leptos::logging::{log, warn};
use leptos::prelude::*;
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_sys::{RtcBundlePolicy, RtcConfiguration, RtcIceServer, RtcIceTransportPolicy, RtcPeerConnection};

/// A call for ICE servers that takes longer counts as failed; the server itself answers within 2 s.
const CALL: Duration = Duration::from_secs(5);

/// What the hook gives.
#[derive(Clone)]
pub struct WebRtc {
    /// What the next connection is built from.
    pub ice_servers: RwSignal<Vec<IceServer>>,
    events: Events,
}

/// The hook: call it once, above the router.
pub fn use_webrtc(events: Events) -> WebRtc {
    round_trips::tell_known();
    WebRtc { ice_servers: RwSignal::new(Vec::new()), events }
}

impl WebRtc {
    /// Fetches ICE servers, as a participant where there is a token, and not from a provider whose relay is silent if there
    /// is another. The outcome goes to the core.
    pub fn fetch_ice_servers(&self, token: Option<ParticipantToken>, silent: Option<ProviderName>) {
        let events = self.events.clone();
        leptos::task::spawn_local(async move {
            api::authorize(token);
            api::tell_silent(silent);
            let outcome = ask().await;
            if let IceOutcome::Answer(answer) = &outcome
                && !answer.places.is_empty()
            {
                round_trips::measure(&answer.places);
            }
            events.input(Input::Ice(outcome));
        });
    }

    /// Builds a peer connection.
    pub fn connect(&self, config: PeerConfig) -> Result<RtcPeerConnection, JsValue> {
        RtcPeerConnection::new_with_configuration(&self.configuration(config))
    }

    /// What a connection is built from, and renewed with.
    pub fn configuration(&self, config: PeerConfig) -> RtcConfiguration {
        let rtc = RtcConfiguration::new();
        let servers =
            self.ice_servers.with_untracked(|servers| servers.iter().map(ice_server).collect::<js_sys::Array>());
        rtc.set_ice_servers(&servers);
        // One transport for sound and picture: one TURN allocation, one bill.
        rtc.set_bundle_policy(RtcBundlePolicy::MaxBundle);
        if config.relay_only {
            rtc.set_ice_transport_policy(RtcIceTransportPolicy::Relay);
        }
        rtc
    }
}

/// Asks the server for ICE servers, and says on the console what came of it.
pub async fn ask() -> IceOutcome {
    let outcome = call().await;
    if let IceOutcome::Answer(answer) = &outcome {
        announce(answer);
    }
    outcome
}

async fn call() -> IceOutcome {
    let answer = match select(pin!(api::turn_credentials()), pin!(timer::sleep(CALL))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            warn!("[WebRTC] No answer to the call for ICE servers within 5 s");
            return IceOutcome::Unreachable;
        }
    };
    match answer {
        Ok(answer) => IceOutcome::Answer(answer),
        Err(refused) => {
            let body = refused.0;
            warn!("[WebRTC] No ICE servers: {}", body.error);
            let ice_servers = body.ice_servers.unwrap_or_default();
            #[expect(clippy::wildcard_enum_match_arm, reason = "every other refusal means the same here")]
            match body.code {
                ErrorCode::TooManyRequests => IceOutcome::RateLimited {
                    retry_after: Duration::from_secs(body.retry_after.unwrap_or(30)),
                    ice_servers,
                },
                ErrorCode::BandwidthLimitReached => IceOutcome::LimitReached { message: body.message, ice_servers },
                _ => IceOutcome::Unreachable,
            }
        }
    }
}

fn announce(answer: &IceAnswer) {
    if answer.degraded {
        warn!("[WebRTC] No TURN credentials: going on with STUN");
    } else {
        let name = answer.provider.parse::<ProviderName>();
        let provider = name.as_ref().map_or(answer.provider.as_str(), |name| name.title());
        log!("[WebRTC] Successfully fetched {provider} TURN credentials");
    }
    log!("[WebRTC] ICE servers loaded: {} servers", answer.ice_servers.len());
}

/// A server as the browser takes it.
pub fn ice_server(server: &IceServer) -> RtcIceServer {
    let rtc = RtcIceServer::new();
    rtc.set_urls(&server.urls.iter().map(|url| JsValue::from_str(url)).collect::<js_sys::Array>());
    if let Some(username) = &server.username {
        rtc.set_username(username);
    }
    if let Some(credential) = &server.credential {
        rtc.set_credential(credential);
    }
    rtc
}
