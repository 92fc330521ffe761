//! How far each of several relays of a kind is from this browser.
//!
//! Measured once a day, after the first answer that names them, and told with every later request: so nobody waits for it, and
//! whoever comes again, or renews, gets the nearest. What is an answer, and what is remembered, `stream::round_trips` decides.

use super::{storage, timer};
use crate::app::api;
use crate::protocol::RelayPlace;
use crate::stream::round_trips::{Gathered, RoundTrips};
use futures::future::{Either, select};
use futures::{StreamExt as _, channel::mpsc};
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcConfiguration, RtcIceServer, RtcPeerConnection};

/// What is under way has the line for itself until then.
const LATER: Duration = Duration::from_secs(5);
/// Whoever is farther away than this is not worth knowing.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first try resolves the name, too.
const TRIES: usize = 2;

/// Tells with every request what is known from before.
pub fn tell_known() {
    api::tell_round_trips(RoundTrips::parse(&storage::round_trips().unwrap_or_default()).told());
}

/// Measures these, unless that was done already.
pub fn measure(places: &[RelayPlace]) {
    if storage::round_trips().is_some_and(|kept| RoundTrips::parse(&kept).cover(places)) {
        return;
    }
    let places = places.to_vec();
    leptos::task::spawn_local(async move {
        timer::sleep(LATER).await;
        let mut measured = RoundTrips::default();
        for place in &places {
            let mut tries = [None; TRIES];
            for tried in &mut tries {
                *tried = round_trip(&place.url).await.ok().flatten();
            }
            measured.note(place, &tries);
        }
        storage::keep_round_trips(&measured.to_string());
        api::tell_round_trips(measured.told());
    });
}

/// How long this server takes to tell a browser its address; `None` where it does not.
async fn round_trip(url: &str) -> Result<Option<u64>, JsValue> {
    let server = RtcIceServer::new();
    server.set_urls(&JsValue::from_str(url));
    let configuration = RtcConfiguration::new();
    configuration.set_ice_servers(&js_sys::Array::of1(&server));
    let connection = RtcPeerConnection::new_with_configuration(&configuration)?;
    let (tell, mut hear) = mpsc::unbounded();
    let gathered = Closure::<dyn FnMut(web_sys::RtcPeerConnectionIceEvent)>::new(
        move |event: web_sys::RtcPeerConnectionIceEvent| {
            let candidate = event.candidate().map(|candidate| candidate.candidate());
            // Nobody listens any more once it took too long.
            match Gathered::of(candidate.as_deref()) {
                Gathered::Answer => drop(tell.unbounded_send(true)),
                Gathered::Over => drop(tell.unbounded_send(false)),
                Gathered::Nothing => {}
            }
        },
    );
    connection.set_onicecandidate(Some(gathered.as_ref().unchecked_ref()));
    connection.create_data_channel("round trip");
    let offer = JsFuture::from(connection.create_offer()).await?;
    let began = timer::unix_millis();
    JsFuture::from(connection.set_local_description(offer.unchecked_ref())).await?;
    let (heard, late) = (pin!(hear.next()), pin!(timer::sleep(PATIENCE)));
    let answered = matches!(select(heard, late).await, Either::Left((Some(true), _)));
    let took = timer::unix_millis().saturating_sub(began);
    connection.set_onicecandidate(None);
    connection.close();
    Ok(answered.then_some(took))
}
