//! The headers by which a proxy tells whose request it passes on.

use axum::http::{HeaderMap, HeaderName};
use axum_client_ip::ClientIpSource;

/// Each, with the setting that reads it, the most telling first.
const HEADERS: [(HeaderName, Option<ClientIpSource>); 8] = [
    (HeaderName::from_static("cf-connecting-ip"), Some(ClientIpSource::CfConnectingIp)),
    (HeaderName::from_static("fly-client-ip"), Some(ClientIpSource::FlyClientIp)),
    (HeaderName::from_static("cloudfront-viewer-address"), Some(ClientIpSource::CloudFrontViewerAddress)),
    (HeaderName::from_static("true-client-ip"), Some(ClientIpSource::TrueClientIp)),
    (HeaderName::from_static("x-envoy-external-address"), Some(ClientIpSource::XEnvoyExternalAddress)),
    (HeaderName::from_static("x-real-ip"), Some(ClientIpSource::XRealIp)),
    (HeaderName::from_static("x-forwarded-for"), Some(ClientIpSource::RightmostXForwardedFor)),
    // Nothing reads it, but whoever writes it passes requests on.
    (HeaderName::from_static("forwarded"), None),
];

/// Which of them stand in a request: none, unless a proxy passed it on, or somebody pretends to be one.
pub fn arrived(headers: &HeaderMap) -> Vec<HeaderName> {
    HEADERS.into_iter().map(|(name, _)| name).filter(|name| headers.contains_key(name)).collect()
}

/// The header that this setting reads; `None` for the connection itself.
pub fn header_of(source: &ClientIpSource) -> Option<HeaderName> {
    HEADERS.into_iter().find(|(_, reads)| reads.as_ref() == Some(source)).map(|(name, _)| name)
}

/// The setting that reads the most telling of these headers.
pub fn source_of<'a>(headers: impl IntoIterator<Item = &'a str> + Clone) -> Option<ClientIpSource> {
    let is_there = |name: &HeaderName| headers.clone().into_iter().any(|header| name == header);
    HEADERS.into_iter().find(|(name, source)| source.is_some() && is_there(name)).and_then(|(_, source)| source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_but_the_connection_reads_a_header() {
        for text in [
            "CfConnectingIp",
            "CloudFrontViewerAddress",
            "FlyClientIp",
            "RightmostXForwardedFor",
            "TrueClientIp",
            "XEnvoyExternalAddress",
            "XRealIp",
        ] {
            let source: ClientIpSource = text.parse().unwrap();
            let header = header_of(&source).unwrap();
            assert_eq!(source_of([header.as_str()]), Some(source), "{text}");
        }
        assert_eq!(header_of(&ClientIpSource::ConnectInfo), None);
        assert_eq!(source_of(["forwarded"]), None);
        assert_eq!(source_of(["x-forwarded-for", "cf-connecting-ip"]), Some(ClientIpSource::CfConnectingIp));
    }
}
