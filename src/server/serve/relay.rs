//! The built-in relay, from settings to one that runs: in this process, in one of its own, or not at all.
//!
//! Owns what the app does when it cannot run: where the operator asked for it by name the app does not start, and otherwise it
//! does without, and the log says in one line why and what to do.

mod addresses;
mod afar;
mod desk;
mod kept_out;
mod led;
mod secret;
mod voice;
mod wire;

pub use afar::FarRelay;
pub use led::Led;
pub use secret::RelaySecrets;
pub use voice::RelayVoice;

use self::{
    addresses::{Addresses, How},
    desk::Doors,
};
use crate::{
    domain::ProviderKind,
    server::{
        certificate::Certificate,
        clock::Clock,
        config::{Config, RelayPlace},
        providers::{RelayDesk, Terms},
        relay::{self, Adoption, Bouncer, Errands, Mint, PeerFilter, Quotas, Relay, Settings, Tls},
        usage::Usage,
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
    /// There is to be none.
    #[error("TURN_RELAY is off: write TURN_RELAY=external for an app that uses this relay")]
    Off,
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
    /// Somebody else listens where clients come over TLS.
    #[error(
        "TCP port {0} is taken, as by a web server on this machine: stop it, or set TURN_RELAY_TLS_PORT to another one"
    )]
    TlsPortTaken(u16),
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
#[derive(Debug, Default)]
pub struct OwnRelay {
    running: Option<Arc<Relay>>,
    desk: Option<RelayDesk>,
    /// What signs for it, here or elsewhere.
    mint: Option<Mint>,
    /// Whom the one elsewhere is to end.
    errands: Option<Errands>,
    /// Clients over TLS come to the site's port.
    shares_the_port: bool,
    said: String,
    /// Why it cannot run, where it was not asked for by name.
    off_because: Option<String>,
}

/// Where a relay takes clients over TLS.
#[derive(Debug, Clone, Copy)]
enum Sealed<'a> {
    Nowhere,
    /// On a port of its own.
    At(u16, &'a Certificate),
    /// On the port of the site, which brings them.
    WithTheSite(u16),
}

impl OwnRelay {
    /// The relay that was configured, beside a site on this port. Fails only where it was asked for by name.
    pub async fn stand(
        config: &Config,
        certificate: Option<&Certificate>,
        site_port: u16,
        clock: &Clock,
    ) -> Result<Self, NoRelay> {
        let without = |said| Self { said, ..Self::default() };
        let in_line = is_in_line(config);
        let stood = match config.relay.place {
            RelayPlace::External if in_line => Self::elsewhere(config),
            RelayPlace::Here if in_line => {
                let sealed = match config.relay.tls_port.zip(certificate) {
                    Some((port, _)) if port == site_port => Sealed::WithTheSite(port),
                    Some((port, certificate)) => Sealed::At(port, certificate),
                    None => Sealed::Nowhere,
                };
                Self::run(config, sealed, clock).await
            }
            RelayPlace::Here | RelayPlace::External => {
                return Ok(without("The built-in relay is not in TURN_PROVIDERS".into()));
            }
            RelayPlace::Off => return Ok(without("The built-in relay is off".into())),
        };
        match stood {
            Err(reason) if !is_asked_for(config) => {
                let said = format!("The built-in relay stays off: {reason}");
                Ok(Self { off_because: Some(reason.to_string()), ..without(said) })
            }
            stood => stood,
        }
    }

    /// A relay that runs here, without a site.
    pub async fn alone(config: &Config, certificate: Option<&Certificate>, clock: &Clock) -> Result<Self, NoRelay> {
        if config.relay.place == RelayPlace::Off {
            return Err(NoRelay::Off);
        }
        let sealed = config.relay.tls_port.zip(certificate);
        let sealed = sealed.map_or(Sealed::Nowhere, |(port, certificate)| Sealed::At(port, certificate));
        Self::run(config, sealed, clock).await
    }

    async fn run(config: &Config, sealed: Sealed<'_>, clock: &Clock) -> Result<Self, NoRelay> {
        let set = &config.relay;
        let mint = Mint::of(&secret::of(config)?);
        let addresses = Addresses::find(config).await?;
        let port = addresses.port_for(config)?;
        let at =
            |port| addresses.relayed.iter().map(|address| SocketAddr::new(address.bound, port)).collect::<Vec<_>>();
        let tls = match sealed {
            Sealed::At(port, certificate) => {
                if addresses.taken(port, &[TCP]).is_some() {
                    return Err(NoRelay::TlsPortTaken(port));
                }
                Some(Tls { listen: at(port), config: certificate.config() })
            }
            Sealed::Nowhere | Sealed::WithTheSite(_) => None,
        };
        let people = u32::try_from(config.app.session_limit).unwrap_or(u32::MAX);
        let peers = PeerFilter::new()
            .refusing(set.refused_peers.clone())
            .allowing(set.allowed_peers.clone())
            .in_development(set.development && !addresses.are_public());
        let settings = Settings {
            tls,
            relayed: addresses.relayed.clone(),
            own: addresses.own.clone(),
            ports: set.ports.clone(),
            peers,
            clients: set.clients.clone(),
            quotas: Quotas::for_sessions(people, URLS),
            ..Settings::on(&at(port))
        };
        let running = Relay::start(settings, mint.clone(), clock.clone())?;
        let public: Vec<_> = addresses.relayed.iter().map(|address| address.public).collect();
        let mut doors = Doors::of(&running, &public);
        let shares_the_port = if let Sealed::WithTheSite(port) = sealed {
            doors.tls = Some(port);
            true
        } else {
            false
        };
        let places = public.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" and ");
        let port = running.udp().first().map_or(port, SocketAddr::port);
        let over_tls = doors.tls.map(|port| format!(", port {port} over TLS")).unwrap_or_default();
        let (first, last, how) = (set.ports.start(), set.ports.end(), addresses.how);
        let said = format!(
            "The built-in relay is at {places}{how}: port {port} over UDP and TCP{over_tls}, relayed ports {first} to {last}"
        );
        let desk = desk::of(config, &doors, mint.clone())?;
        let running = Some(Arc::new(running));
        Ok(Self { running, desk: Some(desk), mint: Some(mint), shares_the_port, said, ..Self::default() })
    }

    /// The relay for somebody who looks at it: the one of the server that runs on this machine, or, where none does, one that
    /// lives as long as this, without TLS.
    pub async fn beside(config: &Config, clock: &Clock) -> Result<Self, NoRelay> {
        if config.relay.place == RelayPlace::Here && is_in_line(config) {
            let (found, port) = (Addresses::find(config).await, config.relay.port);
            if let Some(found) = found.ok().filter(|found| found.taken(port, &[UDP, TCP]).is_some()) {
                let udp: Vec<_> = found.relayed.iter().map(|one| SocketAddr::new(one.public, port)).collect();
                let doors = Doors { tcp: udp.clone(), udp, tls: config.relay.tls_port };
                let desk = Some(desk::of(config, &doors, Mint::of(&secret::of(config)?))?);
                return Ok(Self { desk, ..Self::default() });
            }
        }
        Self::stand(config, None, config.app.port, clock).await
    }

    fn elsewhere(config: &Config) -> Result<Self, NoRelay> {
        let mint = Mint::of(&secret::of(config)?);
        let desk = desk::of(config, &Doors::elsewhere(&config.relay), mint.clone())?;
        let said = "The built-in relay is a process of its own: tessro relay".into();
        let errands = Some(Errands::default());
        Ok(Self { desk: Some(desk), mint: Some(mint), errands, said, ..Self::default() })
    }

    /// Says in the log how it stands.
    pub fn announce(&self) {
        tracing::info!("{}", self.said);
    }

    /// Why there is none although it was not switched off, and what to do.
    pub fn off_because(&self) -> Option<&str> {
        self.off_because.as_deref()
    }

    /// Where its credentials are had.
    pub fn desk(&self) -> Option<RelayDesk> {
        self.desk.clone()
    }

    /// What has its secrets.
    pub fn secrets(&self) -> RelaySecrets {
        RelaySecrets::of(self.mint.clone())
    }

    /// What ends its allocations; `None` where there is no relay.
    pub fn bouncer(&self, config: &Config, clock: &Clock) -> Option<Bouncer> {
        let life = Terms::of(ProviderKind::Relay).life(config.credentials.turn_credential_ttl);
        if let Some(relay) = &self.running {
            return Some(relay.bouncer(life));
        }
        let (errands, mint) = self.errands.clone().zip(self.mint.clone())?;
        Some(Bouncer::afar(errands, mint, clock.clone(), life))
    }

    /// What leads the relay where that is a process of its own; its bytes come into these books.
    pub fn far(&self, config: &Config, usage: &Usage, clock: &Clock) -> Option<FarRelay> {
        let (errands, mint) = self.errands.clone().zip(self.mint.clone())?;
        Some(FarRelay::new(config, mint, errands, self.desk()?, usage.clone(), clock.clone()))
    }

    /// What an app leads it by, where it is this process.
    pub async fn led(&self, config: &Config, clock: &Clock) -> Option<Led> {
        let (running, mint) = self.running.clone().zip(self.mint.clone())?;
        Some(Led::by(config, running, mint, clock.clone()).await)
    }

    /// What takes the clients who come to the site's port; `None` where the relay has its own or none.
    pub fn shares_the_port(&self) -> Option<Adoption> {
        self.running.as_ref().filter(|_| self.shares_the_port).map(|relay| relay.adoption())
    }

    /// The relay, where it is in this process.
    pub fn running(&self) -> Option<Arc<Relay>> {
        self.running.clone()
    }
}

/// What a relay does now and then: forgets whom nobody asks for, and looks which addresses its machine has.
pub(super) fn tidy(relay: &Relay) {
    relay.forget_idle();
    if let Some(addresses) = addresses::of_this_machine() {
        relay.is_at(addresses);
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

/// A transport, as it is called and as the system knows it.
type Transport = (&'static str, Type, Protocol);

const UDP: Transport = ("UDP", Type::DGRAM, Protocol::UDP);
const TCP: Transport = ("TCP", Type::STREAM, Protocol::TCP);

impl Addresses {
    /// The port for clients over UDP and TCP.
    fn port_for(&self, config: &Config) -> Result<u16, NoRelay> {
        let port = config.relay.port;
        match self.taken(port, &[UDP, TCP]) {
            // Nobody from outside knows the port of a developer's machine, and several servers may run there.
            Some(_) if self.how == How::Development && !is_asked_for(config) => Ok(0),
            Some((protocol, ..)) => Err(NoRelay::PortTaken { protocol, port }),
            None => Ok(port),
        }
    }

    /// Over which of these somebody has the port. The relay's own sockets share theirs among its threads, and would share it
    /// with anybody who does the same, so it is tried without sharing first.
    fn taken(&self, port: u16, over: &[Transport]) -> Option<Transport> {
        let taken = |transport: &&Transport| {
            self.relayed.iter().any(|address| is_taken(SocketAddr::new(address.bound, port), **transport))
        };
        over.iter().find(taken).copied()
    }
}

fn is_taken(address: SocketAddr, (_, kind, protocol): Transport) -> bool {
    let bound = Socket::new(Domain::for_address(address), kind, Some(protocol)).and_then(|socket| {
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of the last process that are not quite forgotten do not keep a port.
        socket.set_reuse_address(kind == Type::STREAM)?;
        socket.bind(&SockAddr::from(address))?;
        if kind == Type::STREAM { socket.listen(1) } else { Ok(()) }
    });
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}
