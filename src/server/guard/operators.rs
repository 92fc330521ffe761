//! Who has `ADMIN_TOKEN`, compared in constant time, and how often somebody who has it not may try.
//!
//! Whoever is let in costs nothing; whoever is not has one try less, by address. The token is never logged, nor what was sent in
//! its place.

use super::{ClientAddress, Tries};
use crate::domain::Now;
use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Wrong tokens from one address at once, and how often one more.
const TRIES: (u32, Duration) = (10, Duration::from_secs(30));

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLetIn {
    /// There is no token, so nobody is.
    NoToken,
    /// It is another one, or none was sent.
    WrongToken,
    /// Too many wrong ones; the next try is in so long.
    TooMany(Duration),
}

/// The door for operators.
#[derive(Debug)]
pub struct Operators {
    token: Option<SecretString>,
    tries: Tries,
}

impl Operators {
    /// A door that this token opens, or nothing.
    pub fn new(token: Option<SecretString>) -> Self {
        Self { token, tries: Tries::new(TRIES.0, TRIES.1) }
    }

    /// Whether there is a token.
    pub fn is_guarded(&self) -> bool {
        self.token.is_some()
    }

    /// Whether a request with these headers is an operator's.
    pub fn let_in(&self, headers: &HeaderMap, from: ClientAddress, now: Now) -> Result<(), NotLetIn> {
        let token = self.token.as_ref().ok_or(NotLetIn::NoToken)?;
        if !self.tries.left(from, now) {
            return Err(NotLetIn::TooMany(TRIES.1));
        }
        if has_token(token, headers) {
            return Ok(());
        }
        self.tries.spend(from, now);
        Err(NotLetIn::WrongToken)
    }

    /// Drops the addresses that may try as often as any.
    pub fn forget_idle(&self, now: Now) {
        self.tries.forget_idle(now);
    }
}

/// Whether the headers bring this token, as `Authorization: Bearer`.
fn has_token(token: &SecretString, headers: &HeaderMap) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.is_some_and(|(_, sent)| bool::from(sent.trim().as_bytes().ct_eq(token.expose_secret().as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::net::IpAddr;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn from(last: u8) -> ClientAddress {
        IpAddr::from([192, 0, 2, last]).into()
    }

    fn sending(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))])
    }

    fn door() -> Operators {
        Operators::new(Some("north-north-north".into()))
    }

    #[test]
    fn the_token_opens_and_nothing_else_does() {
        let door = door();
        for right in ["Bearer north-north-north", "bearer north-north-north"] {
            assert_eq!(door.let_in(&sending(right), from(1), at(0)), Ok(()));
        }
        for wrong in ["Bearer north", "Basic north-north-north", "north-north-north", "Bearer", "Bearer "] {
            assert_eq!(door.let_in(&sending(wrong), from(1), at(0)), Err(NotLetIn::WrongToken), "{wrong}");
        }
        assert_eq!(door.let_in(&HeaderMap::new(), from(1), at(0)), Err(NotLetIn::WrongToken));
        assert_eq!(Operators::new(None).let_in(&sending("Bearer x"), from(1), at(0)), Err(NotLetIn::NoToken));
    }

    #[test]
    fn who_guesses_waits_and_others_do_not() {
        let door = door();
        for _ in 0..1_000 {
            assert_eq!(door.let_in(&sending("Bearer north-north-north"), from(1), at(0)), Ok(()));
        }
        for _ in 0..10 {
            assert_eq!(door.let_in(&sending("Bearer no"), from(1), at(0)), Err(NotLetIn::WrongToken));
        }
        let too_many = Err(NotLetIn::TooMany(Duration::from_secs(30)));
        assert_eq!(door.let_in(&sending("Bearer north-north-north"), from(1), at(29)), too_many, "the right one too");
        assert_eq!(door.let_in(&sending("Bearer north-north-north"), from(2), at(29)), Ok(()));
        assert_eq!(door.let_in(&sending("Bearer north-north-north"), from(1), at(30)), Ok(()));
        door.forget_idle(at(1_000));
    }
}
