//! A country, as a proxy in front says it, and nothing finer.

use axum::http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Two capital letters (ISO 3166-1 alpha-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Country([u8; 2]);

/// What proxies say where they do not know (Cloudflare: `XX`, Tor: `T1`).
const UNKNOWN: [&str; 2] = ["XX", "ZZ"];

impl Country {
    /// What the header says. A region behind the country (`DE-BY`) is dropped; what is no country is none.
    pub fn told(headers: &HeaderMap, header: Option<&HeaderName>) -> Option<Self> {
        Self::parse(headers.get(header?)?.to_str().ok()?)
    }

    /// Reads two letters.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split(['-', '_', ',', ' ']).next().unwrap_or_default().to_ascii_uppercase();
        let letters: [u8; 2] = word.as_bytes().try_into().ok()?;
        let known = letters.iter().all(u8::is_ascii_uppercase) && !UNKNOWN.contains(&word.as_str());
        known.then_some(Self(letters))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_letters_and_no_more_is_kept() {
        for (text, country) in [("DE", "DE"), ("de", "DE"), ("DE-BY", "DE"), ("us_CA", "US")] {
            assert_eq!(Country::parse(text).map(|country| country.to_string()).as_deref(), Some(country), "{text}");
        }
        for none in ["", "D", "DEU", "XX", "T1", "Ü", "192.0.2.1", "München"] {
            assert_eq!(Country::parse(none), None, "{none}");
        }
    }

    #[test]
    fn without_a_header_that_is_trusted_nobody_is_anywhere() {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("cf-ipcountry"), "DE".parse().unwrap())]);
        assert_eq!(Country::told(&headers, None), None);
        assert_eq!(Country::told(&headers, Some(&HeaderName::from_static("fly-region"))), None);
        assert!(Country::told(&headers, Some(&HeaderName::from_static("cf-ipcountry"))).is_some());
    }
}
