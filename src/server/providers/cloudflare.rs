//! Cloudflare Realtime TURN: mints credentials with a TURN key.
//!
//! Its answer has had three shapes over the years and carries no expiry; [`IceSet`] reads them all, and the life is counted
//! from the moment of asking. The token stands in one header and nowhere else.
//!
//! [`IceSet`]: super::IceSet

use super::{
    AtExpiry, Failure, Handle, IceSet, Minted, Order, Price, Terms, UsageAsked,
    api::{Api, endpoint},
};
use crate::{
    domain::{ByteCount, ProviderKind},
    server::{clock::Clock, config::CloudflareConfig, usage::Billing},
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
    price: Price::Cents(5),
    // Shared with their SFU.
    free: ByteCount::new(1_000_000_000_000),
    revocable: true,
    usage: UsageAsked::EachCredential,
};

/// A TURN key that can be asked.
#[derive(Debug)]
pub(super) struct Cloudflare {
    api: Api,
    credentials: Url,
    api_token: SecretString,
    /// It was seen to refuse `customIdentifier`, which is documented for an older address of the API only.
    takes_no_identifier: AtomicBool,
}

impl Cloudflare {
    pub(super) fn new(config: CloudflareConfig, http: &Client, clock: &Clock) -> Self {
        Self {
            api: Api::new(ProviderKind::Cloudflare.title(), http, clock, advice),
            credentials: endpoint(config.api_base, &["v1", "turn", "keys", &config.key_id, "credentials"]),
            api_token: config.api_token,
            takes_no_identifier: AtomicBool::new(false),
        }
    }

    pub(super) async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        let ttl = order.life.as_secs();
        let plain = json!({ "ttl": ttl });
        let answer = if self.takes_no_identifier.load(Ordering::Relaxed) {
            self.ask(&plain).await?
        } else {
            match self.ask(&json!({ "ttl": ttl, "customIdentifier": order.whom.pseudonym().as_str() })).await {
                Err(Failure::Refused { status: 400 | 422, .. }) => {
                    let answer = self.ask(&plain).await?;
                    // The rest of the request was right, so it was the identifier.
                    self.takes_no_identifier.store(true, Ordering::Relaxed);
                    tracing::info!("Cloudflare takes no customIdentifier here: usage is told apart by user name");
                    answer
                }
                other => other?,
            }
        };
        Ok(Minted { servers: IceSet::read(&answer["iceServers"]), life: None, own: true })
    }

    pub(super) async fn revoke(&self, handle: &Handle) -> Result<(), Failure> {
        let url = endpoint(self.credentials.clone(), &[handle.username(), "revoke"]);
        self.api.send(|| self.api.request(Method::POST, &url).bearer_auth(self.api_token.expose_secret())).await?;
        Ok(())
    }

    async fn ask(&self, body: &Value) -> Result<Value, Failure> {
        let url = endpoint(self.credentials.clone(), &["generate-ice-servers"]);
        let token = self.api_token.expose_secret();
        self.api.json(|| self.api.request(Method::POST, &url).bearer_auth(token).json(body)).await
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
