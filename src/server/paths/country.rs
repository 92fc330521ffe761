//! A country, as a proxy in front says it or a file that the operator has, and nothing finer.

use crate::server::guard::ClientAddress;
use axum::http::{HeaderMap, HeaderName};
use maxminddb::{MaxMindDbError, PathElement, Reader};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Two capital letters (ISO 3166-1 alpha-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Country([u8; 2]);

/// What proxies say where they do not know (Cloudflare: `XX`, Tor: `T1`).
const UNKNOWN: [&str; 2] = ["XX", "ZZ"];

/// What tells which country a visitor is in. Clones share the file.
#[derive(Clone, Default)]
pub struct Countries {
    header: Option<HeaderName>,
    file: Option<Arc<Reader<Vec<u8>>>>,
}

/// The file of countries cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "GEOIP_FILE names {path}, which cannot be read as a file of countries ({cause}): give it a MaxMind DB with countries (.mmdb), or \
     leave it empty"
)]
pub struct CountriesError {
    path: PathBuf,
    cause: MaxMindDbError,
}

impl fmt::Debug for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Countries").field("header", &self.header).field("file", &self.file.is_some()).finish()
    }
}

impl Countries {
    /// A trusted header, a file in the format of `MaxMind` DB, both or neither. The file is read whole.
    pub fn open(header: Option<HeaderName>, file: Option<&Path>) -> Result<Self, CountriesError> {
        let read =
            |path: &Path| Reader::open_readfile(path).map_err(|cause| CountriesError { path: path.to_owned(), cause });
        Ok(Self { header, file: file.map(read).transpose()?.map(Arc::new) })
    }

    /// Those of a file that stands in memory, and no header.
    pub fn in_file(contents: Vec<u8>) -> Result<Self, MaxMindDbError> {
        Ok(Self { header: None, file: Some(Arc::new(Reader::from_source(contents)?)) })
    }

    /// Where a visitor is: as the proxy says, who knows best; else as the file has their address.
    pub fn of(&self, headers: &HeaderMap, from: ClientAddress) -> Option<Country> {
        self.told(headers).or_else(|| self.found(from))
    }

    fn told(&self, headers: &HeaderMap) -> Option<Country> {
        Country::parse(headers.get(self.header.as_ref()?)?.to_str().ok()?)
    }

    fn found(&self, from: ClientAddress) -> Option<Country> {
        let found = self.file.as_ref()?.lookup(from.network()).ok()?;
        let path = [PathElement::Key("country"), PathElement::Key("iso_code")];
        Country::parse(found.decode_path::<&str>(&path).ok()??)
    }
}

impl Country {
    /// Reads two letters. A region behind the country (`DE-BY`) is dropped; what is no country is none.
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
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_country_is_two_letters_and_no_more_is_kept() {
        for (text, country) in [("DE", "DE"), ("de", "DE"), ("DE-BY", "DE"), ("us_CA", "US")] {
            assert_eq!(Country::parse(text).map(|country| country.to_string()).as_deref(), Some(country), "{text}");
        }
        for none in ["", "D", "DEU", "XX", "T1", "Ü", "192.0.2.1", "München"] {
            assert_eq!(Country::parse(none), None, "{none}");
        }
    }

    fn at(address: &str) -> ClientAddress {
        ClientAddress::from(address.parse::<std::net::IpAddr>().unwrap())
    }

    #[test]
    fn without_a_header_that_is_trusted_nobody_is_anywhere() {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("cf-ipcountry"), "DE".parse().unwrap())]);
        let trusting = |header| Countries::open(header, None).unwrap().of(&headers, at("192.0.2.1"));
        assert_eq!(trusting(None), None);
        assert_eq!(trusting(Some(HeaderName::from_static("fly-region"))), None);
        assert!(trusting(Some(HeaderName::from_static("cf-ipcountry"))).is_some());
    }

    /// A map as a `MaxMind` DB has it (its specification, "Output Data Section"): a control byte with type and size, then keys
    /// and values.
    fn map(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut map = vec![(7 << 5) | u8::try_from(entries.len()).unwrap()];
        for (key, value) in entries {
            map.extend(text(key).iter().chain(*value));
        }
        map
    }

    fn text(text: &str) -> Vec<u8> {
        [&[(2 << 5) | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    /// 128.0.0.0/1 is in Germany, and nobody knows where the rest is.
    fn file() -> Vec<u8> {
        let country = map(&[("country", &map(&[("iso_code", &text("DE"))]))]);
        // One node of two records of 24 bits; 1 is nowhere, and data begins 16 bytes behind the tree.
        let tree = [0, 0, 1, 0, 0, 17];
        let number = |kind: u8, value: u8| vec![(kind << 5) | 1, value];
        let metadata = map(&[
            ("node_count", &number(6, 1)),
            ("record_size", &number(5, 24)),
            ("ip_version", &number(5, 4)),
            ("database_type", &text("Country")),
            ("languages", &[0, 4]),
            ("binary_format_major_version", &number(5, 2)),
            ("binary_format_minor_version", &[5 << 5]),
            ("build_epoch", &[1, 2, 1]),
            ("description", &map(&[])),
        ]);
        [&tree[..], &[0; 16], &country, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
    }

    #[test]
    fn a_file_tells_where_an_address_is_unless_the_proxy_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("countries.mmdb");
        std::fs::write(&path, file()).unwrap();
        let header = HeaderName::from_static("cf-ipcountry");
        let countries = Countries::open(Some(header.clone()), Some(&path)).unwrap();
        let found = |address| countries.of(&HeaderMap::new(), at(address)).map(|country| country.to_string());
        assert_eq!(found("192.0.2.1").as_deref(), Some("DE"));
        assert_eq!(found("10.0.0.1"), None, "it is not in the file");
        assert_eq!(found("2001:db8::1"), None, "the file knows IPv4 alone");
        let in_memory = Countries::in_file(file()).unwrap();
        assert_eq!(in_memory.of(&HeaderMap::new(), at("192.0.2.1")), Country::parse("DE"));
        let headers = HeaderMap::from_iter([(header, "FR".parse().unwrap())]);
        assert_eq!(countries.of(&headers, at("192.0.2.1")), Country::parse("FR"));
    }

    #[test]
    fn a_file_that_is_none_is_named_with_the_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("countries.mmdb");
        for contents in [None, Some(&b"no countries"[..])] {
            if let Some(contents) = contents {
                std::fs::write(&path, contents).unwrap();
            }
            let sentence = Countries::open(None, Some(&path)).unwrap_err().to_string();
            assert!(sentence.starts_with("GEOIP_FILE names ") && sentence.contains("leave it empty"), "{sentence}");
        }
    }

    proptest! {
        /// The file is read at the start and looked into for every visitor: a damaged one finds nobody, and stops nothing.
        #[test]
        fn no_file_with_wrong_bytes_breaks_a_parser(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
            whole in any::<bool>(),
            v4 in any::<u32>(),
            v6 in any::<u128>(),
        ) {
            let mut bytes = file();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if !whole {
                bytes.truncate(cut.index(bytes.len()));
            }
            let Ok(reader) = Reader::from_source(bytes) else { return Ok(()) };
            let countries = Countries { header: None, file: Some(Arc::new(reader)) };
            for address in [Ipv4Addr::from_bits(v4).into(), IpAddr::from(Ipv6Addr::from_bits(v6))] {
                let _nowhere_or_somewhere = countries.of(&HeaderMap::new(), ClientAddress::from(address));
            }
        }
    }
}
