//! ICE servers that a browser takes.
//!
//! `RTCPeerConnection` throws on the first URL it does not like and refuses the whole list with it, so one odd entry of a
//! provider would end the call. Whatever comes in, only what passes the validation of W3C webrtc-pc ("set the
//! configuration") goes out; `ice_set::tests` proves it with a second, independent reading of those rules.
//!
//! Pure: takes JSON, gives servers.

mod choice;
mod url;

#[cfg(test)]
mod tests;

use self::url::{IceUrl, Scheme};
use crate::protocol::IceServer;
use serde_json::Value;
use std::collections::BTreeSet;

/// More are ignored: webrtc-pc asks for room for 32, and libwebrtc has exactly that.
const MOST_URLS: usize = 32;

/// RFC 8489 section 14.3: a USERNAME has fewer than 509 bytes.
const USERNAME_BYTES: usize = 508;

/// No provider comes near; a longer one would only bloat every answer.
const CREDENTIAL_BYTES: usize = 2048;

/// A list that no browser refuses. Keeps the order that it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IceSet(Vec<IceServer>);

impl IceSet {
    /// Reads what a provider calls its ICE servers: a list or a single object, `urls` as a list or a text, or by its old
    /// name `url`. What cannot be used is left out.
    pub fn read(servers: &Value) -> Self {
        Self::collect(one_or_many(servers).into_iter().map(read_server))
    }

    /// These relays with one login.
    pub fn with_login(urls: &RelayUrls, username: &str, credential: &str) -> Self {
        let (username, credential) = (Some(username.to_owned()), Some(credential.to_owned()));
        Self::collect(std::iter::once(IceServer { urls: urls.0.clone(), username, credential }))
    }

    /// The best addresses of these sets, at most so many in all and shared fairly; their order is kept.
    pub fn best_of(sets: &[&Self], most: usize) -> Self {
        choice::best_of(sets, most)
    }

    fn collect(servers: impl Iterator<Item = IceServer>) -> Self {
        let mut seen = BTreeSet::new();
        let mut usable = Vec::new();
        for server in servers {
            let username = server.username.filter(|text| is_opaque(text, USERNAME_BYTES));
            let credential = server.credential.filter(|text| is_opaque(text, CREDENTIAL_BYTES));
            let login = username.zip(credential);
            let mut relays = false;
            let mut urls = Vec::new();
            for url in server.urls.iter().filter_map(|url| IceUrl::parse(url)) {
                let relay = url.scheme != Scheme::Stun;
                if url.is_on_a_blocked_port() || (relay && login.is_none()) || seen.len() == MOST_URLS {
                    continue;
                }
                let text = url.to_string();
                if seen.insert(text.clone()) {
                    relays |= relay;
                    urls.push(text);
                }
            }
            if urls.is_empty() {
                continue;
            }
            let (username, credential) = login.filter(|_| relays).unzip();
            usable.push(IceServer { urls, username, credential });
        }
        Self(usable)
    }

    /// Whether there is a `turn:` or `turns:` server in it.
    pub fn has_relay(&self) -> bool {
        self.0.iter().any(|server| server.credential.is_some())
    }

    /// Where the first of them answers STUN.
    pub fn stun_url(&self) -> Option<String> {
        self.0.iter().find_map(|server| first_stun(&server.urls))
    }

    /// The name in the login of the first relay.
    pub fn username(&self) -> Option<&str> {
        self.0.iter().find_map(|server| server.username.as_deref())
    }

    /// The servers, as they are sent.
    pub fn to_servers(&self) -> Vec<IceServer> {
        self.0.clone()
    }
}

/// STUN servers as the operator set them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StunUrls(Vec<String>);

impl StunUrls {
    /// Reads `stun:` URLs with commas between them; fails with the first that is none, or that browsers block.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let urls = parts.map(|part| {
            let url = IceUrl::parse(part).filter(|url| url.scheme == Scheme::Stun && !url.is_on_a_blocked_port());
            url.map(|url| url.to_string()).ok_or_else(|| part.to_owned())
        });
        urls.collect::<Result<_, _>>().map(Self)
    }

    /// The URLs.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Addresses of a relay as the operator set them, at least one of them `turn:` or `turns:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayUrls(Vec<String>);

impl RelayUrls {
    /// Reads URLs with commas between them; fails with the first that browsers do not take, or with `None` where there is no
    /// relay among them.
    pub fn parse(text: &str) -> Result<Self, Option<String>> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let urls = parts.map(|part| IceUrl::parse(part).filter(|url| !url.is_on_a_blocked_port()).ok_or(part));
        let urls = urls.collect::<Result<Vec<_>, _>>().map_err(|wrong| Some(wrong.to_owned()))?;
        if urls.iter().all(|url| url.scheme == Scheme::Stun) {
            return Err(None);
        }
        Ok(Self(urls.iter().map(ToString::to_string).collect()))
    }

    /// The URLs.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Where the first of them answers STUN.
    pub fn stun_url(&self) -> Option<String> {
        first_stun(&self.0)
    }
}

/// Where the first of these answers STUN: every relay does on its UDP port.
fn first_stun(urls: &[String]) -> Option<String> {
    urls.iter().find_map(|url| IceUrl::parse(url)?.as_stun())
}

impl From<&StunUrls> for IceSet {
    fn from(stun: &StunUrls) -> Self {
        Self::collect(std::iter::once(IceServer { urls: stun.0.clone(), username: None, credential: None }))
    }
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect())
}

fn read_server(value: &Value) -> IceServer {
    let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let field = |name| value.get(name).filter(|field| !field.is_null());
    let urls = field("urls").or_else(|| field("url")).map(one_or_many).unwrap_or_default();
    IceServer {
        urls: urls.into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        username: text("username"),
        credential: text("credential"),
    }
}

/// RFC 8265 section 4 (`OpaqueString`): not empty, no control characters.
fn is_opaque(text: &str, most_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= most_bytes && !text.chars().any(char::is_control)
}
