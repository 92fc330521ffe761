//! Tickets for the live line. A socket carries no headers of ours, and the token belongs into no address: so a request with the
//! token gets a ticket, and the socket's first message is that ticket. Each opens one socket, once, and lapses soon.

use crate::domain::Now;
use crate::protocol::AdminTicket;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a ticket is good.
const GOOD_FOR: Duration = Duration::from_secs(30);

/// More than operators need; the oldest are dropped.
const MOST: usize = 64;

/// Those that were given out and not used. Kept as digests, so that finding one tells nothing by the time it takes.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<BTreeMap<[u8; 32], Now>>);

impl Tickets {
    /// A new one, from so much randomness.
    pub fn give(&self, bits: u128, now: Now) -> AdminTicket {
        let ticket = format!("{bits:032x}");
        let mut given = self.given();
        given.retain(|_, until| *until > now);
        if given.len() >= MOST
            && let Some(oldest) = given.iter().min_by_key(|(_, until)| **until).map(|(digest, _)| *digest)
        {
            given.remove(&oldest);
        }
        given.insert(digest(&ticket), now + GOOD_FOR);
        AdminTicket { ticket }
    }

    /// Whether this is one; it is none from then on.
    pub fn take(&self, ticket: &AdminTicket, now: Now) -> bool {
        self.given().remove(&digest(&ticket.ticket)).is_some_and(|until| until > now)
    }

    /// Drops those that have lapsed.
    pub fn forget_idle(&self, now: Now) {
        self.given().retain(|_, until| *until > now);
    }

    fn given(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Now>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_ticket_is_good_once_and_for_half_a_minute() {
        let tickets = Tickets::default();
        let (first, second) = (tickets.give(7, at(0)), tickets.give(8, at(0)));
        assert_eq!(first.ticket.len(), 32);
        assert!(tickets.take(&first, at(29)) && !tickets.take(&first, at(29)));
        assert!(!tickets.take(&second, at(30)));
        assert!(!tickets.take(&AdminTicket { ticket: String::new() }, at(0)));
    }

    #[test]
    fn there_are_never_more_than_a_few() {
        let tickets = Tickets::default();
        let first = tickets.give(0, at(0));
        for bits in 1..1_000 {
            tickets.give(bits, at(1));
        }
        assert!(tickets.given().len() <= MOST && !tickets.take(&first, at(2)));
        tickets.forget_idle(at(31));
        assert!(tickets.given().is_empty());
    }
}
