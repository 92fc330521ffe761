//! Metered, whose free account is Open Relay.
//!
//! With the account's secret key everyone gets a credential of their own that expires; its answer has no addresses, so a second
//! request fetches them. With the API key of one credential everyone gets that one. Keys travel in the query, so no URL of
//! Metered's may get into a log.

use super::{
    AtExpiry, Failure, IceSet, Minted, Order, Terms, UsageAsked,
    api::{Api, endpoint, seconds},
};
use crate::{
    domain::ProviderKind,
    server::{
        clock::Clock,
        config::{MeteredConfig, MeteredKey},
        usage::Billing,
    },
};
use reqwest::{Client, Method};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

/// <https://www.metered.ca/docs/turn-rest-api/>
pub(super) const TERMS: Terms = Terms {
    longest_life: None,
    at_expiry: AtExpiry::NotKnown,
    billing: Billing::ClientBoth,
    revocable: false,
    usage: UsageAsked::EachCredential,
};

/// An app that can be asked.
#[derive(Debug)]
pub(super) struct Metered {
    api: Api,
    base: Url,
    key: MeteredKey,
}

impl Metered {
    pub(super) fn new(config: MeteredConfig, http: &Client, clock: &Clock) -> Self {
        let api = Api::new(ProviderKind::Metered.title(), http, clock, advice);
        Self { api, base: config.api_base, key: config.key }
    }

    pub(super) async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        match &self.key {
            MeteredKey::Api(key) => {
                let servers = self.servers_of(key.expose_secret()).await?;
                Ok(Minted { servers, life: None, own: false })
            }
            MeteredKey::Secret(key) => {
                let created = self.create(key.expose_secret(), order).await?;
                let key = created["apiKey"].as_str().ok_or_else(|| self.api.unusable("there is no key in it"))?;
                let servers = self.servers_of(key).await?;
                Ok(Minted { servers, life: seconds(&created["expiryInSeconds"]), own: true })
            }
        }
    }

    async fn create(&self, secret_key: &str, order: Order) -> Result<Value, Failure> {
        let url = self.with_key("credential", "secretKey", secret_key);
        let body = json!({ "expiryInSeconds": order.life.as_secs(), "label": order.whom.pseudonym().as_str() });
        self.api.json(|| self.api.request(Method::POST, &url).json(&body)).await
    }

    async fn servers_of(&self, api_key: &str) -> Result<IceSet, Failure> {
        let url = self.with_key("credentials", "apiKey", api_key);
        let answer = self.api.json(|| self.api.request(Method::GET, &url)).await?;
        Ok(IceSet::read(&answer))
    }

    fn with_key(&self, what: &str, name: &str, key: &str) -> Url {
        let mut url = endpoint(self.base.clone(), &["api", "v1", "turn", what]);
        url.query_pairs_mut().append_pair(name, key);
        url
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => {
            "the plan does not have this, or the key is of the wrong sort. Check the METERED_ variables in the dashboard"
        }
        401 | 403 => "the key is invalid. Look it up in the Metered dashboard, Developers, and update .env",
        404 => "there is no such app. Check METERED_APP in the Metered dashboard",
        _ => return None,
    })
}
