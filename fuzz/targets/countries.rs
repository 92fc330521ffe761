//! A file of countries (`GEOIP_FILE`). An operator brings it; what is broken in it must not take the server along.

#![no_main]

use axum::http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tessro::server::paths::Countries;

fuzz_target!(|bytes: &[u8]| {
    let Ok(countries) = Countries::in_file(bytes.to_vec()) else { return };
    let headers = HeaderMap::new();
    for address in [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::BROADCAST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
    ] {
        let _country = countries.of(&headers, address.into());
    }
});
