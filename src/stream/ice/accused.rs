//! Relays that fell silent, and their place among the ICE servers.
//!
//! Browsers give the candidates of an earlier server the higher priority, and leave a pair of higher priority only seconds after
//! it went silent. So a restart of ICE has the picture back sooner where the silent relay comes last.

use crate::protocol::IceServer;

/// Those of one provider's answers, the one that was accused last at the end.
#[derive(Debug, Default)]
pub(super) struct Accused(Vec<String>);

impl Accused {
    /// The first relay of these servers is silent, as far as anybody knows: it is the one that browsers prefer.
    pub(super) fn accuse_first(&mut self, servers: &mut [IceServer]) {
        let first = servers.iter().flat_map(|server| &server.urls).find_map(|url| relay(url)).map(str::to_owned);
        if let Some(first) = first {
            self.0.retain(|accused| *accused != first);
            self.0.push(first);
            self.put_last(servers);
        }
    }

    /// Others keep their order.
    pub(super) fn put_last(&self, servers: &mut [IceServer]) {
        let rank = |url: &String| {
            let place = relay(url).and_then(|relay| self.0.iter().position(|accused| accused == relay));
            place.map_or(0, |place| place + 1)
        };
        for server in &mut *servers {
            server.urls.sort_by_key(rank);
        }
        servers.sort_by_key(|server| server.urls.first().map(rank));
    }
}

/// The host and the port of a `turn:` or `turns:` URL (RFC 7065).
pub(super) fn relay(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    matches!(scheme, "turn" | "turns").then(|| rest.split('?').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(of: &[&[&str]]) -> Vec<IceServer> {
        let server = |urls: &&[&str]| IceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: None,
            credential: None,
        };
        of.iter().map(server).collect()
    }

    #[test]
    fn the_first_relay_comes_last_with_all_its_ways_and_back_again_when_the_others_are_silent_too() {
        let given: &[&[&str]] =
            &[&["stun:a", "turn:a:1?transport=udp", "turn:a:1?transport=tcp", "turn:b:2", "turns:c"]];
        let (mut accused, mut list) = (Accused::default(), servers(given));
        accused.accuse_first(&mut list);
        let expected: &[&[&str]] =
            &[&["stun:a", "turn:b:2", "turns:c", "turn:a:1?transport=udp", "turn:a:1?transport=tcp"]];
        assert_eq!(list, servers(expected));
        let mut renewed = servers(given);
        accused.put_last(&mut renewed);
        assert_eq!(renewed, servers(expected), "the next answer has them in the provider's order");
        accused.accuse_first(&mut list);
        accused.accuse_first(&mut list);
        assert_eq!(list, servers(given));
    }

    #[test]
    fn relays_with_credentials_of_their_own_change_places_and_without_any_nothing_does() {
        let mut accused = Accused::default();
        let mut list = servers(&[&["stun:s"], &["turn:a"], &["turn:b"]]);
        accused.accuse_first(&mut list);
        assert_eq!(list, servers(&[&["stun:s"], &["turn:b"], &["turn:a"]]));
        let mut none = servers(&[&["stun:s"]]);
        accused.accuse_first(&mut none);
        assert_eq!(none, servers(&[&["stun:s"]]));
    }
}
