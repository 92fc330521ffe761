//! How far each of several relays of a kind is from this browser.
//!
//! Measured once a day, after the first answer that names them, and told with every later request: so nobody waits for it, and
//! whoever comes again, or renews, gets the nearest.

use super::{storage, timer};
use crate::app::api;
use crate::protocol::RelayPlace;
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
    api::tell_round_trips(storage::round_trips().unwrap_or_default());
}

/// Measures these, unless that was done already.
pub fn measure(places: &[RelayPlace]) {
    let known =
        |place: &RelayPlace, known: &str| known.split(',').any(|one| one.starts_with(&format!("{}=", place.provider)));
    if storage::round_trips().is_some_and(|all| places.iter().all(|place| known(place, &all))) {
        return;
    }
    let places = places.to_vec();
    leptos::task::spawn_local(async move {
        timer::sleep(LATER).await;
        let mut measured = Vec::new();
        for place in places {
            if let Some(millis) = nearest(&place.url).await {
                measured.push(format!("{}={millis}", place.provider));
            }
        }
        let measured = measured.join(",");
        storage::keep_round_trips(&measured);
        api::tell_round_trips(measured);
    });
}

/// The shortest of the tries, in milliseconds.
async fn nearest(url: &str) -> Option<u64> {
    let mut shortest = None;
    for _ in 0..TRIES {
        let tried = round_trip(url).await.ok().flatten();
        shortest = match (shortest, tried) {
            (Some(a), Some(b)) => Some(u64::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    shortest
}

/// How long this server takes to tell a browser its address: candidates have been gathered when its answer is there.
async fn round_trip(url: &str) -> Result<Option<u64>, JsValue> {
    let server = RtcIceServer::new();
    server.set_urls(&JsValue::from_str(url));
    let configuration = RtcConfiguration::new();
    configuration.set_ice_servers(&js_sys::Array::of1(&server));
    let connection = RtcPeerConnection::new_with_configuration(&configuration)?;
    let (tell, mut hear) = mpsc::unbounded();
    let gathered = Closure::<dyn FnMut(web_sys::RtcPeerConnectionIceEvent)>::new(
        move |event: web_sys::RtcPeerConnectionIceEvent| {
            // The last event has none: all are there.
            if event.candidate().is_none_or(|candidate| candidate.candidate().contains(" typ srflx")) {
                // Nobody listens any more once it took too long.
                drop(tell.unbounded_send(()));
            }
        },
    );
    connection.set_onicecandidate(Some(gathered.as_ref().unchecked_ref()));
    connection.create_data_channel("round trip");
    let offer = JsFuture::from(connection.create_offer()).await?;
    let began = timer::unix_millis();
    JsFuture::from(connection.set_local_description(offer.unchecked_ref())).await?;
    let heard = matches!(select(pin!(hear.next()), pin!(timer::sleep(PATIENCE))).await, Either::Left(_));
    let took = timer::unix_millis().saturating_sub(began);
    connection.set_onicecandidate(None);
    connection.close();
    Ok(heard.then_some(took))
}
