//! What is read about the built-in relay, and the sentences that answer what makes no sense.

use super::*;
use crate::domain::ProviderKind;
use secrecy::ExposeSecret;
use std::{collections::HashMap, net::IpAddr};

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let read = Config::read(["tessro".into()], |name| variables.get(name).map(OsString::from));
    read.map(|(_, config)| config).map_err(|error| error.to_string())
}

#[test]
fn nothing_set_is_a_relay_in_this_process_at_the_end_of_the_line() {
    let config = read(&[]).unwrap();
    let relay = &config.relay;
    assert_eq!((relay.place, relay.port, relay.ports.clone()), (RelayPlace::Here, 3478, 49_152..=65_535));
    assert_eq!((relay.public_address, relay.tls_port, relay.development), (None, None, false));
    assert!(relay.secret.is_none() && relay.clients.is_empty());
    let coturn = [("COTURN_URLS", "turn:a.example"), ("COTURN_SHARED_SECRET", "s")];
    let kinds = |config: Config| config.providers.iter().map(|(name, _)| name.kind()).collect::<Vec<_>>();
    assert_eq!(kinds(read(&coturn).unwrap()), [ProviderKind::Coturn, ProviderKind::Relay]);
    let turned = read(&[&coturn[..], &[("TURN_PROVIDERS", "relay,coturn")]].concat());
    assert_eq!(kinds(turned.unwrap()), [ProviderKind::Relay, ProviderKind::Coturn]);
    assert_eq!(kinds(read(&[("TURN_RELAY", "off")]).unwrap()), []);
}

#[test]
fn everything_about_it_can_be_set() {
    let set = [
        ("TURN_RELAY_PORT", "443"),
        ("TURN_RELAY_PORTS", "50000-50999"),
        ("TURN_RELAY_PUBLIC_ADDRESS", "2a00::1, 1.2.3.4"),
        ("TURN_RELAY_NAME", "Turn.example"),
        ("TURN_RELAY_TLS_PORT", "5349"),
        ("TLS_CERT", "/etc/cert.pem"),
        ("TLS_KEY", "/etc/key.pem"),
        ("TURN_RELAY_DEVELOPMENT", "1"),
        ("TURN_RELAY_SECRET", "relay-secret,old"),
        ("TURN_RELAY_CONTROL", "10.0.0.5:3480"),
        ("TURN_RELAY_REFUSED_PEERS", "8.8.0.0/16,2001:db8::/32"),
        ("TURN_RELAY_ALLOWED_PEERS", "10.1.0.0/16"),
        ("TURN_RELAY_CLIENTS", "1.2.3.0/24"),
    ];
    let config = read(&set).unwrap();
    assert!(!format!("{config:?}").contains("relay-secret"));
    let relay = config.relay;
    let data = Path::new("/data");
    assert_eq!(relay.control(data), ControlPlace::Address("10.0.0.5:3480".into()));
    assert_eq!(read(&[]).unwrap().relay.control(data), ControlPlace::Socket("/data/relay.sock".into()));
    assert_eq!((relay.port, relay.ports, relay.tls_port), (443, 50_000..=50_999, Some(5349)));
    let addresses: Vec<_> = relay.public_address.unwrap().addresses().collect();
    assert_eq!(addresses, ["1.2.3.4", "2a00::1"].map(|text| text.parse::<IpAddr>().unwrap()));
    assert_eq!((relay.name.as_deref(), relay.development), (Some("turn.example"), true));
    assert_eq!(relay.secret.unwrap().expose_secret(), "relay-secret,old");
    let held = |text: &str| text.parse().unwrap();
    assert!(relay.refused_peers.hold(held("8.8.8.8")) && relay.allowed_peers.hold(held("10.1.2.3")));
    assert!(relay.clients.hold(held("1.2.3.9")) && !relay.clients.hold(held("1.2.4.9")));
}

#[test]
fn what_makes_no_sense_is_named_with_what_to_write_instead() {
    let wrong = [
        ("TURN_RELAY", "yes"),
        ("TURN_RELAY_PORT", "53"),
        ("TURN_RELAY_PORT", "1023"),
        ("TURN_RELAY_PORT", "65536"),
        ("TURN_RELAY_PORTS", "50000"),
        ("TURN_RELAY_PORTS", "1000-2000"),
        ("TURN_RELAY_PORTS", "60000-50000"),
        ("TURN_RELAY_PUBLIC_ADDRESS", "turn.example"),
        ("TURN_RELAY_PUBLIC_ADDRESS", "0.0.0.0"),
        ("TURN_RELAY_PUBLIC_ADDRESS", "1.2.3.4,1.2.3.5"),
        ("TURN_RELAY_NAME", "https://turn.example"),
        ("TURN_RELAY_NAME", "turn.example:3478"),
        ("TURN_RELAY_NAME", "1.2.3.4"),
        ("TURN_RELAY_TLS_PORT", "25"),
        ("TURN_RELAY_DEVELOPMENT", "maybe"),
        ("TURN_RELAY_REFUSED_PEERS", "10.0.0.1/8"),
        ("TURN_RELAY_ALLOWED_PEERS", "10.0.0.0/33"),
        ("TURN_RELAY_CLIENTS", "office"),
        ("TURN_RELAY_CONTROL", "10.0.0.5"),
        ("TURN_RELAY_CONTROL", "10.0.0.5:0"),
        ("TURN_PROVIDERS", "relay:eu"),
    ];
    for (variable, value) in wrong {
        let sentence = read(&[(variable, value)]).unwrap_err();
        assert!(sentence.starts_with(&format!("{variable} is `{value}`: ")), "{sentence}");
        assert!(sentence.contains("write"), "{sentence}");
    }
}

#[test]
fn settings_that_exclude_each_other_are_refused() {
    let sentence = read(&[("TURN_RELAY", "off"), ("TURN_PROVIDERS", "relay")]).unwrap_err();
    assert!(sentence.contains("TURN_PROVIDERS names relay, but TURN_RELAY is off"), "{sentence}");
    let sentence = read(&[("TURN_RELAY", "external")]).unwrap_err();
    assert!(sentence.contains("neither TURN_RELAY_PUBLIC_ADDRESS nor TURN_RELAY_NAME"), "{sentence}");
    assert_eq!(
        read(&[("TURN_RELAY", "external"), ("TURN_RELAY_NAME", "a.example")]).unwrap().relay.place,
        RelayPlace::External
    );
    let sentence = read(&[("TURN_RELAY_SECRET", " , ")]).unwrap_err();
    assert!(sentence.contains("TURN_RELAY_SECRET has a value that cannot be used"), "{sentence}");
    for (present, missing) in [("TLS_CERT", "TLS_KEY"), ("TLS_KEY", "TLS_CERT"), ("TURN_RELAY_TLS_PORT", "TLS_CERT")] {
        let sentence = read(&[(present, "443")]).unwrap_err();
        assert!(sentence.starts_with(&format!("{present} is set but {missing} is not")), "{sentence}");
    }
    let sentence = read(&[("TURN_RELAY_SECRET", "two words")]).unwrap_err();
    assert!(sentence.starts_with("TURN_RELAY_SECRET has") && !sentence.contains("words"), "{sentence}");
}
