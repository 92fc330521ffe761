//! Cloudflare's own count: GraphQL analytics (<https://developers.cloudflare.com/realtime/turn/analytics/>).
//!
//! One value is asked for in one question: lists are sampled, single values are what the bill says. It may say no with status
//! 200. What the relay sends to its clients is billed, `egressBytes`.

use super::{
    ASKED_TOO_OFTEN,
    amount::{amount, sum},
};
use crate::{
    domain::{ByteCount, ProviderKind},
    server::{
        clock::Clock,
        config::CloudflareUsage,
        providers::{
            Failure,
            api::{Api, endpoint},
        },
        usage::Month,
    },
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

const ALL_KEYS: &str = "query($account:string!,$from:Time!,$to:Time!){viewer{accounts(filter:{accountTag:$account}){\
    callsTurnUsageAdaptiveGroups(limit:1,filter:{datetimeMinute_geq:$from,datetimeMinute_lt:$to}){sum{egressBytes}}}}}";

const ONE_KEY: &str = "query($account:string!,$from:Time!,$to:Time!,$key:string!){viewer{accounts(filter:{accountTag:$account}){\
    callsTurnUsageAdaptiveGroups(limit:1,filter:{datetimeMinute_geq:$from,datetimeMinute_lt:$to,keyId:$key}){sum{egressBytes}}}}}";

/// The longest of Cloudflare's own words that is repeated in a log.
const REASON_BYTES: usize = 40;

/// An account whose analytics can be read.
#[derive(Debug)]
pub(super) struct CloudflareCount {
    api: Api,
    graphql: Url,
    account_id: String,
    token: SecretString,
    /// The one key that counts; `None` where keys change, and all of the account's count.
    key: Option<String>,
}

impl CloudflareCount {
    pub(super) fn new(config: &CloudflareUsage, key: Option<String>, http: &Client, clock: &Clock) -> Self {
        Self {
            api: Api::new(ProviderKind::Cloudflare.title(), http, clock, advice).unhurried(),
            graphql: endpoint(config.graphql_base.clone(), &["graphql"]),
            account_id: config.account_id.clone(),
            token: config.token.clone(),
            key,
        }
    }

    pub(super) async fn used_in(&self, month: Month) -> Result<ByteCount, Failure> {
        let mut variables = json!({
            "account": self.account_id,
            "from": month.starts_at_text(),
            "to": month.next().starts_at_text(),
        });
        if let Some(key) = &self.key {
            variables["key"] = json!(key);
        }
        let query = if self.key.is_some() { ONE_KEY } else { ALL_KEYS };
        let body = json!({ "query": query, "variables": variables });
        let request = || {
            let request = self.api.request(Method::POST, &self.graphql);
            request.bearer_auth(self.token.expose_secret()).json(&body)
        };
        let answer = self.api.json(request).await?;
        self.no_errors(&answer)?;
        let accounts = answer["data"]["viewer"]["accounts"].as_array();
        let account = accounts.and_then(|accounts| accounts.first());
        let groups = account.and_then(|account| account["callsTurnUsageAdaptiveGroups"].as_array());
        let groups = groups.ok_or_else(|| self.api.unusable("there is no account with a count in it"))?;
        // No group at all: nothing was relayed.
        let counts = groups.iter().map(|group| amount(&group["sum"]["egressBytes"], 1)).collect::<Result<Vec<_>, _>>();
        counts.and_then(sum).map_err(|cause| self.api.unusable(cause))
    }

    fn no_errors(&self, answer: &Value) -> Result<(), Failure> {
        let said_no = match &answer["errors"] {
            Value::Null => false,
            Value::Array(errors) => !errors.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
        };
        if !said_no {
            return Ok(());
        }
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        // Its message names the account.
        let plain = (1..=REASON_BYTES).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let reason = if plain { code } else { "it does not say why" };
        let advice = "give CLOUDFLARE_ANALYTICS_TOKEN the permission Account Analytics Read for the account of \
                      CLOUDFLARE_ACCOUNT_ID; where that is so, it passes by itself";
        Err(self.api.declined(reason.to_owned(), advice))
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => {
            "the token may not read the account's analytics. Give CLOUDFLARE_ANALYTICS_TOKEN the permission Account Analytics \
             Read, and check CLOUDFLARE_ACCOUNT_ID"
        }
        300..=399 => "it sends us elsewhere, which is not followed. Check CLOUDFLARE_GRAPHQL_BASE",
        404 => "there is no such address. Check CLOUDFLARE_GRAPHQL_BASE",
        500.. => "a fault at Cloudflare's end. It should pass; see https://www.cloudflarestatus.com",
        429 => ASKED_TOO_OFTEN,
        _ => return None,
    })
}
