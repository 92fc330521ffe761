//! Cloudflare Realtime TURN: mints credentials with a TURN key, which was made by hand or [by itself](super::rotation).
//!
//! Its answer has had three shapes over the years and carries no expiry; [`IceSet`] reads them all, and the life is counted
//! from the moment of asking. The token stands in one header and nowhere else.
//!
//! [`IceSet`]: super::IceSet

use super::{
    AtExpiry, Failure, Handle, IceSet, Minted, Order, Terms, UsageAsked,
    api::{Api, endpoint},
    rotation::Follower,
};
use crate::{
    domain::ProviderKind,
    server::{
        clock::Clock,
        config::{CloudflareConfig, CloudflareKey},
        usage::Billing,
    },
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use url::Url;

/// <https://developers.cloudflare.com/realtime/turn/faq/>
pub(super) const TERMS: Terms = Terms {
    longest_life: Some(Duration::from_hours(48)),
    at_expiry: AtExpiry::CutOff,
    billing: Billing::ClientEgress,
    revocable: true,
    usage: UsageAsked::EachCredential,
};

/// A service that can be asked.
#[derive(Debug)]
pub(super) struct Cloudflare {
    minting: Minting,
    /// The key that was made by hand.
    key: Option<CloudflareKey>,
    /// The keys that are made by themselves.
    keys: Option<Follower>,
    /// It was seen to refuse `customIdentifier`, which is documented for an older address of the API only.
    takes_no_identifier: AtomicBool,
}

/// The API where keys are used.
#[derive(Debug)]
pub(super) struct Minting {
    api: Api,
    base: Url,
}

impl Minting {
    pub(super) fn new(base: Url, http: &Client, clock: &Clock) -> Self {
        Self { api: Api::new(ProviderKind::Cloudflare.title(), http, clock, advice), base }
    }

    /// For what no page waits for.
    pub(super) fn unhurried(self) -> Self {
        Self { api: self.api.unhurried(), ..self }
    }

    /// What a key gives for this request.
    pub(super) async fn mint(&self, id: &str, token: &SecretString, body: &Value) -> Result<IceSet, Failure> {
        let url = endpoint(self.credentials(id), &["generate-ice-servers"]);
        let request = || self.api.request(Method::POST, &url).bearer_auth(token.expose_secret()).json(body);
        Ok(IceSet::read(&self.api.json(request).await?["iceServers"]))
    }

    async fn revoke(&self, id: &str, token: &SecretString, handle: &Handle) -> Result<(), Failure> {
        let url = endpoint(self.credentials(id), &[handle.username(), "revoke"]);
        self.api.send(|| self.api.request(Method::POST, &url).bearer_auth(token.expose_secret())).await?;
        Ok(())
    }

    fn credentials(&self, id: &str) -> Url {
        endpoint(self.base.clone(), &["v1", "turn", "keys", id, "credentials"])
    }
}

impl Cloudflare {
    pub(super) fn new(config: CloudflareConfig, keys: Option<Follower>, http: &Client, clock: &Clock) -> Self {
        let minting = Minting::new(config.api_base, http, clock);
        Self { minting, key: config.key, keys, takes_no_identifier: AtomicBool::new(false) }
    }

    pub(super) async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        let ttl = order.life.as_secs();
        let plain = json!({ "ttl": ttl });
        let servers = if self.takes_no_identifier.load(Ordering::Relaxed) {
            self.ask(&plain).await?
        } else {
            match self.ask(&json!({ "ttl": ttl, "customIdentifier": order.whom.pseudonym().as_str() })).await {
                Err(Failure::Refused { status: 400 | 422, .. }) => {
                    let servers = self.ask(&plain).await?;
                    // The rest of the request was right, so it was the identifier.
                    self.takes_no_identifier.store(true, Ordering::Relaxed);
                    tracing::info!("Cloudflare takes no customIdentifier here: usage is told apart by user name");
                    servers
                }
                other => other?,
            }
        };
        Ok(Minted { servers, life: None, own: true })
    }

    /// Nobody remembers which key a credential came from, so each is asked that it may have come from.
    pub(super) async fn revoke(&self, handle: &Handle) -> Result<(), Failure> {
        let made_by_hand = self.key.iter().map(|key| (key.id.clone(), key.api_token.clone()));
        let made_by_itself = self.keys.iter().flat_map(Follower::signed).map(|key| (key.id.0, key.secret));
        let mut answer = Err(Failure::NoKey { api: ProviderKind::Cloudflare.title() });
        for (id, token) in made_by_itself.chain(made_by_hand) {
            answer = self.minting.revoke(&id, &token, handle).await;
            if answer.is_ok() {
                break;
            }
        }
        answer
    }

    async fn ask(&self, body: &Value) -> Result<IceSet, Failure> {
        if let Some(key) = self.keys.as_ref().and_then(Follower::current) {
            return self.minting.mint(&key.id.0, &key.secret, body).await;
        }
        let key = self.key.as_ref().ok_or(Failure::NoKey { api: ProviderKind::Cloudflare.title() })?;
        self.minting.mint(&key.id, &key.api_token, body).await
    }
}

/// What the operator does about a refusal, in the guide's order.
fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "the API token is invalid or expired. Create a new TURN key and update .env",
        403 => {
            "the TURN key does not have the permission. Verify in the Cloudflare dashboard that ID and token are a pair"
        }
        404 => "there is no such TURN key. Check CLOUDFLARE_TURN_KEY_ID in the Cloudflare dashboard",
        300..=399 => "it sends us elsewhere, which is not followed. Check CLOUDFLARE_TURN_API_BASE",
        500.. => "a fault at Cloudflare's end. It should pass; see https://www.cloudflarestatus.com",
        _ => return None,
    })
}
