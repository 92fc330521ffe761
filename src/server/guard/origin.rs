//! Which pages may talk to us.
//!
//! Browsers say in `Origin` which page opens a socket or sends a request elsewhere, and a page cannot forge it. Programs
//! need not send it and could send anything, so a missing one passes: the check keeps other sites' pages from acting in a
//! visitor's name, nothing more.

use axum::http::{HeaderMap, HeaderValue, header};
use std::fmt;
use url::Url;

/// Scheme, host and port, as browsers write it: `https://tessro.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    header: HeaderValue,
}

impl Origin {
    /// Reads an origin; `None` where there is more or less than one. A trailing slash does no harm.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let usable = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let text = url.origin().ascii_serialization();
        let header = HeaderValue::from_str(&text).ok()?;
        (bare && usable).then_some(Self { text, header })
    }

    /// The name or the address in it, an IPv6 one in brackets.
    pub fn host(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(']').map_or(0, |bracket| bracket + 1);
        rest[end..].find(':').map_or(rest, |colon| &rest[..end + colon])
    }

    /// Whether its pages come over TLS.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The origin as a header's value.
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a request with these headers comes from one of our pages, or from no page at all. Ours are those of
/// `client_url`, and where that is unset those of the address that the request itself is sent to.
pub fn allows(headers: &HeaderMap, client_url: Option<&Origin>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(Origin::parse) else {
        return false;
    };
    if let Some(ours) = client_url {
        return origin == *ours;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // Read with the page's scheme, so that its default port may be written or not.
    let scheme = origin.text.split("://").next().unwrap_or_default();
    host.and_then(|host| Origin::parse(&format!("{scheme}://{host}"))).is_some_and(|ours| ours == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&'static str>, host: &'static str, client_url: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        allows(&headers, client_url.and_then(Origin::parse).as_ref())
    }

    #[test]
    fn without_a_client_url_the_origin_has_to_be_the_host() {
        assert!(check(Some("http://127.0.0.1:3001"), "127.0.0.1:3001", None));
        assert!(check(Some("https://tessro.example"), "tessro.example", None));
        assert!(check(Some("https://tessro.example"), "tessro.example:443", None));
        assert!(check(None, "tessro.example", None));
        assert!(!check(Some("http://127.0.0.1:3002"), "127.0.0.1:3001", None));
        assert!(!check(Some("https://evil.example"), "tessro.example", None));
        assert!(!check(Some("null"), "tessro.example", None));
        assert!(!check(Some("https://tessro.example"), "tessro.example@evil.example", None));
    }

    #[test]
    fn with_a_client_url_the_origin_has_to_be_it() {
        let ours = Some("https://tessro.example/");
        assert!(check(Some("https://tessro.example"), "10.0.0.5:3001", ours));
        assert!(!check(Some("http://tessro.example"), "tessro.example", ours));
        assert!(!check(Some("http://10.0.0.5:3001"), "10.0.0.5:3001", ours));
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(Origin::parse("HTTPS://Tessro.example:443/").unwrap().to_string(), "https://tessro.example");
        for wrong in
            ["tessro.example", "https://a.example/app", "https://u@a.example", "ftp://a.example", "https://a/?q"]
        {
            assert!(Origin::parse(wrong).is_none(), "{wrong}");
        }
    }
}
