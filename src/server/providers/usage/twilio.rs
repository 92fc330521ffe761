//! Twilio's own count: usage records (<https://www.twilio.com/docs/usage/api/usage-record>), of all TURN data in megabytes.
//!
//! Of the account as a whole: whatever else uses its TURN is in it.

use super::{
    ASKED_TOO_OFTEN,
    amount::{MB, amount, sum},
};
use crate::{
    domain::{ByteCount, ProviderKind, UnixMillis},
    server::{
        clock::Clock,
        config::TwilioConfig,
        providers::{
            Failure,
            api::{Api, endpoint},
        },
        usage::Month,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// All regions together; each has a category of its own beside it.
const CATEGORY: &str = "turnmegabytes";

/// An account whose records can be read.
#[derive(Debug)]
pub(super) struct TwilioCount {
    api: Api,
    records: Url,
    account_sid: String,
    auth_token: SecretString,
}

impl TwilioCount {
    pub(super) fn new(config: &TwilioConfig, http: &Client, clock: &Clock) -> Self {
        let path = ["2010-04-01", "Accounts", &config.account_sid, "Usage", "Records.json"];
        Self {
            api: Api::new(ProviderKind::Twilio.title(), http, clock, advice).unhurried(),
            records: endpoint(config.api_base.clone(), &path),
            account_sid: config.account_sid.clone(),
            auth_token: config.auth_token.clone(),
        }
    }

    pub(super) async fn used_in(&self, month: Month) -> Result<ByteCount, Failure> {
        let mut url = self.records.clone();
        url.query_pairs_mut()
            .append_pair("Category", CATEGORY)
            .append_pair("StartDate", &date(month.starts_at()))
            .append_pair("EndDate", &date(UnixMillis(month.next().starts_at().0.saturating_sub(1))));
        let request = || {
            let token = self.auth_token.expose_secret();
            self.api.request(Method::GET, &url).basic_auth(&self.account_sid, Some(token))
        };
        let answer = self.api.json(request).await?;
        let records = answer["usage_records"].as_array();
        let records = records.ok_or_else(|| self.api.unusable("there are no usage records in it"))?;
        let ours = records.iter().filter(|record| record["category"] == CATEGORY);
        let counts = ours.map(|record| amount(&record["usage"], MB)).collect::<Result<Vec<_>, _>>();
        counts.and_then(sum).map_err(|cause| self.api.unusable(cause))
    }
}

/// The day in UTC, as Twilio counts.
fn date(at: UnixMillis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    TimeZone::UTC.to_datetime(at.unwrap_or(Timestamp::MAX)).date().to_string()
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => {
            "account SID and auth token do not go together, or may not read usage. Look both up in the Twilio console and \
             update .env"
        }
        404 => "there is no such account. Check TWILIO_ACCOUNT_SID in the Twilio console",
        500.. => "a fault at Twilio's end. It should pass; see https://status.twilio.com",
        429 => ASKED_TOO_OFTEN,
        _ => return None,
    })
}
