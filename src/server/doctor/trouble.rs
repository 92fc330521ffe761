//! Why a step failed, in words, and what the operator does about it.
//!
//! Pure: knows what was seen and where, and nothing of how it was found out. No credential gets in here.

use super::{step::Step, subject::Subject};
use crate::{
    domain::ProviderKind,
    server::providers::{Failure, Way},
};
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

    /// What to do, where this was seen at this step.
    pub fn advice(&self, step: Step, subject: &Subject) -> String {
        match self {
            Self::NoSuchName(_) => {
                format!("correct the address in {}, or make a DNS record for the name", subject.address_setting())
            }
            Self::NamesSilent => "check this machine's DNS (/etc/resolv.conf) and its network".into(),
            Self::Refused => refused(subject),
            Self::Silent => silent(subject),
            Self::Unreachable(_) => {
                format!("check this machine's network, and the address in {}", subject.address_setting())
            }
            Self::HungUp => format!(
                "see the log of what listens there; a proxy or a firewall may end the connection. Check the port in {}",
                subject.address_setting()
            ),
            Self::NotTurn => {
                format!("another service has this port: correct the port in {}", subject.address_setting())
            }
            Self::Certificate(flaw) => certificate(flaw, subject),
            Self::NotTls(_) => match subject {
                Subject::Relay { .. } => format!(
                    "give the relay a certificate (coturn: cert and pkey, without no-tls), or write turn: instead of turns: in {}",
                    subject.address_setting()
                ),
                Subject::Api { .. } | Subject::Stun { .. } | Subject::Site => {
                    format!(
                        "write http:// in {} if there is no HTTPS, or mend the HTTPS there",
                        subject.address_setting()
                    )
                }
            },
            Self::ClockOff { .. } => {
                "set the clock of both machines by NTP (timedatectl set-ntp true): credentials have a \
                                      time of expiry, and certificates have too"
                    .into()
            }
            Self::NotMinted { advice, .. } => (*advice).into(),
            Self::Denied(code) => denied(*code, step, subject),
            Self::NoEcho { relayed, relay } => {
                wrong_address(*relayed, *relay, subject, "the relay does not reach its own")
            }
            Self::NotReached { relayed, relay } => {
                wrong_address(*relayed, *relay, subject, "browsers will not reach a")
            }
        }
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

fn refused(subject: &Subject) -> String {
    match subject {
        Subject::Relay { way: Way::Udp | Way::Stun, .. } | Subject::Stun { .. } => {
            format!("start the relay, or correct the port in {}", subject.address_setting())
        }
        Subject::Relay { way: Way::Tcp, .. } => format!(
            "have the relay listen on TCP as well (coturn: without no-tcp), or correct the port in {}",
            subject.address_setting()
        ),
        Subject::Relay { way: Way::Tls, .. } => format!(
            "have the relay listen for TLS (coturn: tls-listening-port, cert and pkey, without no-tls), or correct the port in {}",
            subject.address_setting()
        ),
        Subject::Api { .. } => format!("correct the address in {}", subject.address_setting()),
        Subject::Site => {
            "start the reverse proxy that answers for CLIENT_URL, or correct scheme, name and port of CLIENT_URL".into()
        }
    }
}

fn silent(subject: &Subject) -> String {
    let setting = subject.address_setting();
    match subject {
        Subject::Relay { way: Way::Udp | Way::Stun, .. } | Subject::Stun { .. } => format!(
            "a firewall drops UDP on the way: open the port for UDP at the relay and let this machine send there, or correct \
             the address in {setting}"
        ),
        Subject::Relay { .. } | Subject::Api { .. } => {
            format!("a firewall drops the connection: open the port for TCP, or correct the address in {setting}")
        }
        Subject::Site => {
            "see whether the reverse proxy runs, and whether a firewall lets this machine reach the public \
                          address of CLIENT_URL"
                .into()
        }
    }
}

fn certificate(flaw: &Flaw, subject: &Subject) -> String {
    let whose = match subject {
        Subject::Relay { .. } | Subject::Stun { .. } => "the relay",
        Subject::Api { .. } => "whatever answers for the API",
        Subject::Site => "the reverse proxy",
    };
    match flaw {
        Flaw::Expired => {
            format!("renew the certificate, have {whose} read the new one, and check this machine's clock")
        }
        Flaw::NotYetValid => "check the clocks of both machines: the certificate's time has not begun".into(),
        Flaw::UnknownIssuer => format!(
            "give {whose} a certificate of a public authority, with its whole chain (fullchain.pem): browsers refuse others \
             without asking"
        ),
        Flaw::OtherName => {
            format!(
                "write the name that the certificate is made out to in {}, or get one for this name",
                subject.address_setting()
            )
        }
        Flaw::Other(_) => format!("give {whose} another certificate with its whole chain"),
    }
}

fn denied(code: u16, step: Step, subject: &Subject) -> String {
    match (code, step) {
        (401, _) => login_refused(subject),
        (403, Step::Permission) => {
            "let the relay send to its own public address (coturn: allowed-peer-ip=<that address>, \
                                    beside what denied-peer-ip forbids): two browsers that both need a relay meet there"
                .into()
        }
        (403, _) => "let this machine's network use the relay (its list of clients)".into(),
        (486, _) => "raise the relay's quota for one user (coturn: user-quota) to 12 or more: a browser makes several \
                     allocations at once"
            .into(),
        (508, _) => {
            "raise the relay's total quota or widen its port range (coturn: total-quota, min-port, max-port), or wait \
                     until others have left"
                .into()
        }
        (300, _) => format!("write the address of the server that it names in {}", subject.address_setting()),
        (442, _) => "let the relay relay UDP (coturn: without no-udp-relay)".into(),
        (440 | 443, _) => "give the relay an address of the other family (coturn: relay-ip)".into(),
        _ => "see the relay's log for this moment".into(),
    }
}

fn login_refused(subject: &Subject) -> String {
    let Some(provider) = subject.provider() else { return "see the relay's log".into() };
    match provider.kind() {
        ProviderKind::Coturn | ProviderKind::Relay => format!(
            "write the relay's own secret (coturn: static-auth-secret, with use-auth-secret) in {}",
            subject.setting("COTURN_SHARED_SECRET")
        ),
        ProviderKind::Static => format!(
            "write a login that the relay has (coturn: user=name:password, with lt-cred-mech) in {} and {}",
            subject.setting("STATIC_TURN_USERNAME"),
            subject.setting("STATIC_TURN_CREDENTIAL")
        ),
        ProviderKind::Cloudflare | ProviderKind::Twilio | ProviderKind::Xirsys | ProviderKind::Metered => format!(
            "{} minted a login that its relay refuses: see in its dashboard whether the key is active and the account in good \
             standing, and its status page",
            provider.title()
        ),
    }
}

fn wrong_address(relayed: SocketAddr, relay: IpAddr, subject: &Subject, who: &str) -> String {
    let ours = subject.provider().is_some_and(|provider| {
        matches!(provider.kind(), ProviderKind::Coturn | ProviderKind::Static | ProviderKind::Relay)
    });
    if !ours {
        return "it is the provider's to mend: see its status page, and put another provider first until then".into();
    }
    if relayed.ip() != relay {
        return format!(
            "the relay says that its address is {}, but it answers at {relay}, and {who} wrong address: set its public \
             address (coturn: external-ip)",
            relayed.ip()
        );
    }
    format!(
        "open the range of relayed UDP ports at the relay's firewall (coturn: min-port to max-port; this one was {})",
        relayed.port()
    )
}
