//! Cloudflare's API that makes TURN keys
//! (<https://developers.cloudflare.com/api/resources/calls/subresources/turn/>). It shows a key's token once, when it is made.

use super::{
    core::Listed,
    ring::{Key, KeyId, KeyName},
};
use crate::{
    domain::ProviderKind,
    server::{
        clock::Clock,
        config::CloudflareRotation,
        providers::{
            Failure,
            api::{Api, endpoint},
            cloudflare::Minting,
        },
    },
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

/// How long the credential lives with which a new key is tried, in seconds. Nobody uses it.
const TRIAL: u64 = 60;

/// An account whose TURN keys can be made and deleted.
#[derive(Debug)]
pub(super) struct CloudflareKeys {
    api: Api,
    keys: Url,
    api_token: SecretString,
    minting: Minting,
}

impl CloudflareKeys {
    /// `minting` is the API where keys are used.
    pub(super) fn new(config: &CloudflareRotation, minting: Url, http: &Client, clock: &Clock) -> Self {
        let api = Api::new(ProviderKind::Cloudflare.title(), http, clock, advice).unhurried();
        Self {
            api,
            keys: endpoint(config.api_base.clone(), &["accounts", &config.account_id, "calls", "turn_keys"]),
            api_token: config.api_token.clone(),
            minting: Minting::new(minting, http, clock).unhurried(),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<Listed>, Failure> {
        let answer = self.ask(Method::GET, &self.keys, None).await?;
        let keys = answer.as_array().ok_or_else(|| self.api.unusable("there is no list of keys in it"))?;
        let ours = |key: &Value| {
            let name = KeyName::parse(key["name"].as_str()?)?;
            Some(Listed { name, id: KeyId(key["uid"].as_str()?.to_owned()) })
        };
        Ok(keys.iter().filter_map(ours).collect())
    }

    pub(super) async fn create(&self, name: &KeyName) -> Result<(KeyId, SecretString), Failure> {
        let answer = self.ask(Method::POST, &self.keys, Some(json!({ "name": name.as_str() }))).await?;
        let text = |field: &str| answer[field].as_str().filter(|text| !text.is_empty());
        let (Some(id), Some(secret)) = (text("uid"), text("key")) else {
            return Err(self.api.unusable("there is no key in it"));
        };
        Ok((KeyId(id.to_owned()), SecretString::from(secret)))
    }

    /// Mints a credential with it.
    pub(super) async fn prove(&self, key: &Key) -> Result<(), Failure> {
        let servers = self.minting.mint(&key.id.0, &key.secret, &json!({ "ttl": TRIAL })).await?;
        if servers.has_relay() { Ok(()) } else { Err(self.api.unusable("there is no relay in it")) }
    }

    pub(super) async fn delete(&self, id: &KeyId) -> Result<(), Failure> {
        match self.ask(Method::DELETE, &endpoint(self.keys.clone(), &[&id.0]), None).await {
            Err(Failure::Refused { status: 404 | 410, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// What the answer's envelope holds.
    async fn ask(&self, method: Method, url: &Url, body: Option<Value>) -> Result<Value, Failure> {
        let request = || {
            let request = self.api.request(method.clone(), url).bearer_auth(self.api_token.expose_secret());
            match &body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let mut answer = self.api.json(request).await?;
        if answer["success"] == Value::Bool(false) {
            let code = answer["errors"][0]["code"].as_u64().unwrap_or_default();
            let advice = "look the code up in Cloudflare's API documentation";
            return Err(self.api.declined(format!("code {code}"), advice));
        }
        Ok(answer["result"].take())
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => {
            "the account's API token may not make TURN keys. Give it the permission Calls Write, and check that \
             CLOUDFLARE_ACCOUNT_ID is the account that it belongs to"
        }
        404 => "there is no such account or key. Check CLOUDFLARE_ACCOUNT_ID",
        300..=399 => "it sends us elsewhere, which is not followed. Check CLOUDFLARE_API_BASE",
        500.. => "a fault at Cloudflare's end. It should pass; see https://www.cloudflarestatus.com",
        _ => return None,
    })
}
