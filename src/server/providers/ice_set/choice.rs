//! Which addresses a browser is given when there are more than it can use.
//!
//! Every address costs a browser time while it looks for a way: Firefox complains from five on, and was seen to take
//! 13 s with six. What makes a difference is the way through a firewall: UDP for speed, TLS on 443 where all else is closed,
//! TCP between the two, and STUN, which a relay over UDP answers as well. So one of each, in that order of worth.

use super::{
    IceSet,
    url::{IceUrl, Scheme},
};
use crate::protocol::IceServer;
use std::collections::BTreeSet;

/// Where an address stands: which set, which server of it, which URL of that.
type Place = (usize, usize, usize);

/// What an address is good for, the most useful first.
const USES: [fn(&IceUrl) -> Option<u8>; 4] = [over_udp, through_a_firewall, over_tcp, stun];

/// Sets take turns, each with the best it has left, until there are `most` or none is left.
pub(super) fn best_of(sets: &[&IceSet], most: usize) -> IceSet {
    let mut queues: Vec<_> = sets.iter().enumerate().map(|(set, servers)| by_worth(set, servers).into_iter()).collect();
    let (mut chosen, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while chosen.len() < most {
        let before = chosen.len();
        for queue in &mut queues {
            // Two accounts with one provider have the same addresses: another one is of more use than the same twice.
            let Some((place, _)) = queue.find(|(_, url)| seen.insert(url.clone())) else { continue };
            if chosen.len() < most {
                chosen.insert(place);
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    let mut servers = Vec::new();
    for (set, all) in sets.iter().enumerate() {
        for (index, server) in all.0.iter().enumerate() {
            let kept = |(place, _): &(usize, _)| chosen.contains(&(set, index, *place));
            let urls: Vec<_> = server.urls.iter().cloned().enumerate().filter(kept).map(|(_, url)| url).collect();
            if urls.is_empty() {
                continue;
            }
            // A login is for relays: with STUN alone it would only be shown around.
            let relays = urls.iter().any(|url| !url.starts_with("stun:"));
            let login = server.username.clone().zip(server.credential.clone()).filter(|_| relays);
            let (username, credential) = login.unzip();
            servers.push(IceServer { urls, username, credential });
        }
    }
    IceSet(servers)
}

/// The addresses of a set: the best one for each use, then the others as they come.
fn by_worth(set: usize, servers: &IceSet) -> Vec<(Place, String)> {
    let urls = servers.0.iter().enumerate().flat_map(|(server, entry)| {
        entry.urls.iter().enumerate().map(move |(place, text)| ((set, server, place), text.clone()))
    });
    let mut left: Vec<_> = urls.filter_map(|(place, text)| Some((IceUrl::parse(&text)?, (place, text)))).collect();
    let mut ordered = Vec::with_capacity(left.len());
    for rank in USES {
        // Of equals `min_by_key` takes the first.
        let fitting = left.iter().enumerate().filter_map(|(index, (url, _))| Some((rank(url)?, index)));
        if let Some((_, index)) = fitting.min_by_key(|(rank, _)| *rank) {
            ordered.push(left.remove(index).1);
        }
    }
    ordered.extend(left.into_iter().map(|(_, address)| address));
    ordered
}

fn over_udp(url: &IceUrl) -> Option<u8> {
    let fits = url.scheme == Scheme::Turn && url.transport != Some("tcp");
    fits.then(|| u8::from(!matches!(url.port, None | Some(3478))))
}

/// Looks like a web page to whoever is in between, or is at least where web pages are.
fn through_a_firewall(url: &IceUrl) -> Option<u8> {
    match (url.scheme, url.port, url.transport) {
        (Scheme::Turns, Some(443), _) => Some(0),
        (Scheme::Turns, _, _) => Some(1),
        (Scheme::Turn, Some(443), Some("tcp")) => Some(2),
        (Scheme::Turn | Scheme::Stun, _, _) => None,
    }
}

fn over_tcp(url: &IceUrl) -> Option<u8> {
    (url.scheme == Scheme::Turn && url.transport == Some("tcp")).then_some(0)
}

fn stun(url: &IceUrl) -> Option<u8> {
    (url.scheme == Scheme::Stun).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn set(urls: &[&str]) -> IceSet {
        IceSet::read(&json!({"urls": urls, "username": "u", "credential": "c"}))
    }

    fn chosen(sets: &[&[&str]], most: usize) -> Vec<String> {
        let sets: Vec<_> = sets.iter().map(|urls| set(urls)).collect();
        let best = best_of(&sets.iter().collect::<Vec<_>>(), most);
        best.to_servers().into_iter().flat_map(|server| server.urls).collect()
    }

    #[test]
    fn of_a_long_list_one_of_each_use_is_kept_in_order() {
        let cloudflare = [
            "stun:stun.cloudflare.com:3478",
            "turn:turn.cloudflare.com:443?transport=udp",
            "turn:turn.cloudflare.com:3478?transport=udp",
            "turn:turn.cloudflare.com:3478?transport=tcp",
            "turn:turn.cloudflare.com:80?transport=tcp",
            "turns:turn.cloudflare.com:5349?transport=tcp",
            "turns:turn.cloudflare.com:443?transport=tcp",
        ];
        let kept = [
            "stun:stun.cloudflare.com:3478",
            "turn:turn.cloudflare.com:3478?transport=udp",
            "turn:turn.cloudflare.com:3478?transport=tcp",
            "turns:turn.cloudflare.com:443?transport=tcp",
        ];
        assert_eq!(chosen(&[&cloudflare], 4), kept);
        let twilio = [
            "stun:global.stun.twilio.com:3478",
            "turn:global.turn.twilio.com:3478?transport=udp",
            "turn:global.turn.twilio.com:3478?transport=tcp",
            "turn:global.turn.twilio.com:443?transport=tcp",
        ];
        assert_eq!(chosen(&[&twilio], 4), twilio);
        assert_eq!(chosen(&[&["turn:a.example", "turn:b.example"]], 4), ["turn:a.example", "turn:b.example"]);
    }

    #[test]
    fn several_sets_share_and_what_one_leaves_another_takes() {
        let all =
            |host: &str| ["stun:H", "turn:H", "turn:H?transport=tcp", "turns:H:443"].map(|url| url.replace('H', host));
        let (a, b) = (all("a.example"), all("b.example"));
        let (a, b) = (a.each_ref().map(String::as_str), b.each_ref().map(String::as_str));
        let shared = ["turn:a.example", "turns:a.example:443", "turn:b.example", "turns:b.example:443"];
        assert_eq!(chosen(&[&a, &b], 4), shared);
        let left = ["turn:c.example", "turn:a.example", "turn:a.example?transport=tcp", "turns:a.example:443"];
        assert_eq!(chosen(&[&["turn:c.example"], &a], 4), left);
        let mut two_accounts_with_one_provider = chosen(&[&a, &a], 4);
        two_accounts_with_one_provider.sort_unstable();
        assert_eq!(two_accounts_with_one_provider, a, "none of them twice");
    }

    proptest! {
        #[test]
        fn as_many_as_are_allowed_and_never_without_a_relay(
            sets in prop::collection::vec(prop::collection::vec(
                prop::sample::select(vec![
                    "stun:a.example", "turn:a.example", "turn:a.example:443?transport=tcp", "turns:b.example:443",
                    "turn:b.example?transport=tcp", "stun:b.example", "turn:c.example:80", "turns:c.example",
                ]), 0..8), 0..4),
            most in 1_usize..6,
        ) {
            let sets: Vec<_> = sets.iter().map(|urls| set(urls)).filter(IceSet::has_relay).collect();
            let best = best_of(&sets.iter().collect::<Vec<_>>(), most);
            let urls: Vec<_> = best.to_servers().into_iter().flat_map(|server| server.urls).collect();
            let all: BTreeSet<_> = sets.iter().flat_map(IceSet::to_servers).flat_map(|server| server.urls).collect();
            prop_assert_eq!(urls.len(), all.len().min(most));
            prop_assert_eq!(best.has_relay(), !sets.is_empty());
            // What passed before passes again.
            prop_assert_eq!(IceSet::read(&serde_json::to_value(best.to_servers()).unwrap()), best);
        }
    }
}
