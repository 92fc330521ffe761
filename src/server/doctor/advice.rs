//! What the operator does about a trouble, by where it was seen.
//!
//! Pure: one sentence for each pair of trouble and subject, naming the setting to change.

use super::{
    step::Step,
    subject::Subject,
    trouble::{Flaw, Trouble},
};
use crate::{domain::ProviderKind, server::providers::Way};
use std::net::{IpAddr, SocketAddr};

impl Trouble {
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
                subject.port_setting()
            ),
            Self::NotTurn => {
                format!("another service has this port: correct the port in {}", subject.port_setting())
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

fn refused(subject: &Subject) -> String {
    match subject {
        Subject::Relay { way: Way::Udp | Way::Stun, .. } | Subject::Stun { .. } => {
            format!("start the relay, or correct the port in {}", subject.port_setting())
        }
        Subject::Relay { way: Way::Tcp, .. } => format!(
            "have the relay listen on TCP as well (coturn: without no-tcp), or correct the port in {}",
            subject.port_setting()
        ),
        Subject::Relay { way: Way::Tls, .. } => format!(
            "have the relay listen for TLS (coturn: tls-listening-port, cert and pkey, without no-tls), or correct the port in {}",
            subject.port_setting()
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
        ProviderKind::Relay => {
            "run this with the DATA_DIR of the server that runs, which has the relay's secret, or write that in \
                                TURN_RELAY_SECRET for both"
                .into()
        }
        ProviderKind::Coturn => format!(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(provider: &str, way: Way) -> Subject {
        Subject::Relay { provider: provider.parse().unwrap(), url: "turn:relay.example".into(), way }
    }

    #[test]
    fn the_setting_of_a_labelled_provider_is_named_with_its_label() {
        let advice = Trouble::Refused.advice(Step::Port, &relay("coturn:fra", Way::Udp));
        assert_eq!(advice, "start the relay, or correct the port in COTURN_URLS_FRA");
        let advice = Trouble::Denied(401).advice(Step::Allocation, &relay("static:x", Way::Tcp));
        assert!(advice.ends_with("in STATIC_TURN_USERNAME_X and STATIC_TURN_CREDENTIAL_X"), "{advice}");
        let api = Subject::Api { provider: "cloudflare:eu".parse().unwrap() };
        assert!(Trouble::Silent.advice(Step::Port, &api).ends_with("CLOUDFLARE_TURN_API_BASE_EU"));
    }

    #[test]
    fn the_settings_of_the_built_in_relay_are_its_own() {
        let port = |way| Trouble::Refused.advice(Step::Port, &relay("relay", way));
        assert!(port(Way::Udp).ends_with("TURN_RELAY_PORT") && port(Way::Tcp).ends_with("TURN_RELAY_PORT"));
        assert!(port(Way::Tls).ends_with("TURN_RELAY_TLS_PORT"));
        let login = Trouble::Denied(401).advice(Step::Allocation, &relay("relay", Way::Udp));
        assert!(login.contains("DATA_DIR") && login.contains("TURN_RELAY_SECRET"), "{login}");
    }

    #[test]
    fn a_wrong_address_and_closed_ports_are_told_apart() {
        let relay_at = IpAddr::from([198, 51, 100, 7]);
        let advice = |provider, relayed: [u8; 4]| {
            let trouble = Trouble::NotReached { relayed: (relayed, 50_001).into(), relay: relay_at };
            trouble.advice(Step::RelayedAddress, &relay(provider, Way::Udp))
        };
        let wrong = advice("coturn", [203, 0, 113, 5]);
        assert!(
            wrong.contains("203.0.113.5") && wrong.contains("198.51.100.7") && wrong.contains("external-ip"),
            "{wrong}"
        );
        let closed = advice("coturn", [198, 51, 100, 7]);
        assert!(closed.contains("firewall") && closed.contains("50001"), "{closed}");
        assert!(advice("cloudflare", [203, 0, 113, 5]).starts_with("it is the provider's to mend"));
    }

    #[test]
    fn what_a_relay_says_no_with_is_told_apart_by_step() {
        let advice = |code, step| Trouble::Denied(code).advice(step, &relay("coturn", Way::Udp));
        assert!(advice(403, Step::Permission).contains("allowed-peer-ip"));
        assert!(advice(403, Step::Allocation).contains("this machine's network"));
        assert!(advice(486, Step::Allocation).contains("user-quota"));
        assert!(advice(508, Step::Allocation).contains("total-quota"));
        assert!(advice(499, Step::Allocation).contains("log"));
    }
}
