//! What a single value has to look like. An error here is only the advice; who shows it adds the variable and the value.

use super::relay::{ControlPlace, PublicAddress, RelayPlace, Switch};
use crate::{
    domain::ByteCount,
    server::{
        guard::{Origin, RateLimit},
        money::{Currency, Money, Prices},
        providers::{Regions, RelayUrls, StunUrls},
        relay::Networks,
        usage::{Keep, ProviderLimits, Stages, WhenUncounted},
    },
};
use axum::http::HeaderName;
use axum_client_ip::ClientIpSource;
use clap::builder::{StringValueParser, TypedValueParser};
use secrecy::SecretString;
use std::{ops::RangeInclusive, time::Duration};
use tracing_subscriber::EnvFilter;
use url::Url;

/// The most people that a session may be set to hold: the host's browser encodes the film once for each of them.
const LARGEST_SESSION: usize = 64;

pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    text.trim().parse().map_err(|_| "write a number from 0 to 65535, such as 3001")
}

pub(super) fn host(text: &str) -> Result<String, &'static str> {
    let host = text.trim();
    let wrong = host.is_empty() || host.contains(['/', ' ']) || (host.contains("::") && host.contains(['[', ']']));
    if wrong { Err("write an address without a port, such as 127.0.0.1 or 0.0.0.0") } else { Ok(host.to_owned()) }
}

pub(super) fn origin(text: &str) -> Result<Origin, &'static str> {
    Origin::parse(text.trim()).ok_or("write scheme, host and port without a path, such as https://tessro.example")
}

pub(super) fn client_ip_source(text: &str) -> Result<ClientIpSource, &'static str> {
    text.trim().parse().map_err(|_| {
        "write ConnectInfo, RightmostXForwardedFor, XRealIp, CfConnectingIp, TrueClientIp, FlyClientIp, \
         CloudFrontViewerAddress or XEnvoyExternalAddress"
    })
}

pub(super) fn log_filter(text: &str) -> Result<String, &'static str> {
    let usable = EnvFilter::builder().parse(text).is_ok();
    usable
        .then(|| text.to_owned())
        .ok_or("write a level, such as info, or part=level with commas, such as info,tessro=debug")
}

pub(super) fn session_limit(text: &str) -> Result<usize, String> {
    let people = text.trim().parse().ok().filter(|people| (2..=LARGEST_SESSION).contains(people));
    people.ok_or_else(|| format!("write a number from 2 to {LARGEST_SESSION}, such as 8"))
}

pub(super) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.trim().parse().ok().filter(|seconds| (1..=31_536_000).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("write a number of seconds, such as 86400")
}

/// A value, or none at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrOff<T>(pub(super) Option<T>);

fn or_off<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<OrOff<T>> {
    if text.trim().eq_ignore_ascii_case("off") { Some(OrOff(None)) } else { read(text).map(|value| OrOff(Some(value))) }
}

pub(super) fn rate_limit_or_off(text: &str) -> Result<OrOff<RateLimit>, &'static str> {
    or_off(text, |text| rate_limit(text).ok()).ok_or("write requests per time, such as 3000/1m (units s, m, h), or off")
}

pub(super) fn count(text: &str) -> Result<usize, &'static str> {
    let count = text.trim().parse().ok().filter(|count| (1..=1_000_000).contains(count));
    count.ok_or("write a number from 1 to 1000000")
}

pub(super) fn count_or_off(text: &str) -> Result<OrOff<usize>, &'static str> {
    or_off(text, |text| count(text).ok()).ok_or("write a number from 1 to 1000000, or off")
}

/// A time after which something is done again, or never.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timer(pub(super) Option<Duration>);

pub(super) fn timer(text: &str) -> Result<Timer, &'static str> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Timer(None));
    }
    grace(text).map(|time| Timer(Some(time))).map_err(|_| "write a time from 1s to 24h, such as 5m, or off")
}

/// From a second to a day.
pub(super) fn grace(text: &str) -> Result<Duration, &'static str> {
    let advice = "write a time from 1s to 24h, such as 90s, 5m or 1h";
    let text = text.trim();
    let (number, seconds) = match text.char_indices().next_back() {
        Some((unit, 's')) => (&text[..unit], 1),
        Some((unit, 'm')) => (&text[..unit], 60),
        Some((unit, 'h')) => (&text[..unit], 3_600),
        Some(_) | None => return Err(advice),
    };
    let number: u64 = number.parse().map_err(|_| advice)?;
    number.checked_mul(seconds).filter(|time| (1..=86_400).contains(time)).map(Duration::from_secs).ok_or(advice)
}

/// From an hour to a year.
pub(super) fn period(text: &str) -> Result<Duration, &'static str> {
    let advice = "write a time from 1h to 366d, such as 12h or 30d";
    let text = text.trim();
    let (number, hours) = match text.char_indices().next_back() {
        Some((unit, 'h')) => (&text[..unit], 1),
        Some((unit, 'd')) => (&text[..unit], 24),
        Some(_) | None => return Err(advice),
    };
    let number: u64 = number.parse().map_err(|_| advice)?;
    number.checked_mul(hours).filter(|hours| (1..=366 * 24).contains(hours)).map(Duration::from_hours).ok_or(advice)
}

/// For how long evidence is kept.
pub(super) fn keep_months(text: &str) -> Result<Keep, &'static str> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("all") {
        return Ok(Keep::Everything);
    }
    let months = text.parse().ok().filter(|months| (1..=1_200).contains(months));
    months.map(Keep::Months).ok_or("write a number of months from 1 to 1200, such as 24, or all")
}

/// A realm as it may stand between quotes in any database.
pub(super) fn realm(text: &str) -> Result<String, &'static str> {
    let realm = text.trim();
    let usable = (1..=127).contains(&realm.len())
        && realm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    usable
        .then(|| realm.to_owned())
        .ok_or("write what stands behind realm= in turnserver.conf: letters, digits, dots and dashes")
}

/// Like [`api_base`], for an API whose version belongs to its address.
pub(super) fn versioned_base(text: &str) -> Result<Url, &'static str> {
    let version = text.trim().trim_end_matches('/');
    api_base(version).and_then(|_| Url::parse(version).map_err(|_| "write an address with scheme and host"))
}

pub(super) fn stun_urls(text: &str) -> Result<StunUrls, String> {
    StunUrls::parse(text).map_err(|wrong| {
        format!("`{wrong}` is no STUN server that browsers take; write such as stun:stun.cloudflare.com:3478, not on port 53")
    })
}

pub(super) fn rate_limit(text: &str) -> Result<RateLimit, &'static str> {
    RateLimit::parse(text.trim()).ok_or("write requests per time, such as 10/5m (units s, m, h)")
}

pub(super) fn gigabytes(text: &str) -> Result<ByteCount, &'static str> {
    ByteCount::parse_gb(text).map_err(|_| "write a number of gigabytes, such as 1000 or 0.02")
}

pub(super) fn relay_urls(text: &str) -> Result<RelayUrls, String> {
    RelayUrls::parse(text).map_err(|wrong| {
        let what =
            wrong.map_or("there is no relay in it".to_owned(), |wrong| format!("browsers do not take `{wrong}`"));
        format!("{what}; write such as turn:turn.example:3478,turns:turn.example:443?transport=tcp, on port 80, 443 or from 1024 on")
    })
}

pub(super) fn header(text: &str) -> Result<HeaderName, &'static str> {
    text.trim().parse().map_err(|_| "write the name of a header, such as CF-IPCountry")
}

pub(super) fn regions(text: &str) -> Result<Regions, String> {
    Regions::parse(text)
        .map_err(|wrong| format!("`{wrong}` is no label with its regions; write such as eu=DE FR PL,us=US CA"))
}

pub(super) fn provider_limits(text: &str) -> Result<ProviderLimits, String> {
    ProviderLimits::parse(text).map_err(|wrong| {
        format!("`{wrong}` is no provider with its gigabytes; write such as cloudflare=950,coturn:fra=2000")
    })
}

pub(super) fn stages(text: &str) -> Result<Stages, &'static str> {
    Stages::parse(text).ok_or("write three whole percentages that grow, such as 70,90,95")
}

pub(super) fn when_uncounted(text: &str) -> Result<WhenUncounted, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "closed" => Ok(WhenUncounted::Closed),
        "open" => Ok(WhenUncounted::Open),
        _ => Err("write closed or open"),
    }
}

pub(super) fn money(text: &str) -> Result<Money, &'static str> {
    Money::parse(text).map_err(|_| "write an amount with at most six decimals, such as 20 or 12.50")
}

pub(super) fn currency(text: &str) -> Result<Currency, &'static str> {
    Currency::parse(text).ok_or("write one word without digits, such as EUR")
}

pub(super) fn prices(text: &str) -> Result<Prices, String> {
    Prices::parse(text).map_err(|wrong| {
        format!(
            "`{wrong}` is no provider with its price, or stands there twice; write such as \
             cloudflare=0.05/GB+1000free,coturn:fra=5/month+20000free+1.19/TB"
        )
    })
}

pub(super) fn relay_place(text: &str) -> Result<RelayPlace, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "auto" => Ok(RelayPlace::Here),
        "external" => Ok(RelayPlace::External),
        "off" => Ok(RelayPlace::Off),
        _ => Err("write auto, external or off"),
    }
}

pub(super) fn control_place(text: &str) -> Result<ControlPlace, &'static str> {
    ControlPlace::parse(text.trim())
        .ok_or("write an address with its port, such as 10.0.0.5:3480, or the path of a socket")
}

/// One that browsers take for a relay, or 0.
pub(super) fn relay_port(text: &str) -> Result<u16, &'static str> {
    let usable = |port: &u16| matches!(port, 0 | 80 | 443 | 1024..);
    text.trim().parse().ok().filter(usable).ok_or("write 80, 443 or a number from 1024 to 65535, such as 3478")
}

pub(super) fn port_range(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let read = |part: &str| part.trim().parse().ok().filter(|port| *port >= 1024);
    let range = text.split_once('-').and_then(|(first, last)| Some(read(first)?..=read(last)?));
    range
        .filter(|range| !range.is_empty())
        .ok_or("write the first and the last port, from 1024 on, such as 49152-65535")
}

pub(super) fn public_address(text: &str) -> Result<PublicAddress, &'static str> {
    PublicAddress::parse(text)
        .ok_or("write the address of this machine on the internet, such as 203.0.113.7, or one of each family with a comma between them")
}

/// What browsers take for the host of a relay, and is no address.
pub(super) fn host_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim().to_ascii_lowercase();
    let is_name =
        name.chars().next_back().is_some_and(|last| last.is_ascii_alphabetic()) && !name.contains([':', '/', '?']);
    let usable = is_name && RelayUrls::parse(&format!("turn:{name}")).is_ok();
    if usable { Ok(name) } else { Err("write a name alone, such as turn.example") }
}

pub(super) fn yes_or_no(text: &str) -> Result<Switch, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(Switch(true)),
        "0" | "false" | "no" | "off" => Ok(Switch(false)),
        _ => Err("write 1 or 0"),
    }
}

pub(super) fn networks(text: &str) -> Result<Networks, String> {
    Networks::parse(text).map_err(|wrong| wrong.to_string())
}

/// From one to four: each gets an address of the four that a browser is given.
pub(super) fn together(text: &str) -> Result<usize, &'static str> {
    let providers = text.trim().parse().ok().filter(|providers| (1..=4).contains(providers));
    providers.ok_or("write a number from 1 to 4, such as 2")
}

/// What may be any text, and is never repeated.
pub(super) fn secret() -> impl TypedValueParser<Value = SecretString> {
    StringValueParser::new().map(SecretString::from)
}

/// A user name that browsers take.
pub(super) fn username(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let usable = !name.is_empty() && name.len() < 509 && !name.chars().any(char::is_control);
    usable.then(|| name.to_owned()).ok_or("write a user name of at most 508 bytes, without control characters")
}

/// A path of words with slashes between them.
pub(super) fn path(text: &str) -> Result<String, &'static str> {
    let path = text.trim().trim_matches('/');
    let usable = path.split('/').all(|part| word(part).is_ok_and(|word| word == part));
    usable
        .then(|| path.to_owned())
        .ok_or("copy it again, or write words of letters and digits with slashes between them")
}

/// The first part of an app's address; takes the whole address too, as the dashboard shows it.
pub(super) fn metered_app(text: &str) -> Result<String, &'static str> {
    let text = text.trim().trim_start_matches("https://").trim_end_matches('/');
    let app = text.strip_suffix(".metered.live").unwrap_or(text);
    let usable = word(app).is_ok_and(|word| word == app) && !app.contains('_');
    usable
        .then(|| app.to_ascii_lowercase())
        .ok_or("write the name before .metered.live, one word of letters and digits")
}

pub(super) fn word(text: &str) -> Result<String, &'static str> {
    let id = text.trim();
    let usable = !id.is_empty()
        && id.len() <= 200
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if usable { Ok(id.to_owned()) } else { Err("copy it again, or write one word of letters and digits") }
}

/// What keys of a Redis begin with. Without a colon, so that no deployment's keys begin as another's do.
pub(super) fn redis_prefix(text: &str) -> Result<String, &'static str> {
    word(text)
        .ok()
        .filter(|word| word.len() <= 64)
        .ok_or("write one word of at most 64 letters, digits, dashes and underscores, such as tessro")
}

/// Takes the base with or without a trailing slash and with or without the API's version, as people copy it from either place.
pub(super) fn api_base(text: &str) -> Result<Url, &'static str> {
    let text = text.trim().trim_end_matches('/');
    let text = text.strip_suffix("/v1").unwrap_or(text);
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    Url::parse(text)
        .ok()
        .filter(usable)
        .filter(|url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none())
        .ok_or("write an address with scheme and host, such as https://api.example")
}
