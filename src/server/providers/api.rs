//! How any provider's API is talked to.
//!
//! Owns the time-outs, the second attempt, the bound on what is read, and the words for what goes wrong on the way. Knows
//! nothing of what is asked and answered. No URL gets into a message: some hold keys.

use super::{Failure, Provider};
use crate::{domain::UnixMillis, server::clock::Clock};
use backon::{ConstantBuilder, Retryable as _};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{self, HeaderMap},
    redirect::Policy,
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// A connection that is not there by then is tried anew rather than waited for.
const CONNECT: Duration = Duration::from_millis(700);

/// What the first attempt may take of the budget: a mint takes about 0.1 s, so a silence this long will not end soon.
const ATTEMPT: Duration = Duration::from_millis(1_150);

/// Between the first attempt and the second, where the provider names no other time.
const PAUSE: Duration = Duration::from_millis(100);

/// What one attempt may take where nobody waits for it.
const UNHURRIED: Duration = Duration::from_secs(15);

/// A second attempt that would have less time than this is not made.
const WORTHWHILE: Duration = Duration::from_millis(200);

/// The largest answer that is read. A real one is about 1 KB.
const ANSWER_BYTES: usize = 64 * 1024;

/// A client for every provider. Fails where the system has no certificates to trust.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().connect_timeout(CONNECT).redirect(Policy::none()).no_proxy().build()
}

/// One provider's API.
#[derive(Debug)]
pub(super) struct Api {
    title: &'static str,
    http: Client,
    clock: Clock,
    /// What the operator does about a status; `None` where there is nothing special about it.
    advice: fn(u16) -> Option<&'static str>,
    attempt: Duration,
    further_attempts: usize,
}

impl Api {
    pub(super) fn new(
        title: &'static str,
        http: &Client,
        clock: &Clock,
        advice: fn(u16) -> Option<&'static str>,
    ) -> Self {
        Self { title, http: http.clone(), clock: clock.clone(), advice, attempt: ATTEMPT, further_attempts: 1 }
    }

    /// For what no page waits for: an answer may take long, and whoever asks decides when to ask again.
    pub(super) fn unhurried(self) -> Self {
        Self { attempt: UNHURRIED, further_attempts: 0, ..self }
    }

    /// The beginning of a request.
    pub(super) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.http.request(method, url.clone()).header(header::ACCEPT, "application/json")
    }

    /// Sends what `request` builds, once more where that may help, and reads the answer as JSON.
    pub(super) async fn json(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, Failure> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|_| self.unusable("it is no JSON"))
    }

    /// Sends what `request` builds, once more where that may help. Any 2xx is an answer.
    pub(super) async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Vec<u8>, Failure> {
        let began = Instant::now();
        let once_more = ConstantBuilder::default().with_delay(PAUSE).with_max_times(self.further_attempts);
        let wait = |failure: &Failure, pause: Option<Duration>| again_after(failure, pause?, began.elapsed());
        (|| self.attempt(request())).retry(once_more).adjust(wait).await
    }

    pub(super) fn unusable(&self, cause: &'static str) -> Failure {
        Failure::Unusable { api: self.title, cause }
    }

    pub(super) fn declined(&self, reason: String, advice: &'static str) -> Failure {
        Failure::Declined { api: self.title, reason, advice }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let answer = tokio::time::timeout(self.attempt, self.exchange(request)).await;
        answer.unwrap_or(Err(Failure::TimedOut { api: self.title }))
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let response = request.send().await.map_err(|error| self.failure(error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Refused {
                api: self.title,
                status: status.as_u16(),
                advice: (self.advice)(status.as_u16()).unwrap_or_else(|| general_advice(status.as_u16())),
                retry_after: retry_after(response.headers(), self.clock.wall()),
            });
        }
        self.read(response).await
    }

    /// The body, up to the bound.
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.failure(error))? {
            if body.len() + part.len() > ANSWER_BYTES {
                return Err(self.unusable("it is too large"));
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// The innermost cause says what happened; the outer ones repeat the URL.
    fn failure(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure::TimedOut { api: self.title };
        }
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Failure::Unreachable { api: self.title, cause: innermost.to_string() }
    }
}

/// `base` with these parts after its path, each quoted as it needs.
pub(super) fn endpoint(mut base: Url, path: &[&str]) -> Url {
    // Only addresses that cannot be a base have no path, and the settings take none of those.
    if let Ok(mut segments) = base.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    base
}

/// A number of seconds as providers write it: `3600` or `"3600"`.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Some(Duration::from_secs(number)).filter(|life| !life.is_zero())
}

/// When to try again after this failure; `None` where it would not help or there is no time for it.
fn again_after(failure: &Failure, pause: Duration, spent: Duration) -> Option<Duration> {
    let wait = match failure {
        Failure::TimedOut { .. } | Failure::Unreachable { .. } => pause,
        Failure::Refused { status: 429, retry_after: Some(asked), .. } => pause.max(*asked),
        Failure::Refused { status: 500.., retry_after, .. } => pause.max(retry_after.unwrap_or_default()),
        Failure::Refused { .. }
        | Failure::Declined { .. }
        | Failure::Unusable { .. }
        | Failure::NoKey { .. }
        | Failure::Irrevocable { .. } => return None,
    };
    (spent + wait + WORTHWHILE <= Provider::BUDGET).then_some(wait)
}

/// `Retry-After` as seconds or as a date (<https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>).
fn retry_after(headers: &HeaderMap, wall: UnixMillis) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(wall.until(UnixMillis(u64::try_from(date).ok()?)))
}

fn general_advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "its keys are wrong or have expired. Look them up in the provider's dashboard and update .env",
        429 => "too many credentials were asked for. It passes by itself; if it does not, look for who asks so often",
        300..=399 => "it sends us elsewhere, which is not followed. Check the API's address in .env",
        500.. => "a fault at the provider's end. It should pass; see its status page",
        _ => "check the provider's variables in .env",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(status: u16, retry_after: Option<Duration>) -> Failure {
        Failure::Refused { api: "Test", status, advice: "", retry_after }
    }

    #[test]
    fn what_may_pass_is_tried_again_while_there_is_time() {
        let millis = Duration::from_millis;
        let again = |failure, spent| again_after(&failure, PAUSE, millis(spent));
        assert_eq!(again(Failure::TimedOut { api: "Test" }, 1_150), Some(PAUSE));
        assert_eq!(again(Failure::TimedOut { api: "Test" }, 1_600), None);
        assert_eq!(again(refused(503, None), 50), Some(PAUSE));
        assert_eq!(again(refused(503, Some(millis(1_000))), 50), Some(millis(1_000)));
        assert_eq!(again(refused(503, Some(millis(2_000))), 50), None);
        assert_eq!(again(refused(429, Some(Duration::ZERO)), 50), Some(PAUSE));
        for status in [302, 400, 401, 403, 404, 429] {
            assert_eq!(again(refused(status, None), 50), None, "{status}");
        }
        assert_eq!(again(Failure::Unusable { api: "Test", cause: "" }, 50), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wall = UnixMillis(1_800_000_000_000);
        let read = |value: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers, wall)
        };
        assert_eq!(read("1"), Some(Duration::from_secs(1)));
        assert_eq!(read("Fri, 15 Jan 2027 08:00:05 GMT"), Some(Duration::from_secs(5)));
        assert_eq!(read("Fri, 15 Jan 2021 08:00:05 GMT"), Some(Duration::ZERO));
        assert_eq!((read("soon"), read("-1"), read("")), (None, None, None));
        assert_eq!(retry_after(&HeaderMap::new(), wall), None);
    }

    #[test]
    fn seconds_are_a_number_or_a_text() {
        for value in [json!(60), json!("60"), json!(" 60 ")] {
            assert_eq!(seconds(&value), Some(Duration::from_mins(1)));
        }
        for value in [json!(null), json!("1d"), json!(-1), json!(0), json!({})] {
            assert_eq!(seconds(&value), None);
        }
    }
}
