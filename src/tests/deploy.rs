//! What is in `deploy/` says what the guides and the settings say. Proxies are tried in [`super::proxies`].

use super::doctor::coturn::{Coturn, SECRET, own_address};
use crate::server::relay::is_of_the_open_internet;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The settings of the guide's coturn, or of the composition's, by name: with what is behind the sign, one of them or several.
fn settings(of: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut settings = BTreeMap::<_, BTreeSet<_>>::new();
    for line in of.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        settings.entry(name.to_owned()).or_default().insert(value.to_owned());
    }
    settings
}

fn guide() -> String {
    read("docs/coturn.md").split_once("```conf\n").unwrap().1.split_once("```").unwrap().0.to_owned()
}

fn composed() -> String {
    read("deploy/compose.yaml").split_once("  turnserver:\n    content: |\n").unwrap().1.to_owned()
}

/// The addresses from the first to the last that coturn refuses.
fn denied() -> Vec<(IpAddr, IpAddr)> {
    let range = |text: &String| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        (first.parse().unwrap(), last.parse().unwrap())
    };
    settings(&composed())["denied-peer-ip"].iter().map(range).collect()
}

#[test]
fn the_composition_has_the_coturn_of_the_guide() {
    let (composed, guide) = (settings(&composed()), settings(&guide()));
    // What belongs to a machine, to TLS, which the proxy has there, or to a system's log; and how many may be served.
    let own = ["realm", "static-auth-secret", "external-ip", "allowed-peer-ip", "redis-statsdb", "no-tls", "no-dtls"];
    let of_a_package = ["server-name", "tls-listening-port", "cert", "pkey", "no-tlsv1", "no-tlsv1_1", "syslog"];
    let amounts = ["max-port", "total-quota"];
    let names: BTreeSet<_> = composed.keys().chain(guide.keys()).collect();
    for name in names {
        if own.iter().chain(&of_a_package).chain(&amounts).all(|other| other != name) {
            assert_eq!(composed.get(name), guide.get(name), "{name}");
        }
    }
    assert!(amounts.iter().chain(&own[..2]).all(|name| composed.contains_key(*name) && guide.contains_key(*name)));
    assert!(!composed["allowed-peer-ip"].is_empty() && !guide["allowed-peer-ip"].is_empty());
}

#[test]
fn no_secret_of_the_composition_stands_on_a_command_line() {
    let text = read("deploy/compose.yaml");
    let services = text.split_once("\nconfigs:").unwrap().0;
    for (number, line) in services.lines().enumerate() {
        let is_environment = line.contains("COTURN_SHARED_SECRET: ") || line.contains("COTURN_REDIS_URL: ");
        let is_secret = line.contains("${COTURN_SHARED_SECRET") || line.contains("${VALKEY_PASSWORD");
        assert!(is_environment || !is_secret, "line {}: {line}", number + 1);
    }
}

#[test]
fn coturn_is_kept_out_of_what_our_relay_is_kept_out_of() {
    let denied = denied();
    let open = is_of_the_open_internet;
    for (first, last) in &denied {
        assert!(first <= last && !open(*first) && !open(*last), "{first} to {last}");
    }
    let is_denied = |ip: IpAddr| denied.iter().any(|(first, last)| (*first..=*last).contains(&ip));
    let lows = [0, 0x00ff, 0x0100, 0x0200, 0x02ff, 0x0300, 0x6300, 0x6400, 0x6500, 0x7100, 0x71ff, 0x7200];
    let lows = [&lows[..], &[0x810f, 0x8110, 0x8111, 0xff00, 0xffff]].concat();
    for high in 0..=u32::from(u16::MAX) {
        for low in &lows {
            let v4 = IpAddr::from(Ipv4Addr::from_bits((high << 16) | low));
            assert_eq!(open(v4), !is_denied(v4), "{v4}");
        }
    }
    // The first of each range, the last, and those beside them.
    let starts = [0, 0x0064, 0x0100, 0x2001, 0x2002, 0x3fff, 0x5f00, 0xfc00, 0xfe00, 0xfe80, 0xfec0, 0xff00, 0xffff];
    let firsts = starts.into_iter().flat_map(|start: u16| [start.wrapping_sub(1), start, start.wrapping_add(1)]);
    for first in firsts {
        for second in [0, 1, 0x01ff, 0x0200, 0x0db8, 0x0ec2, 0x0fff, 0x1000, 0xff9b, u16::MAX] {
            for third in [0, 1, 2, u16::MAX] {
                for rest in [[0; 5], [0, 0, 0, 0, 1], [0, 0, 0xffff, 0x0808, 0x0808], [u16::MAX; 5]] {
                    let mut words = [first, second, third, 0, 0, 0, 0, 0];
                    words[3..].copy_from_slice(&rest);
                    let v6 = IpAddr::from(words);
                    assert_eq!(open(v6), !is_denied(v6), "{v6}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_coturn_of_the_composition_carries_packets_and_no_tcp() {
    let text = composed();
    // What is another one on this machine; the loopback addresses that it is tried at are refused like the rest otherwise.
    let elsewhere = ["static-auth-secret", "realm", "external-ip", "listening-port", "min-port", "max-port", "no-cli"];
    let elsewhere = [&elsewhere[..], &["allowed-peer-ip", "redis-statsdb", "no-dtls"]].concat();
    let shipped = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let shipped = shipped.filter(|line| elsewhere.iter().all(|name| line.split('=').next() != Some(name)));
    let address = own_address();
    let allowed = format!("allowed-peer-ip={address}");
    let secret = format!("static-auth-secret={SECRET}");
    let settings: Vec<_> = shipped.chain([allowed.as_str(), secret.as_str(), "allow-loopback-peers"]).collect();
    let coturn = Coturn::start_at(address, &settings).await;
    let ask = |how: &'static [&'static str]| {
        let address = coturn.address.to_string();
        let mut client = Command::new("turnutils_uclient");
        client.args(["-W", SECRET, "-u", "tried", "-y", "-c", "-n", "2", "-m", "1", "-p", "3478"]).args(how);
        client.arg(address).stdin(Stdio::null());
        let asked = tokio::task::spawn_blocking(move || client.output());
        async move {
            let output = tokio::time::timeout(Duration::from_secs(30), asked).await.unwrap().unwrap().unwrap();
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        }
    };
    let packets = ask(&[]).await;
    assert!(packets.contains("tot_recv_msgs=") || packets.contains("tot_recv_msgs ~"), "{packets}\n{}", coturn.log());
    let streams = ask(&["-T"]).await;
    assert!(streams.contains("error 442") || streams.contains("error 400"), "{streams}\n{}", coturn.log());
}

#[test]
fn the_composition_builds_with_its_commit_and_keeps_the_server_where_the_proxy_looks() {
    let (text, image) = (read("deploy/compose.yaml"), read("deploy/Dockerfile"));
    let server = text.split_once("\n  tessro:\n").unwrap().1.split_once("\n  valkey:\n").unwrap().0;
    let environment = server.split_once("    environment:\n").unwrap().1;
    // Names that the template gives values to, which the file of settings may have as well.
    for line in ["PORT: \"3001\"", "HOST: 0.0.0.0", "DATA_DIR: /data"] {
        assert!(environment.lines().any(|own| own.trim() == line), "{line} is missing");
    }
    assert!(text.contains("--to tessro:3001") && image.contains("VOLUME /data") && image.contains("ARG TESSRO_COMMIT"));
    assert!(server.contains("        TESSRO_COMMIT: ${TESSRO_COMMIT:-}\n"));
}

/// What stands in the section of a unit that says how it runs.
fn service(unit: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = read(&format!("deploy/{unit}.service"));
    settings(text.split_once("[Service]").unwrap().1.split_once("[Install]").unwrap().0)
}

#[test]
fn the_relay_of_its_own_is_shut_in_like_the_app() {
    let (mut app, mut relay) = (service("tessro"), service("tessro-relay"));
    // What each does.
    app.remove("ExecStart");
    relay.remove("ExecStart");
    assert_eq!(app, relay);
    assert!(app["ProtectSystem"].contains("strict") && app["RestrictSUIDSGID"].contains("yes"));
}

#[test]
fn systemd_understands_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let units = ["tessro", "tessro-relay"].map(|unit| {
        let path = folder.path().join(format!("{unit}.service"));
        // The release is not on this machine, and a unit is wrong without its program.
        let text = read(&format!("deploy/{unit}.service")).replace("/usr/local/bin/tessro", "/bin/true");
        fs::write(&path, text).unwrap();
        path
    });
    let output = Command::new("systemd-analyze").arg("verify").args(units).output();
    let output =
        output.unwrap_or_else(|error| panic!("systemd-analyze is needed ({error}): run script/bootstrap native"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("tessro"), "{text}");
}

#[test]
fn whatever_sets_a_variable_sets_one_that_there_is() {
    // Where the composition's own are, and Docker's.
    let others = ["DOMAIN", "PUBLIC_ADDRESS", "VALKEY_PASSWORD", "TESSRO_CACHE", "TESSRO_COMMIT"];
    let example = read(".env.example");
    let known = |name: &str| {
        others.contains(&name)
            || example.lines().any(|line| line.trim_start_matches('#').starts_with(&format!("{name}=")))
    };
    let is_name = |word: &&str| {
        word.len() > 3
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    };
    let mut seen = 0;
    for path in [
        "deploy/compose.yaml",
        "deploy/Dockerfile",
        "deploy/tessro.service",
        "deploy/tessro-relay.service",
        "deploy/proxies/nginx.conf",
        "deploy/proxies/Caddyfile",
        "deploy/proxies/haproxy.cfg",
        "deploy/proxies/apache.conf",
    ] {
        let text = read(path);
        // `NAME: value`, `NAME=value` and `${NAME}`.
        for line in text.lines() {
            let set = line.split([' ', '{', '"']).filter_map(|word| word.split_once([':', '=', '}']));
            for name in set.map(|(name, _)| name).filter(is_name) {
                assert!(known(name), "{path} speaks of {name}, which is no setting");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} names are too few: are they still written so?");
}
