//! Nonces that the server does not have to remember.
//!
//! A nonce is the second it was made in and a keyed hash of that second and of the client it was made for. So it is good
//! for one client only, for an hour only, and a flood of requests for one leaves nothing behind. Knows nothing of what the
//! nonce is used for.

use super::client::Client;
use crate::domain::Now;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use std::{fmt, net::IpAddr, time::Duration};

/// How long a nonce is good. See <https://www.rfc-editor.org/rfc/rfc8656#section-5>: at least once an hour a new one.
pub(super) const LIFETIME: Duration = Duration::from_hours(1);

/// What a nonce that came back is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Ours, for this client, and young enough.
    Fresh,
    /// Ours, for this client, but too old.
    Stale,
    /// Not ours, or not for this client.
    Foreign,
}

/// Makes nonces and knows them again.
#[derive(Clone)]
pub(super) struct Nonces {
    keyed: Hmac<Sha1>,
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

impl Nonces {
    /// Nonces that nobody without these random bits can make.
    pub(super) fn new(key: [u8; 20]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let keyed = Hmac::new_from_slice(&key).expect("HMAC takes keys of every length");
        Self { keyed }
    }

    /// A nonce for this client: 8 digits of time, 32 of proof.
    pub(super) fn make(&self, client: &Client, now: Now) -> String {
        let second = seconds(now);
        format!("{second:08x}{:032x}", self.proof(client, second))
    }

    /// What this nonce is worth from this client.
    pub(super) fn judge(&self, nonce: &[u8], client: &Client, now: Now) -> Freshness {
        let Some((second, proof)) = read(nonce) else {
            return Freshness::Foreign;
        };
        // A plain comparison: a nonce is sent in clear, and guessing one is worth nothing without a password.
        if proof != self.proof(client, second) {
            return Freshness::Foreign;
        }
        let age = u64::from(seconds(now).wrapping_sub(second));
        if age <= LIFETIME.as_secs() { Freshness::Fresh } else { Freshness::Stale }
    }

    fn proof(&self, client: &Client, second: u32) -> u128 {
        let mut mac = self.keyed.clone();
        mac.update(&second.to_be_bytes());
        mac.update(&client.remote.port().to_be_bytes());
        match client.remote.ip() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        let tag = mac.finalize().into_bytes();
        tag.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
    }
}

fn read(nonce: &[u8]) -> Option<(u32, u128)> {
    let (second, proof) = std::str::from_utf8(nonce).ok()?.split_at_checked(8)?;
    if proof.len() != 32 {
        return None;
    }
    Some((u32::from_str_radix(second, 16).ok()?, u128::from_str_radix(proof, 16).ok()?))
}

/// Wraps after 136 years.
#[expect(clippy::cast_possible_truncation, reason = "differences are what counts, and they are short")]
fn seconds(now: Now) -> u32 {
    now.since(Now::default()).as_secs() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::relay::client::Leg;

    fn client(port: u16) -> Client {
        Client { remote: ([192, 0, 2, 1], port).into(), leg: Leg::Datagram { listener: 0, local: None } }
    }

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_nonce_is_good_for_its_client_for_an_hour() {
        let nonces = Nonces::new([7; 20]);
        let nonce = nonces.make(&client(1), at(10));
        assert_eq!(nonces.judge(nonce.as_bytes(), &client(1), at(10)), Freshness::Fresh);
        assert_eq!(nonces.judge(nonce.as_bytes(), &client(1), at(3610)), Freshness::Fresh);
        assert_eq!(nonces.judge(nonce.as_bytes(), &client(1), at(3611)), Freshness::Stale);
        assert_eq!(nonces.judge(nonce.as_bytes(), &client(2), at(10)), Freshness::Foreign);
        assert_eq!(Nonces::new([8; 20]).judge(nonce.as_bytes(), &client(1), at(10)), Freshness::Foreign);
    }

    #[test]
    fn what_is_no_nonce_is_foreign() {
        let nonces = Nonces::new([7; 20]);
        let other_time = nonces.make(&client(1), at(10)).replacen("0000000a", "0000000b", 1);
        for nonce in ["", "00", "äöü", "zzzzzzzz00000000000000000000000000000000", &other_time] {
            assert_eq!(nonces.judge(nonce.as_bytes(), &client(1), at(10)), Freshness::Foreign, "{nonce}");
        }
    }
}
