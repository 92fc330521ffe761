//! What a page says to the server, and what pages say to each other beside the film.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tessro::{
    protocol::{AdminAction, ClientMessage, SideMessage, UsageBeacon},
    server::{providers::IceSet, usage},
};

/// What is read is read again from what is written of it.
macro_rules! again {
    ($kind:ty, $text:expr) => {
        if let Ok(read) = serde_json::from_str::<$kind>($text) {
            let written = serde_json::to_string(&read).unwrap();
            let again: $kind = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
            assert_eq!(serde_json::to_string(&again).unwrap(), written);
        }
    };
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    again!(ClientMessage, &text);
    again!(SideMessage, &text);
    again!(AdminAction, &text);
    again!(UsageBeacon, &text);
    if let Ok(beacon) = serde_json::from_str::<UsageBeacon>(&text) {
        let _usable = beacon.reports.iter().filter(|report| usage::check(report).is_ok()).count();
    }
    if let Ok(answer) = serde_json::from_str::<Value>(&text) {
        let _servers = IceSet::read(&answer).to_servers();
    }
});
