//! The relay that is part of Tessro.

use super::{ConfigError, naming::Naming, secret::Secret, values};
use crate::server::relay::{Networks, Secrets};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

const SECRET: &str = "TURN_RELAY_SECRET";

/// The variables as they are written.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field has the name of its variable")]
#[command(next_help_heading = "Built-in relay")]
pub(super) struct RelayArgs {
    /// Whether this server relays by itself: `auto` (where browsers can reach it), `external` (`tessro relay` does it, as a process
    /// of its own with the same settings, so that an upgrade of the app cuts nobody), or `off`.
    #[arg(long, env, default_value = "auto", value_parser = values::relay_place)]
    turn_relay: RelayPlace,

    /// Port on which it takes browsers, over UDP and TCP; 0 takes any free one. Of those below 1024 browsers use 80 and 443 only.
    #[arg(long, env, default_value = "3478", value_parser = values::relay_port)]
    turn_relay_port: u16,

    /// Ports of relayed addresses, UDP. Firewalls have to let them in, and `TURN_RELAY_PORT` beside them.
    #[arg(long, env, default_value = "49152-65535", value_parser = values::port_range)]
    turn_relay_ports: RangeInclusive<u16>,

    /// Address at which browsers reach this machine, such as 203.0.113.7; one of IPv4 and one of IPv6 with a comma between
    /// them. Unset: the machine's own where it is a public one, else as what a server of `STUN_URLS` sees it. Without one
    /// the relay stays off.
    #[arg(long, env, value_parser = values::public_address)]
    turn_relay_public_address: Option<PublicAddress>,

    /// Name of that address, such as turn.example, which browsers are then given instead of it. TLS needs one that is in the
    /// certificate; unset, TLS has the one of `CLIENT_URL`.
    #[arg(long, env, value_parser = values::host_name)]
    turn_relay_name: Option<String>,

    /// Port on which it takes browsers over TLS, with `TLS_CERT`; 443 passes firewalls that let nothing else pass, and may be
    /// the same as `PORT`. Unset: no TLS.
    #[arg(long, env, value_parser = values::relay_port)]
    turn_relay_tls_port: Option<u16>,

    /// 1 for a developer's own machine: it is then found at an address of this machine, and peers may be on this machine and in
    /// private networks. At a public address it opens nothing.
    #[arg(long, env, default_value = "0", value_parser = values::yes_or_no)]
    turn_relay_development: Switch,

    /// Secret that signs its credentials. Unset: made once, and kept in `DATA_DIR`. A `tessro relay` with another directory needs
    /// it. While it is being changed `NEW,OLD`: the first signs, and what any of them has signed is accepted. `SIGHUP` has both
    /// processes read it again.
    #[arg(long, env, hide_env_values = true, value_parser = values::secret())]
    turn_relay_secret: Option<SecretString>,

    /// File that holds the secret.
    #[arg(long, env)]
    turn_relay_secret_file: Option<PathBuf>,

    /// Where a `tessro relay` waits for its app, which has to be set alike for both: `ADDRESS:PORT`, in a private network, or the
    /// path of a socket. Unset: `relay.sock` in `DATA_DIR`.
    #[arg(long, env, value_parser = values::control_place)]
    turn_relay_control: Option<ControlPlace>,

    /// Networks that nobody may reach through it, with commas between them, such as `198.51.100.0/24`. Private networks, this
    /// machine and all that is not the open internet are refused anyway.
    #[arg(long, env, value_parser = values::networks)]
    turn_relay_refused_peers: Option<Networks>,

    /// Networks that may be reached through it although they would be refused, such as the office's `10.1.0.0/16`.
    #[arg(long, env, value_parser = values::networks)]
    turn_relay_allowed_peers: Option<Networks>,

    /// Networks from which it takes browsers. Unset: from everywhere.
    #[arg(long, env, value_parser = values::networks)]
    turn_relay_clients: Option<Networks>,
}

/// Where the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayPlace {
    /// In this process, if it can.
    Here,
    /// In a process of its own.
    External,
    /// Nowhere.
    Off,
}

/// Where app and relay meet, if they are two processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlPlace {
    /// A socket in the file system.
    Socket(PathBuf),
    /// Host and port.
    Address(String),
}

impl fmt::Display for ControlPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Address(address) => f.write_str(address),
        }
    }
}

impl ControlPlace {
    /// Reads a path, which has a slash in it, or a host and a port.
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('/') {
            return Some(Self::Socket(text.into()));
        }
        let (host, port) = text.rsplit_once(':')?;
        let is_place = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
        is_place.then(|| Self::Address(text.to_owned()))
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch(pub(super) bool);

/// At most one address of each family, and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAddress {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
}

impl PublicAddress {
    /// Reads addresses with commas between them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut address = Self { v4: None, v6: None };
        for part in text.split(',').map(str::trim) {
            let ip: IpAddr = part.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
            if ip.is_unspecified() || ip.is_multicast() {
                return None;
            }
            let twice = match ip {
                IpAddr::V4(ip) => address.v4.replace(ip).is_some(),
                IpAddr::V6(ip) => address.v6.replace(ip).is_some(),
            };
            if twice {
                return None;
            }
        }
        Some(address)
    }

    /// The addresses, IPv4 first.
    pub fn addresses(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::from).into_iter().chain(self.v6.map(IpAddr::from))
    }
}

/// What was set about the built-in relay.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where it runs.
    pub place: RelayPlace,
    /// Its port over UDP and TCP.
    pub port: u16,
    /// The ports that it gives out.
    pub ports: RangeInclusive<u16>,
    /// At which addresses browsers find it, where that was set.
    pub public_address: Option<PublicAddress>,
    /// The name of those addresses.
    pub name: Option<String>,
    /// Its port over TLS.
    pub tls_port: Option<u16>,
    /// Everything may be on one machine.
    pub development: bool,
    /// What signs its credentials; several with commas between them, the one that signs first.
    pub secret: Option<SecretString>,
    /// Where app and relay meet, where that was set.
    pub control: Option<ControlPlace>,
    /// Who may not be reached through it.
    pub refused_peers: Networks,
    /// Who may be reached although they would not be.
    pub allowed_peers: Networks,
    /// Who may use it; everyone, where it is empty.
    pub clients: Networks,
}

impl RelayConfig {
    /// Where app and relay meet, if they are two processes with this directory.
    pub fn control(&self, data_dir: &Path) -> ControlPlace {
        self.control.clone().unwrap_or_else(|| ControlPlace::Socket(data_dir.join("relay.sock")))
    }
}

impl RelayArgs {
    pub(super) fn resolve(self) -> Result<RelayConfig, ConfigError> {
        let (value, file) = (self.turn_relay_secret, self.turn_relay_secret_file);
        let naming = Naming::default();
        let secret = Secret { naming, variable: SECRET, value, file }.token()?;
        if secret.as_ref().is_some_and(|secret| Secrets::parse(secret.expose_secret().as_bytes()).is_none()) {
            let advice = "write the secret, or several with commas between them";
            return Err(ConfigError::BadSecret { variable: naming.variable(SECRET), advice });
        }
        if self.turn_relay == RelayPlace::External
            && self.turn_relay_public_address.is_none()
            && self.turn_relay_name.is_none()
        {
            return Err(ConfigError::ExternalRelayNowhere);
        }
        Ok(RelayConfig {
            place: self.turn_relay,
            port: self.turn_relay_port,
            ports: self.turn_relay_ports,
            public_address: self.turn_relay_public_address,
            name: self.turn_relay_name,
            tls_port: self.turn_relay_tls_port,
            development: self.turn_relay_development.0,
            secret,
            control: self.turn_relay_control,
            refused_peers: self.turn_relay_refused_peers.unwrap_or_default(),
            allowed_peers: self.turn_relay_allowed_peers.unwrap_or_default(),
            clients: self.turn_relay_clients.unwrap_or_default(),
        })
    }
}
