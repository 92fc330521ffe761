//! Cloudflare Realtime TURN: mints credentials with a TURN key.
//!
//! Its answer has had three shapes over the years and carries no expiry; [`IceSet`] reads them all, and the life is counted
//! from the moment of asking. The token stands in one header and nowhere else.

use super::{Failure, Grant, IceSet, Provider};
use crate::{
    domain::ProviderName,
    server::{clock::Clock, config::CloudflareConfig},
};
use backon::{ConstantBuilder, Retryable};
use reqwest::{Client, Response, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

const API: &str = "Cloudflare";

/// A connection that is not there by then is tried anew rather than waited for.
const CONNECT: Duration = Duration::from_millis(700);

/// What the first attempt may take of the budget: a mint takes about 0.1 s, so a silence this long will not end soon.
const ATTEMPT: Duration = Duration::from_millis(1_150);

/// Between the first attempt and the second.
const PAUSE: Duration = Duration::from_millis(100);

/// The bounds of a life; the upper one is Cloudflare's own, <https://developers.cloudflare.com/realtime/turn/faq/>.
const LIFE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(48));

/// The largest answer that is read. A real one is about 1 KB.
const ANSWER_BYTES: usize = 64 * 1024;

/// A TURN key that can be asked.
#[derive(Debug)]
pub struct Cloudflare {
    http: Client,
    endpoint: Url,
    api_token: SecretString,
    ttl: Duration,
}

impl Cloudflare {
    /// A client for this key. Fails where the system has no certificates to trust.
    pub fn new(config: CloudflareConfig, ttl: Duration) -> Result<Self, reqwest::Error> {
        let http = Client::builder().connect_timeout(CONNECT).redirect(Policy::none()).no_proxy().build()?;
        let mut endpoint = config.api_base;
        if let Ok(mut path) = endpoint.path_segments_mut() {
            let key_id = config.key_id.as_str();
            path.pop_if_empty().extend(["v1", "turn", "keys", key_id, "credentials", "generate-ice-servers"]);
        }
        Ok(Self { http, endpoint, api_token: config.api_token, ttl: ttl.clamp(LIFE.0, LIFE.1) })
    }

    pub(super) fn ttl(&self) -> Duration {
        self.ttl
    }

    pub(super) async fn mint(&self, clock: &Clock) -> Result<Grant, Failure> {
        // Counted from here, not from the answer: late is the safe side.
        let expires_at = clock.wall().plus(self.ttl);
        let once_more = ConstantBuilder::default().with_delay(PAUSE).with_max_times(1);
        let attempts = (|| self.attempt()).retry(once_more).when(Failure::is_passing);
        let servers = match tokio::time::timeout(Provider::BUDGET, attempts).await {
            Ok(servers) => servers?,
            Err(_) => return Err(Failure::TimedOut { api: API }),
        };
        let provider: ProviderName =
            "cloudflare".parse().map_err(|_| Failure::Unusable { api: API, cause: "its name is none" })?;
        Ok(Grant { provider, servers, expires_at })
    }

    async fn attempt(&self) -> Result<IceSet, Failure> {
        match tokio::time::timeout(ATTEMPT, self.ask()).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::TimedOut { api: API }),
        }
    }

    async fn ask(&self) -> Result<IceSet, Failure> {
        let response = self
            .http
            .post(self.endpoint.clone())
            .bearer_auth(self.api_token.expose_secret())
            .header(header::ACCEPT, "application/json")
            .json(&serde_json::json!({ "ttl": self.ttl.as_secs() }))
            .send()
            .await
            .map_err(failure)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Refused { api: API, status: status.as_u16(), advice: advice(status.as_u16()) });
        }
        let unusable = |cause| Failure::Unusable { api: API, cause };
        let body = read_at_most(response, ANSWER_BYTES).await?.ok_or_else(|| unusable("it is too large"))?;
        let answer = serde_json::from_slice(&body).map_err(|_| unusable("it is no JSON"))?;
        let servers = IceSet::read(&answer);
        if servers.has_relay() { Ok(servers) } else { Err(unusable("there is no relay in it")) }
    }
}

/// The body, or `None` as soon as it turns out to be larger than `most`.
async fn read_at_most(mut response: Response, most: usize) -> Result<Option<Vec<u8>>, Failure> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failure)? {
        if body.len() + part.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&part);
    }
    Ok(Some(body))
}

/// What the operator does about a refusal, in the guide's order.
fn advice(status: u16) -> &'static str {
    match status {
        401 => "the API token is invalid or expired. Create a new TURN key and update .env",
        403 => {
            "the TURN key does not have the permission. Verify in the Cloudflare dashboard that ID and token are a pair"
        }
        404 => "there is no such TURN key. Check CLOUDFLARE_TURN_KEY_ID in the Cloudflare dashboard",
        429 => "too many credentials were asked for. It passes by itself; if it does not, look for who asks so often",
        300..=399 => "it sends us elsewhere, which is not followed. Check CLOUDFLARE_TURN_API_BASE",
        500.. => "a fault at Cloudflare's end. It should pass; see https://www.cloudflarestatus.com",
        _ => "check CLOUDFLARE_TURN_KEY_ID and CLOUDFLARE_TURN_API_BASE",
    }
}

/// The innermost cause says what happened; the outer ones repeat the URL, which holds the key's ID.
fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut { api: API };
    }
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Failure::Unreachable { api: API, cause: innermost.to_string() }
}
