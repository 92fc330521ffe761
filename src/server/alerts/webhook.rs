//! Alerts by webhook: JSON, signed.
//!
//! The signature is the HMAC-SHA256 of the time, a point and the body as it is sent, with the shared secret; it stands in one header
//! and the time in another. A receiver makes the same, compares both in constant time, and refuses what is older than five minutes: so
//! what somebody overheard is of no use later. Each attempt is signed anew. Any 2xx is an answer; nothing else is followed or read.

use super::{Alert, Undelivered, way::PATIENCE};
use crate::server::config::WebhookConfig;
use hmac::{Hmac, Mac as _};
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::fmt::Write as _;
use url::Url;

/// The header with the time of sending, in seconds since 1970.
pub const TIMESTAMP: &str = "tessro-timestamp";

/// The header with the signature: `v1=` and 64 digits.
pub const SIGNATURE: &str = "tessro-signature";

/// Where alerts are posted.
pub struct Webhook {
    http: Client,
    url: Url,
    secret: SecretString,
    server: Option<String>,
}

/// The address is not shown: those of some services are all that it takes to write there.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(config: &WebhookConfig, server: Option<String>) -> Result<Self, reqwest::Error> {
        let http = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { http, url: config.url.clone(), secret: config.secret.clone(), server })
    }

    pub(super) async fn send(&self, alert: &Alert, now: u64) -> Result<(), Undelivered> {
        let body = alert.to_json(self.server.as_deref()).to_string();
        let signature = signature(&self.secret, now, &body);
        let request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let request = request.header(TIMESTAMP, now.to_string()).header(SIGNATURE, signature).body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Undelivered::Status(answer.status().as_u16())),
            Err(error) if error.is_timeout() => Err(Undelivered::Silent),
            Err(_) => Err(Undelivered::Unreachable),
        }
    }
}

/// What stands in the header for this body at this time.
pub fn signature(secret: &SecretString, timestamp: u64, body: &str) -> String {
    // It takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return String::new() };
    let mut text = String::from("v1=");
    mac.update(format!("{timestamp}.{body}").as_bytes());
    for byte in mac.finalize().into_bytes() {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_every_other_hmac_makes() {
        // printf '1800000000.{"id":"x"}' | openssl dgst -sha256 -hmac secret
        let made = signature(&SecretString::from("secret"), 1_800_000_000, r#"{"id":"x"}"#);
        assert_eq!(made, "v1=a42de775ce01572b44df5f02ae4eedc0215cf50b524d30743d5f0dfe12bd147a");
    }
}
