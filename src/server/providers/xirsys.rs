//! Xirsys: credentials for the relays that are near to this server.
//!
//! It says no with status 200 and an `s` that is not `ok`. What it says yes with has been an object, a list, and a list around
//! the object.

use super::{
    AtExpiry, Failure, IceSet, Minted, Order, Terms, UsageAsked,
    api::{Api, endpoint},
};
use crate::{
    domain::ProviderKind,
    server::{clock::Clock, config::XirsysConfig, usage::Billing},
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Nothing is documented of the longest life; a day is what is commonly asked for.
pub(super) const TERMS: Terms = Terms {
    longest_life: Some(Duration::from_hours(24)),
    at_expiry: AtExpiry::NotKnown,
    billing: Billing::ClientBoth,
    revocable: false,
    usage: UsageAsked::Account,
};

/// The longest of Xirsys' own words that is repeated in a log.
const REASON_BYTES: usize = 40;

/// An account that can be asked.
#[derive(Debug)]
pub(super) struct Xirsys {
    api: Api,
    channel: Url,
    ident: String,
    secret: SecretString,
}

impl Xirsys {
    pub(super) fn new(config: XirsysConfig, http: &Client, clock: &Clock) -> Self {
        let path: Vec<_> = std::iter::once("_turn").chain(config.channel.split('/')).collect();
        Self {
            api: Api::new(ProviderKind::Xirsys.title(), http, clock, advice),
            channel: endpoint(config.api_base, &path),
            ident: config.ident,
            secret: config.secret,
        }
    }

    pub(super) async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        let body = json!({ "format": "urls", "expire": order.life.as_secs() });
        let request = || {
            let secret = self.secret.expose_secret();
            self.api.request(Method::PUT, &self.channel).basic_auth(&self.ident, Some(secret)).json(&body)
        };
        let answer = self.api.json(request).await?;
        let value = &answer["v"];
        if answer["s"] != "ok" {
            let advice = "check XIRSYS_IDENT, XIRSYS_SECRET and XIRSYS_CHANNEL in the Xirsys dashboard";
            return Err(self.api.declined(reason(value), advice));
        }
        let value = if value.is_array() { &value[0] } else { value };
        Ok(Minted { servers: IceSet::read(&value["iceServers"]), life: None, own: true })
    }
}

/// Its word for what is wrong, where it is a plain one: what else may stand there is not for a log.
fn reason(value: &Value) -> String {
    let plain = |word: &&str| {
        (1..=REASON_BYTES).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    value.as_str().filter(plain).unwrap_or("it does not say why").to_owned()
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => "ident and secret do not go together. Look both up in the Xirsys dashboard and update .env",
        404 => "there is no such channel. Check XIRSYS_CHANNEL in the Xirsys dashboard",
        _ => return None,
    })
}
