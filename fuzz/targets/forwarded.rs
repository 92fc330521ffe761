//! The headers by which proxies tell whose request they pass on, and `Origin` with its `Host`. The input is one value for each, by line.

#![no_main]

use axum::http::{header, HeaderMap, HeaderValue, Request};
use axum_client_ip::ClientIpSource;
use libfuzzer_sys::fuzz_target;
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tessro::server::{
    guard::{forwarded, origin, ClientAddress, Neighbourhood, Origin},
    paths::Country,
};

const SOURCES: [ClientIpSource; 7] = [
    ClientIpSource::RightmostXForwardedFor,
    ClientIpSource::CloudFrontViewerAddress,
    ClientIpSource::CfConnectingIp,
    ClientIpSource::FlyClientIp,
    ClientIpSource::TrueClientIp,
    ClientIpSource::XEnvoyExternalAddress,
    ClientIpSource::XRealIp,
];

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| HeaderValue::from_bytes(line).ok());
    let mut next = || lines.next().flatten();
    let told: Vec<_> = SOURCES.iter().map(|source| (source, next())).collect();
    for (source, value) in told {
        let (Some(name), Some(value)) = (forwarded::header_of(source), value) else { continue };
        let request = Request::builder().header(name, value).body(()).unwrap();
        if let Some(address) = at_once(ClientAddress::told(request.into_parts().0, source.clone())) {
            let address = ClientAddress::from(address);
            assert_eq!(ClientAddress::from(address.network()), address);
            assert_eq!(Neighbourhood::of(address).is_some(), address.network().is_ipv6());
        }
    }
    let mut headers = HeaderMap::new();
    for name in [header::ORIGIN, header::HOST] {
        headers.extend(next().map(|value| (name, value)));
    }
    let _judged = origin::check(&headers, None);
    let text = String::from_utf8_lossy(bytes);
    if let Some(origin) = Origin::parse(&text) {
        assert_eq!(Origin::parse(&origin.to_string()).as_ref(), Some(&origin));
        assert!(!origin.host().is_empty());
    }
    let _country = Country::parse(&text);
});

/// Nothing of this waits for anything.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}
