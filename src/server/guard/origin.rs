//! Which pages may talk to us.
//!
//! Browsers say in `Origin` which page opens a socket or sends a request elsewhere, and a page cannot forge it. Programs
//! need not send it and could send anything, so a missing one passes: the check keeps other sites' pages from acting in a
//! visitor's name, nothing more.
//!
//! Where `CLIENT_URL` is unset our pages are those of the address that the request itself names, and a name can be led anywhere by whoever
//! owns it: a page of `http://evil.net` whose name comes to mean this machine a moment later would be one of ours (DNS rebinding). So over
//! plain HTTP the name has to be one that nobody can own. Over TLS a certificate says whose it is.

use axum::http::{HeaderMap, HeaderValue, header};
use std::{
    fmt, fs,
    net::Ipv4Addr,
    sync::{LazyLock, Once},
};
use url::Url;

/// Ends of names that nobody can own (RFC 2606, 6761, 6762, 8375, and ICANN's resolution of 2024 for `internal`).
const NOBODYS: [&str; 10] = [
    "localhost",
    "local",
    "home.arpa",
    "internal",
    "test",
    "example",
    "invalid",
    "example.com",
    "example.net",
    "example.org",
];

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

/// Why a page may do nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It is another site's.
    Elsewhere,
    /// It came over plain HTTP by a name that somebody could own and lead here, and `CLIENT_URL` does not say that it is ours.
    Unnamed,
}

impl Foreign {
    /// What the page is told; `elsewhere` is for pages of other sites, as each place puts it.
    pub fn message(self, elsewhere: &'static str) -> &'static str {
        match self {
            Self::Elsewhere => elsewhere,
            Self::Unnamed => {
                "This server does not know that it has this name. Set CLIENT_URL to the address that people open, such as \
                 http://films.lan:3001, and start it again; or open the app by the machine's IP address."
            }
        }
    }
}

/// Whether a request with these headers comes from one of our pages, or from no page at all. Ours are those of
/// `client_url`, and where that is unset those of the address that the request itself is sent to.
pub fn check(headers: &HeaderMap, client_url: Option<&Origin>) -> Result<(), Foreign> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok().and_then(Origin::parse).ok_or(Foreign::Elsewhere)?;
    let ours = match client_url {
        Some(ours) => origin == *ours,
        None => is_of_host(&origin, headers),
    };
    if !ours {
        return Err(Foreign::Elsewhere);
    }
    if client_url.is_some() || origin.is_https() || is_nobodys(origin.host(), own_name()) {
        return Ok(());
    }
    warn();
    Err(Foreign::Unnamed)
}

/// Once: whoever leads names here can do so as often as they like.
fn warn() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| tracing::warn!("A page was turned away. {}", Foreign::Unnamed.message("")));
}

fn is_of_host(origin: &Origin, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // Read with the page's scheme, so that its default port may be written or not.
    let scheme = origin.text.split("://").next().unwrap_or_default();
    host.and_then(|host| Origin::parse(&format!("{scheme}://{host}"))).is_some_and(|ours| ours == *origin)
}

/// Whether nobody elsewhere can make this mean what they like: an address, a name without a dot, one that nobody can own, or the
/// machine's own.
fn is_nobodys(host: &str, own: Option<&str>) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let ends_in = |end: &&str| host.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_address = host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok();
    is_address || !host.contains('.') || NOBODYS.iter().any(ends_in) || own == Some(host)
}

/// What the machine is called, where the system says so in a file.
fn own_name() -> Option<&'static str> {
    static NAME: LazyLock<Option<String>> = LazyLock::new(|| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
    });
    NAME.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(origin: Option<&'static str>, host: &'static str, client_url: Option<&str>) -> Result<(), Foreign> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        super::check(&headers, client_url.and_then(Origin::parse).as_ref())
    }

    fn check(origin: Option<&'static str>, host: &'static str, client_url: Option<&str>) -> bool {
        judge(origin, host, client_url).is_ok()
    }

    #[test]
    fn without_a_client_url_a_name_that_somebody_could_lead_here_is_not_ours_over_plain_http() {
        assert_eq!(judge(Some("http://evil.net:3001"), "evil.net:3001", None), Err(Foreign::Unnamed));
        assert_eq!(judge(Some("http://evil.net"), "evil.net:80", None), Err(Foreign::Unnamed));
        assert_eq!(judge(Some("http://evil.net"), "127.0.0.1:3001", None), Err(Foreign::Elsewhere));
        assert!(check(Some("https://films.net"), "films.net", None), "whose a name is a certificate says");
        assert!(check(Some("http://films.net:3001"), "10.0.0.5:3001", Some("http://films.net:3001")));
        assert!(check(None, "evil.net:3001", None), "no page at all");
        for ours in ["10.0.0.5:3001", "[fd00::5]:3001", "localhost:3001", "tessro:3001", "films.local:3001"] {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static(ours)),
                (header::ORIGIN, HeaderValue::from_str(&format!("http://{ours}")).unwrap()),
            ]);
            assert_eq!(super::check(&headers, None), Ok(()), "{ours}");
        }
    }

    #[test]
    fn nobody_can_own_an_address_a_reserved_name_or_the_machine_s_own() {
        for host in
            ["192.0.2.1", "[::1]", "films", "a.localhost", "Films.local", "nas.home.arpa", "example.com", "a.test."]
        {
            assert!(is_nobodys(&host.to_ascii_lowercase(), None), "{host}");
        }
        for host in
            ["evil.net", "local.net", "notlocal.evil", "1.2.3.4.nip.io", "evilexample.com", "127.0.0.1.evil.net"]
        {
            assert!(!is_nobodys(host, Some("films.house.net")), "{host}");
        }
        assert!(is_nobodys("films.house.net", Some("films.house.net")));
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
