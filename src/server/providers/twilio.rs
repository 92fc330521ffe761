//! Twilio's Network Traversal Service: a token of the account is a set of ICE servers.
//!
//! It takes a form, answers with its life as a text, and has named its addresses `url` and `urls` over the years, sometimes
//! with a query on `stun:` that browsers refuse; [`IceSet`] reads all of that.

use super::{
    AtExpiry, Failure, IceSet, Minted, Order, Terms, UsageAsked,
    api::{Api, endpoint, seconds},
};
use crate::{
    domain::ProviderKind,
    server::{clock::Clock, config::TwilioConfig, usage::Billing},
};
use reqwest::{Client, Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use url::Url;

/// <https://www.twilio.com/docs/stun-turn/api>, <https://www.twilio.com/docs/stun-turn/faq>
pub(super) const TERMS: Terms = Terms {
    longest_life: Some(Duration::from_hours(24)),
    at_expiry: AtExpiry::NotKnown,
    billing: Billing::ClientBoth,
    revocable: false,
    usage: UsageAsked::Account,
};

/// An account that can be asked.
#[derive(Debug)]
pub(super) struct Twilio {
    api: Api,
    tokens: Url,
    account_sid: String,
    auth_token: SecretString,
}

impl Twilio {
    pub(super) fn new(config: TwilioConfig, http: &Client, clock: &Clock) -> Self {
        let TwilioConfig { account_sid, auth_token, api_base } = config;
        Self {
            api: Api::new(ProviderKind::Twilio.title(), http, clock, advice),
            tokens: endpoint(api_base, &["2010-04-01", "Accounts", &account_sid, "Tokens.json"]),
            account_sid,
            auth_token,
        }
    }

    pub(super) async fn mint(&self, order: Order) -> Result<Minted, Failure> {
        let form = format!("Ttl={}", order.life.as_secs());
        let request = || {
            self.api
                .request(Method::POST, &self.tokens)
                .basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone())
        };
        let answer = self.api.json(request).await?;
        Ok(Minted { servers: IceSet::read(&answer["ice_servers"]), life: seconds(&answer["ttl"]), own: true })
    }
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => {
            "SID and auth token do not go together. Look both up in the Twilio console, Account info, and update .env"
        }
        403 => "the account may not do this. See in the Twilio console whether it is suspended",
        404 => "there is no such account. Check TWILIO_ACCOUNT_SID in the Twilio console",
        500.. => "a fault at Twilio's end. It should pass; see https://status.twilio.com",
        _ => return None,
    })
}
