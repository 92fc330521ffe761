//! The built-in relay, from settings to one that runs: in this process, in one of its own, or not at all.
//!
//! Owns what the app does when it cannot run: where the operator asked for it by name the app does not start, and otherwise it
//! does without, and the log says in one line why and what to do.

mod addresses;
mod desk;
mod secret;

use self::addresses::{Addresses, How};
use crate::{
    domain::ProviderKind,
    server::{
        clock::Clock,
        config::{Config, RelayPlace},
        providers::{RelayDesk, Terms},
        relay::{self, Bouncer, Mint, PeerFilter, Quotas, Relay, RelayedAddress, Settings},
    },
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// The addresses that a browser is given: TURN over UDP, TCP and TLS, and over UDP on the other family.
const URLS: u32 = 4;

/// Why there is no built-in relay. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoRelay {
    /// Nobody would find it.
    #[error(
        "this machine has no public address of its own, and no STUN server told one: set TURN_RELAY_PUBLIC_ADDRESS to the \
         address at which browsers reach it"
    )]
    NoAddress,
    /// Browsers would come to a port that is somebody else's.
    #[error(
        "this machine is behind a NAT that changes ports: have UDP and TCP port {0} and the ports of TURN_RELAY_PORTS \
         passed on to it, and set TURN_RELAY_PUBLIC_ADDRESS"
    )]
    PortsChange(u16),
    /// There is nothing to bind relayed addresses to.
    #[error("this machine has no {0} address: take the one of that family out of TURN_RELAY_PUBLIC_ADDRESS")]
    NoAddressOfFamily(&'static str),
    /// Somebody else listens there.
    #[error(
        "{protocol} port {port} is taken, as by a coturn on this machine: stop it, or set TURN_RELAY_PORT to another one"
    )]
    PortTaken {
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// Which one.
        port: u16,
    },
    /// The secret is not to be had.
    #[error("its secret cannot be kept in {path} ({cause}): make that writable, or set TURN_RELAY_SECRET")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Browsers would not take its addresses.
    #[error("browsers take no relay at {0}: set TURN_RELAY_PORT to 3478, 80, 443 or another port from 1024 on")]
    Unusable(String),
    /// It does not start.
    #[error("{0}: see TURN_RELAY_PORT, TURN_RELAY_PORTS and TURN_RELAY_PUBLIC_ADDRESS in --help")]
    Start(#[from] relay::StartError),
}

/// The relay as it stands. Stops when it is dropped.
#[derive(Debug)]
pub struct OwnRelay {
    running: Option<Arc<Relay>>,
    desk: Option<RelayDesk>,
    said: String,
}

impl OwnRelay {
    /// The relay that was configured. Fails only where it was asked for by name.
    pub async fn stand(config: &Config, clock: &Clock) -> Result<Self, NoRelay> {
        let without = |said| Self { running: None, desk: None, said };
        let asked_for = is_asked_for(config);
        let in_line = is_in_line(config);
        let stood = match config.relay.place {
            RelayPlace::External if in_line => Self::elsewhere(config),
            RelayPlace::Here if in_line => Self::run(config, clock).await,
            RelayPlace::Here | RelayPlace::External => {
                return Ok(without("The built-in relay is not in TURN_PROVIDERS".into()));
            }
            RelayPlace::Off => return Ok(without("The built-in relay is off".into())),
        };
        match stood {
            Err(reason) if !asked_for => Ok(without(format!("The built-in relay stays off: {reason}"))),
            stood => stood,
        }
    }

    /// A relay that runs here.
    pub async fn run(config: &Config, clock: &Clock) -> Result<Self, NoRelay> {
        let set = &config.relay;
        let mint = Mint::new(&secret::of(config)?);
        let addresses = Addresses::find(config).await?;
        let port = match addresses.taken(set.port) {
            // Nobody from outside knows the port of a developer's machine, and several servers may run there.
            Some(_) if addresses.how == How::Development && !is_asked_for(config) => 0,
            Some(protocol) => return Err(NoRelay::PortTaken { protocol, port: set.port }),
            None => set.port,
        };
        let Addresses { relayed, own, how } = addresses;
        let listen: Vec<_> = relayed.iter().map(|address| SocketAddr::new(address.bound, port)).collect();
        let people = u32::try_from(config.app.session_limit).unwrap_or(u32::MAX);
        let peers = PeerFilter::new()
            .refusing(set.refused_peers.clone())
            .allowing(set.allowed_peers.clone())
            .in_development(set.development);
        let settings = Settings {
            relayed,
            own,
            ports: set.ports.clone(),
            peers,
            clients: set.clients.clone(),
            quotas: Quotas::for_sessions(people, URLS),
            ..Settings::on(&listen)
        };
        let public: Vec<_> = settings.relayed.iter().map(|address| address.public).collect();
        let running = Relay::start(settings, mint.clone(), clock.clone())?;
        let desk = desk::of(config, &desk::Doors::of(&running, &public), mint)?;
        let places = public.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" and ");
        let (first, last) = (set.ports.start(), set.ports.end());
        let port = running.udp().first().map_or(port, SocketAddr::port);
        let said = format!(
            "The built-in relay is at {places}{how}: port {port} over UDP and TCP, relayed ports {first} to {last}"
        );
        Ok(Self { running: Some(Arc::new(running)), desk: Some(desk), said })
    }

    /// The relay for somebody who looks at it: the one of the server that runs on this machine, or, where none does, one that
    /// lives as long as this.
    pub async fn beside(config: &Config, clock: &Clock) -> Result<Self, NoRelay> {
        if config.relay.place != RelayPlace::Here || !is_in_line(config) {
            return Self::stand(config, clock).await;
        }
        match Self::run(config, clock).await {
            Err(NoRelay::PortTaken { .. }) => {
                let found = Addresses::find(config).await?;
                let at = |address: &RelayedAddress| SocketAddr::new(address.public, config.relay.port);
                let udp: Vec<_> = found.relayed.iter().map(at).collect();
                let doors = desk::Doors { tcp: udp.clone(), udp, tls: config.relay.tls_port };
                let desk = desk::of(config, &doors, Mint::new(&secret::of(config)?))?;
                Ok(Self { running: None, desk: Some(desk), said: String::new() })
            }
            Err(reason) if !is_asked_for(config) => {
                Ok(Self { running: None, desk: None, said: format!("The built-in relay stays off: {reason}") })
            }
            ran => ran,
        }
    }

    fn elsewhere(config: &Config) -> Result<Self, NoRelay> {
        let desk = desk::of(config, &desk::Doors::elsewhere(&config.relay), Mint::new(&secret::of(config)?))?;
        Ok(Self { running: None, desk: Some(desk), said: "The built-in relay runs as a process of its own".into() })
    }

    /// Says in the log how it stands.
    pub fn announce(&self) {
        tracing::info!("{}", self.said);
    }

    /// Where its credentials are had.
    pub fn desk(&self) -> Option<RelayDesk> {
        self.desk.clone()
    }

    /// What ends its allocations; `None` where it is not in this process.
    pub fn bouncer(&self, config: &Config) -> Option<Bouncer> {
        let life = Terms::of(ProviderKind::Relay).life(config.credentials.turn_credential_ttl);
        self.running.as_ref().map(|relay| relay.bouncer(life))
    }

    /// The relay, where it is in this process.
    pub fn running(&self) -> Option<Arc<Relay>> {
        self.running.clone()
    }
}

/// Nobody is given credentials of a relay that is not in the line.
fn is_in_line(config: &Config) -> bool {
    config.providers.iter().any(|(name, _)| name.kind() == ProviderKind::Relay)
}

/// The operator wants it and nothing less.
fn is_asked_for(config: &Config) -> bool {
    config.credentials.turn_providers.as_ref().is_some_and(|names| names.names(ProviderKind::Relay))
}

impl Addresses {
    /// Over what somebody has this port. The relay's own sockets share theirs among its threads, and would share it with
    /// anybody who does the same, so it is tried without sharing first.
    fn taken(&self, port: u16) -> Option<&'static str> {
        self.relayed.iter().find_map(|address| is_taken(SocketAddr::new(address.bound, port)))
    }
}

fn is_taken(address: SocketAddr) -> Option<&'static str> {
    [("UDP", Type::DGRAM, Protocol::UDP), ("TCP", Type::STREAM, Protocol::TCP)]
        .into_iter()
        .find(|(_, kind, protocol)| {
            let bound = Socket::new(Domain::for_address(address), *kind, Some(*protocol)).and_then(|socket| {
                // Connections of the last process that are not quite forgotten do not keep a port.
                socket.set_reuse_address(*kind == Type::STREAM)?;
                socket.bind(&SockAddr::from(address))?;
                if *kind == Type::STREAM { socket.listen(1) } else { Ok(()) }
            });
            bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
        })
        .map(|(name, _, _)| name)
}
