//! Metered's own count, day by day (<https://www.metered.ca/docs/turn-rest-api/>): its total is of a billing period, which need
//! not be a month.
//!
//! When a billing period ends its days are not named any more: those that were heard are remembered until their month is over.
//! The key travels in the query, so no URL of Metered's may get into a log.

use super::{
    ASKED_TOO_OFTEN,
    amount::{GB, amount, sum},
};
use crate::{
    domain::{ByteCount, ProviderKind},
    server::{
        clock::Clock,
        providers::{
            Failure,
            api::{Api, endpoint},
        },
        usage::Month,
    },
};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// More days than two months have; an answer with more of them is a mistake.
const MOST_DAYS: usize = 100;

/// An account whose use can be read.
#[derive(Debug)]
pub(super) struct MeteredCount {
    api: Api,
    by_date: Url,
    secret_key: SecretString,
    days: Mutex<BTreeMap<String, ByteCount>>,
}

impl MeteredCount {
    pub(super) fn new(base: Url, secret_key: SecretString, http: &Client, clock: &Clock) -> Self {
        Self {
            api: Api::new(ProviderKind::Metered.title(), http, clock, advice).unhurried(),
            by_date: endpoint(base, &["api", "v1", "turn", "current_usage_by_date"]),
            secret_key,
            days: Mutex::default(),
        }
    }

    pub(super) async fn used_in(&self, month: Month) -> Result<ByteCount, Failure> {
        let mut url = self.by_date.clone();
        url.query_pairs_mut().append_pair("secretKey", self.secret_key.expose_secret());
        let answer = self.api.json(|| self.api.request(Method::GET, &url)).await?;
        let named = answer.as_array().filter(|days| days.len() <= MOST_DAYS);
        let named = named.ok_or_else(|| self.api.unusable("there is no list of days in it"))?;
        let day = |day: &serde_json::Value| {
            let date = day["date"].as_str().and_then(date).ok_or("there is a day without a date in it")?;
            Ok((date, amount(&day["usageInGB"], GB)?))
        };
        let heard = named.iter().map(day).collect::<Result<Vec<(String, ByteCount)>, &'static str>>();
        let heard = heard.map_err(|cause| self.api.unusable(cause))?;
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.extend(heard);
        while days.len() > MOST_DAYS {
            days.pop_first();
        }
        let prefix = format!("{month}-");
        let of_the_month = days.iter().filter(|(date, _)| date.starts_with(&prefix)).map(|(_, used)| *used);
        sum(of_the_month).map_err(|cause| self.api.unusable(cause))
    }
}

/// `2026-11-01`, whatever time stands behind it.
fn date(text: &str) -> Option<String> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    Some(date.to_string())
}

fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "the plan has no usage to tell of. Check in the Metered dashboard that the account has a TURN plan",
        401 | 403 => {
            "the secret key is invalid. Look METERED_SECRET_KEY up in the Metered dashboard, Developers, and update .env"
        }
        404 => "there is no such app. Check METERED_APP in the Metered dashboard",
        429 => ASKED_TOO_OFTEN,
        _ => return None,
    })
}
