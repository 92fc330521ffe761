//! What a tab keeps over a reload (sessionStorage) and what the browser remembers (localStorage).
//!
//! Without storage, as in some private windows, nothing is kept and nothing breaks.

use super::timer;
use crate::protocol::{ChatText, IceAnswer};
use crate::stream::{Keep, Kept, Unsaid};
use std::time::Duration;
use web_sys::Storage;

const TOKEN: &str = "tessro.token";
const INVITE: &str = "tessro.invite";
const UNSAID: &str = "tessro.unsaid";
const ICE: &str = "tessro.ice";
const NAME: &str = "tessro.name";
const FILM: &str = "tessro.film";
const HIDE_ADDRESS: &str = "tessro.hide-address";
const ROUND_TRIPS: &str = "tessro.round-trips";
const DAY_MS: u64 = 86_400_000;
const NO_SINGLE_KEYS: &str = "tessro.no-single-keys";

/// Everything kept.
pub fn read() -> Kept {
    let tab = session();
    Kept {
        token: get(tab.as_ref(), TOKEN).and_then(|text| text.parse().ok()),
        ice: get(tab.as_ref(), ICE).and_then(|text| parse_ice(&text)),
        invite: get(tab.as_ref(), INVITE).and_then(|text| {
            let (code, key) = text.split_once(' ')?;
            Some((code.parse().ok()?, key.parse().ok()?))
        }),
        unsaid: get(tab.as_ref(), UNSAID).map(|text| parse_unsaid(&text)).unwrap_or_default(),
        name: name(),
        hide_address: get(local().as_ref(), HIDE_ADDRESS).is_some(),
        film: get(tab.as_ref(), FILM).and_then(|text| text.parse().ok()),
    }
}

/// The name last used.
pub fn name() -> String {
    get(local().as_ref(), NAME).unwrap_or_default()
}

fn get(storage: Option<&Storage>, key: &str) -> Option<String> {
    storage?.get_item(key).ok().flatten()
}

/// Keeps something.
pub fn write(keep: Keep) {
    match keep {
        Keep::Token(token) => put(session(), TOKEN, token.map(|token| token.expose())),
        Keep::Ice(answer) => {
            let text = serde_json::to_string(&answer).ok();
            put(session(), ICE, text.map(|text| format!("{} {text}", timer::unix_millis())));
        }
        Keep::Invite(code, key) => put(session(), INVITE, Some(format!("{code} {}", key.expose()))),
        Keep::Unsaid(unsaid) => {
            let lines: Vec<_> = unsaid.iter().map(|one| (one.nonce, one.text.as_str())).collect();
            let text = serde_json::to_string(&lines).ok().filter(|_| !lines.is_empty());
            put(session(), UNSAID, text);
        }
        Keep::Name(name) => put(local(), NAME, (!name.is_empty()).then_some(name)),
        Keep::Film(film) => put(session(), FILM, film.map(|film| film.to_string())),
        Keep::HideAddress(hide) => put(local(), HIDE_ADDRESS, hide.then(|| "1".to_owned())),
    }
}

/// Whether letters alone act on the player; yes, where nothing else was said.
pub fn single_keys() -> bool {
    local().is_none_or(|storage| storage.get_item(NO_SINGLE_KEYS).ok().flatten().is_none())
}

/// Remembers whether they do.
pub fn keep_single_keys(on: bool) {
    put(local(), NO_SINGLE_KEYS, (!on).then(|| "1".to_owned()));
}

/// The round trips that were measured less than a day ago, as they are kept.
pub fn round_trips() -> Option<String> {
    let text = get(local().as_ref(), ROUND_TRIPS)?;
    let (since, measured) = text.split_once(' ')?;
    let age = timer::unix_millis().checked_sub(since.parse().ok()?)?;
    (age < DAY_MS).then(|| measured.to_owned())
}

/// Remembers them for a day.
pub fn keep_round_trips(measured: &str) {
    put(local(), ROUND_TRIPS, Some(format!("{} {measured}", timer::unix_millis())));
}

fn parse_ice(text: &str) -> Option<(IceAnswer, Duration)> {
    let (since, answer) = text.split_once(' ')?;
    // A clock that was set back makes the age unknown.
    let age = timer::unix_millis().checked_sub(since.parse().ok()?)?;
    Some((serde_json::from_str(answer).ok()?, Duration::from_millis(age)))
}

fn parse_unsaid(text: &str) -> Vec<Unsaid> {
    let lines: Vec<(u64, ChatText)> = serde_json::from_str(text).unwrap_or_default();
    lines.into_iter().map(|(nonce, text)| Unsaid { nonce, text }).collect()
}

fn put(storage: Option<Storage>, key: &str, value: Option<String>) {
    if let Some(storage) = storage {
        let _ = match value {
            Some(value) => storage.set_item(key, &value),
            None => storage.remove_item(key),
        };
    }
}

fn session() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
