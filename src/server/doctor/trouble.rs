//! Why a step failed, in words, and what the operator does about it.
//!
//! Pure: knows what was seen and where, and nothing of how it was found out. No credential gets in here.

use crate::server::providers::Failure;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The name has no address.
    NoSuchName(String),
    /// Who knows names did not answer.
    NamesSilent,
    /// The machine is there and says that nothing listens.
    Refused,
    /// Nobody answered in time.
    Silent,
    /// The network said something else.
    Unreachable(String),
    /// The connection ended before there was an answer.
    HungUp,
    /// What answers is no relay.
    NotTurn,
    /// The certificate is not to be trusted.
    Certificate(Flaw),
    /// What answers speaks no TLS.
    NotTls(String),
    /// The clocks differ.
    ClockOff {
        /// By how much, where that can be told.
        by: Option<Duration>,
        /// Whose is ahead: ours, or theirs.
        ours_ahead: bool,
    },
    /// There is no credential, and what the provider says of it.
    NotMinted {
        /// Why not.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The relay said no, with a number of RFC 8656 section 19.
    Denied(u16),
    /// Nothing came back of what was sent to a relayed address.
    NoEcho {
        /// The relayed address.
        relayed: SocketAddr,
        /// Where the relay itself is.
        relay: IpAddr,
    },
    /// The relay reaches its own address, and we do not.
    NotReached {
        /// The relayed address.
        relayed: SocketAddr,
        /// Where the relay itself is.
        relay: IpAddr,
    },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// Signed by nobody who is trusted here, or by itself.
    UnknownIssuer,
    /// Made out to others.
    OtherName,
    /// Something else, as the library puts it.
    Other(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchName(host) => write!(f, "the name {host} has no address"),
            Self::NamesSilent => f.write_str("name resolution did not answer"),
            Self::Refused => f.write_str("nothing listens there"),
            Self::Silent => f.write_str("no answer"),
            Self::Unreachable(cause) => write!(f, "it cannot be reached ({cause})"),
            Self::HungUp => f.write_str("the connection was closed without an answer"),
            Self::NotTurn => f.write_str("what answers there is no TURN relay"),
            Self::Certificate(Flaw::Expired) => f.write_str("the certificate has expired"),
            Self::Certificate(Flaw::NotYetValid) => f.write_str("the certificate is not valid yet"),
            Self::Certificate(Flaw::UnknownIssuer) => {
                f.write_str("the certificate is signed by itself or by an authority that is not trusted")
            }
            Self::Certificate(Flaw::OtherName) => f.write_str("the certificate is made out to another name"),
            Self::Certificate(Flaw::Other(what)) => write!(f, "the certificate cannot be used ({what})"),
            Self::NotTls(cause) => write!(f, "there is no TLS ({cause})"),
            Self::ClockOff { by, ours_ahead } => {
                let whose = if *ours_ahead { "ahead of" } else { "behind" };
                match by {
                    Some(by) => write!(f, "this machine's clock is {} s {whose} theirs", by.as_secs()),
                    None => write!(f, "this machine's clock is more than a minute {whose} the relay's"),
                }
            }
            Self::NotMinted { why, .. } => f.write_str(why),
            Self::Denied(code) => write!(f, "the relay says {code} {}", meaning(*code)),
            Self::NoEcho { .. } => {
                f.write_str("nothing comes back of what is sent from one relayed address to another")
            }
            Self::NotReached { relayed, .. } => write!(f, "the relayed address {relayed} cannot be reached from here"),
        }
    }
}

impl Trouble {
    /// Why a provider gave no credential.
    pub(super) fn of_minting(failure: &Failure) -> Self {
        let advice = failure.advice();
        let said = failure.to_string();
        let why = said.strip_suffix(advice).map_or(said.as_str(), |why| why.trim_end_matches(": "));
        Self::NotMinted { why: why.to_owned(), advice }
    }
}

/// RFC 8656 section 19, in our words.
const fn meaning(code: u16) -> &'static str {
    match code {
        300 => "(it sends us to another server)",
        400 => "(it does not understand the question)",
        401 => "(the login is not accepted)",
        403 => "(forbidden)",
        437 => "(it mixes this visit up with another)",
        438 => "(it finds every nonce stale)",
        440 | 443 => "(it has no address of this family)",
        441 => "(the login is another one than before)",
        442 => "(it relays no UDP)",
        486 => "(the user has as many allocations as the relay allows)",
        508 => "(it has no relayed address left)",
        500..=599 => "(it has a fault)",
        _ => "(it gives no reason that is known)",
    }
}
