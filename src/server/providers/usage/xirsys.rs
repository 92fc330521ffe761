//! Xirsys' own count: its statistics of TURN data on our channel, in bytes.
//!
//! Asked for one month, it answers with one sum, or with a sum for each part of it. It says no with status 200 and an `s` that is
//! not `ok`.

use super::{
    ASKED_TOO_OFTEN,
    amount::{amount, sum},
};
use crate::{
    domain::{ByteCount, ProviderKind},
    server::{
        clock::Clock,
        config::XirsysConfig,
        providers::{
            Failure,
            api::{Api, endpoint},
        },
        usage::Month,
    },
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

/// A channel whose statistics can be read.
#[derive(Debug)]
pub(super) struct XirsysCount {
    api: Api,
    stats: Url,
    ident: String,
    secret: SecretString,
}

impl XirsysCount {
    pub(super) fn new(config: &XirsysConfig, http: &Client, clock: &Clock) -> Self {
        let path: Vec<_> = std::iter::once("_stats").chain(config.channel.split('/')).collect();
        Self {
            api: Api::new(ProviderKind::Xirsys.title(), http, clock, advice).unhurried(),
            stats: endpoint(config.api_base.clone(), &path),
            ident: config.ident.clone(),
            secret: config.secret.clone(),
        }
    }

    pub(super) async fn used_in(&self, month: Month) -> Result<ByteCount, Failure> {
        // 2026:3 for 2026-03.
        let group = month.to_string().replace("-0", ":").replace('-', ":");
        let mut url = self.stats.clone();
        url.query_pairs_mut().append_pair("l", "turn:data").append_pair("gs", &group).append_pair("ge", &group);
        let request = || {
            let secret = self.secret.expose_secret();
            self.api.request(Method::GET, &url).basic_auth(&self.ident, Some(secret))
        };
        let answer = self.api.json(request).await?;
        if answer["s"] != "ok" {
            let advice = "check XIRSYS_IDENT, XIRSYS_SECRET and XIRSYS_CHANNEL in the Xirsys dashboard";
            return Err(self.api.declined("its s is not ok".to_owned(), advice));
        }
        counted(&answer["v"]).map_err(|cause| self.api.unusable(cause))
    }
}

/// One sum, or one of each part; none at all where nothing was relayed.
fn counted(value: &Value) -> Result<ByteCount, &'static str> {
    match value {
        Value::Object(fields) if fields.contains_key("sum") => amount(&value["sum"], 1),
        Value::Object(parts) => {
            let counts = parts.values().map(|part| amount(&part["sum"], 1)).collect::<Result<Vec<_>, _>>();
            counts.and_then(sum)
        }
        Value::Array(parts) if parts.is_empty() => Ok(ByteCount::ZERO),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("there is no sum in it")
        }
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => {
            "ident and secret do not go together, or may not read statistics. Look both up in the Xirsys dashboard and update \
             .env"
        }
        404 => "there are no statistics of such a channel. Check XIRSYS_CHANNEL in the Xirsys dashboard",
        429 => ASKED_TOO_OFTEN,
        _ => return None,
    })
}
