//! From settings to a running server, and back to nothing.
//!
//! [`relay`] stands the built-in relay up. [`Server::start`] builds every part and takes the port; [`Server::run`] serves until
//! it is told to stop, then lets go in order: no new connections, sockets closed with a reason, the ledger on disk.

mod alone;
pub mod relay;
mod secured;
mod visitors;

pub use alone::RelayAlone;
pub use relay::RelaySecrets;

use self::{
    relay::{FarRelay, NoRelay, OwnRelay, RelayVoice},
    visitors::{Patience, Visitors},
};
use super::{
    alerts::{Desk, NoWay, Rhythm, Way, gather::Gather},
    certificate::{Certificate, CertificateError},
    clock::Clock,
    cluster::{Cluster, ClusterError, Rates, Teller},
    config::Config,
    doctor::{Checks, Doctor, DoctorError, Trust, rounds},
    files,
    guard::{self, ClientApps, Flow, Guard, Room},
    http::{self, AppState, Needs},
    metrics::Answers,
    operator::Operator,
    paths::{Countries, CountriesError},
    providers::{Grants, RelayDesk, Rotations, StunUrls, Voices},
    relay::Relay,
    signaling::{Rules, SessionSettings, Sessions, StoreError},
    site::{self, UnpackError},
    usage::{Usage, UsageError},
};
use crate::domain::ByteCount;
use axum_client_ip::ClientIpSource;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How often those are forgotten who have not asked for credentials in a while, and the relay looks where it is.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Connections at once, where the system sets no narrower limit.
const MOST_CONNECTIONS: usize = 65_536;

/// How long requests may go on once the server stops; a download that lingers is cut.
const LINGER: Duration = Duration::from_secs(2);

/// A server that has its port.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    state: AppState,
    relay: OwnRelay,
    /// What it relays, for the books.
    voice: Option<RelayVoice>,
    /// What leads it, where it is a process of its own.
    far: Option<FarRelay>,
    clock: Clock,
    /// What looks at everything in the background, and how often.
    doctor: Option<(Box<Doctor>, Duration)>,
    certificate: Option<Certificate>,
    room: Room,
    rotations: Rotations,
    voices: Voices,
    gather: Gather,
    /// How alerts are sent, beside the log.
    ways: Vec<Way>,
    /// At which shares of a limit, in percent.
    stages: Vec<u8>,
    /// The other servers, where there are some.
    cluster: Option<Cluster>,
    /// What tells them what is counted here.
    teller: Option<Teller>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the port.
    #[error("Port {0} is already in use: stop what listens there, or set PORT to another one.")]
    PortInUse(u16),
    /// The address is not one to listen on.
    #[error(
        "{host}:{port} cannot be listened on ({cause}): set HOST to an address of this machine and PORT to a free port."
    )]
    CannotListen {
        /// `HOST`.
        host: String,
        /// `PORT`.
        port: u16,
        /// What the system said.
        cause: io::Error,
    },
    /// There is to be HTTPS, and the certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The built-in relay was asked for, and there is none.
    #[error("TURN_PROVIDERS names relay, and it cannot run: {0}.")]
    Relay(#[from] NoRelay),
    /// A relay alone has nothing to do without.
    #[error("The relay cannot run: {0}.")]
    RelayAlone(NoRelay),
    /// The file of countries cannot be read.
    #[error(transparent)]
    Countries(#[from] CountriesError),
    /// Alerts cannot be sent.
    #[error(transparent)]
    Alerts(#[from] NoWay),
    /// The ledger is not to be had.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The sessions' file is not to be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The pages are within the executable, and stay there.
    #[error(transparent)]
    Site(#[from] UnpackError),
    /// It cannot be one of several servers.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is no client for the providers' APIs.
    #[error("HTTPS cannot be set up ({0}): install the system's CA certificates.")]
    Https(#[from] reqwest::Error),
}

impl Server {
    /// Builds everything and takes the port.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        let listener = listen(&config.app.host, config.app.port).await?;
        let address = listener.local_addr().map_err(|cause| StartError::CannotListen {
            host: config.app.host.clone(),
            port: config.app.port,
            cause,
        })?;
        let config = with_its_own_pages(config)?;
        let executable = std::env::current_exe().ok();
        let leptos = http::leptos_options(&config.app, executable.as_deref(), address);
        let limit = config.limits.monthly_bandwidth_limit_gb;
        let usage = match &config.cluster {
            Some(_) => Usage::open_among_others(&config.app.data_dir, config.all_limits(), clock.clone())?,
            None => Usage::open(&config.app.data_dir, config.all_limits(), clock.clone())?,
        };
        usage.keep(config.ledger.usage_keep_months);
        let cluster = match &config.cluster {
            Some(meeting) => Some(Cluster::join(meeting, usage.node().clone(), clock.clone()).await?),
            None => None,
        };
        let mut teller = cluster.clone().map(|cluster| Teller::new(cluster, usage.clone(), clock.clone()));
        if let Some(teller) = &mut teller {
            teller.begin().await;
        }
        let certificate = read_certificate(&config)?;
        let relay = OwnRelay::stand(&config, certificate.as_ref(), address.port(), &clock).await?;
        let grants = Grants::new(&config, relay.desk(), usage.clone(), clock.clone())?;
        let own = relay.running().zip(relay.desk());
        let voice = own.map(|(relay, desk)| RelayVoice::new(relay, desk, usage.clone(), clock.clone()));
        let far = relay.far(&config, &usage, &clock);
        let ways = Way::all(&config, &[])?;
        let settings = SessionSettings {
            rules: Rules { limit: config.app.session_limit, host_grace: config.app.host_grace },
            most_sessions: config.room.most_sessions,
            most_people: config.room.most_people,
            sockets_per_address: config.room.connections_per_address(),
            entries: config.room.entries(),
            client_url: config.app.client_url.clone(),
            client_ip_source: config.app.client_ip_source.clone(),
            bouncer: relay.bouncer(&config, &clock),
            countries: Countries::open(
                config.operating.country_header.clone(),
                config.operating.geoip_file.as_deref(),
            )?,
            cluster: cluster.clone(),
        };
        let sessions = Sessions::open(&config.app.data_dir, usage.clone(), clock.clone(), settings)?;

        let doctor = doctor(&config, address, relay.desk().as_ref(), &clock);

        tracing::info!("✅ Tessro server listening on port {}", address.port());
        let open = config
            .app
            .client_url
            .as_ref()
            .map_or_else(|| local_url(address, certificate.is_some()), ToString::to_string);
        tracing::info!("Open {open}");
        relay.announce();
        grants.announce();
        let rotations = Rotations::start(&config, clock.clone())?;
        let ledger = usage.clone();
        let voices = Voices::start(&config, grants.known(), clock.clone(), move |said| ledger.hear(said))?;
        voices.announce();
        let apps = ClientApps::new(&config.client_apps);
        if apps.count() > 0 {
            tracing::info!("🔑 Apps that have an API key: {}", apps.count());
        }
        tracing::info!("📊 Bandwidth limit: {} GB/month", as_configured(limit));
        announce_budget(&config);
        let gather = Gather {
            usage: usage.clone(),
            grants: grants.clone(),
            voices: voices.clone(),
            budget: config.money.budget(),
            currency: config.money.currency.clone(),
            clock: clock.clone(),
        };
        if !std::path::Path::new(&*leptos.site_root).is_dir() {
            tracing::warn!(
                "There are no built pages in {}: build with script/server, or set SITE_ROOT",
                leptos.site_root
            );
        }
        let state = AppState::from(Needs {
            leptos,
            sessions,
            usage,
            grants,
            has_certificate: certificate.is_some(),
            flow: Arc::new(Flow::new(config.room.rates())),
            guard: Arc::new(
                Guard::new(config.credentials.rate_limit_credentials, guard::checks_a_day(limit))
                    .among(cluster.as_ref().map(Rates::new)),
            ),
            apps,
            client_ip_source: config.app.client_ip_source,
            answers: Answers::default(),
            checks: Checks::default(),
            money: config.money.clone(),
            voices: voices.clone(),
            operator: Operator::new(&config.app.data_dir, config.operating.admin_token),
            data_dir: config.app.data_dir,
            client_url: config.app.client_url,
        });
        let room = Room::new(most_connections(config.room.most_connections), config.room.connections_per_address());
        let stages = config.limits.bandwidth_stages.percentages().to_vec();
        Ok(Self {
            listener,
            address,
            state,
            relay,
            voice,
            far,
            clock,
            doctor,
            certificate,
            room,
            rotations,
            voices,
            gather,
            ways,
            stages,
            cluster,
            teller,
        })
    }

    /// The same, which looks so often whether its certificate was renewed.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn looking_at_its_certificate_every(self, pause: Duration) -> Self {
        Self { certificate: self.certificate.map(|certificate| certificate.looked_at_every(pause)), ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who is connected.
    pub fn sessions(&self) -> Sessions {
        self.state.sessions.clone()
    }

    /// The built-in relay, where it is in this process.
    pub fn relay(&self) -> Option<Arc<Relay>> {
        self.relay.running()
    }

    /// What has the secrets of the built-in relay, wherever that runs.
    pub fn relay_secrets(&self) -> RelaySecrets {
        self.relay.secrets()
    }

    /// Who hands out credentials.
    pub fn grants(&self) -> Grants {
        self.state.grants.clone()
    }

    /// Which other apps may ask for them.
    pub fn apps(&self) -> ClientApps {
        self.state.apps.clone()
    }

    /// Who changes keys.
    pub fn rotations(&self) -> Rotations {
        self.rotations.clone()
    }

    /// What others than browsers count.
    pub fn voices(&self) -> Voices {
        self.voices.clone()
    }

    /// Serves until `stop` is done, then lets go of everything within seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self {
            listener,
            state,
            relay,
            voice,
            far,
            clock,
            doctor,
            certificate,
            room,
            rotations,
            voices,
            gather,
            ways,
            stages,
            cluster,
            teller,
            ..
        } = self;
        let (grants, data_dir, checks) = (state.grants.clone(), state.data_dir.clone(), state.checks.clone());
        let (sessions, usage, guard) = (state.sessions.clone(), state.usage.clone(), Arc::clone(&state.guard));
        let (operator, flow, ticking) = (state.operator.clone(), Arc::clone(&state.flow), clock.clone());
        let stopping = CancellationToken::new();
        let voice = voice.map(|voice| tokio::spawn(voice.speak(stopping.clone())));
        let far = far.map(|far| tokio::spawn(far.lead(stopping.clone())));
        // A proxy has one address for everybody behind it.
        let by_address = state.client_ip_source == ClientIpSource::ConnectInfo;
        let visitors = Visitors::new(http::app(state), room, by_address, Patience::default());
        let told = CancellationToken::new();
        let telling = teller.map(|mut teller| {
            let told = told.clone();
            tokio::spawn(async move {
                told.run_until_cancelled(teller.run()).await;
                teller
            })
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(grants.clone().take_back_from_who_goes_on(usage.orders()));
        if let Some((doctor, every)) = doctor {
            tasks.spawn(rounds::go(grants, *doctor, checks, every));
        }
        let mut serving = match certificate {
            None => tokio::spawn(visitors.clone().receive(listener)),
            Some(certificate) => {
                let config = certificate.config();
                tasks.spawn(certificate.watch());
                tokio::spawn(secured::receive(listener, config, relay.shares_the_port(), visitors.clone()))
            }
        };
        let desk = Desk::open(&data_dir, ways, stages, Rhythm::default(), clock, move || gather.look());
        let relaying = relay.running();
        tasks.spawn(async move {
            let mut ticks = tokio::time::interval(FORGET_EVERY);
            loop {
                ticks.tick().await;
                guard.forget_idle();
                flow.forget_idle();
                operator.forget_idle(ticking.now());
                if let Some(relay) = &relaying {
                    relay::tidy(relay);
                }
            }
        });

        tokio::select! {
            () = stop => tracing::info!("Stopping"),
            ended = &mut serving => tracing::error!("The listener ended by itself: {ended:?}"),
        }
        stopping.cancel();
        voices.stop();
        sessions.stop().await;
        if !visitors.stop(LINGER).await {
            tracing::info!("Connections that linger are cut");
        }
        serving.abort();
        // They are done once they let go of what they hold.
        tasks.shutdown().await;
        rotations.stop();
        for voice in voice.into_iter().chain(far) {
            if voice.await.is_ok() {
                continue;
            }
            tracing::error!("What the relay counted last is not in the books");
        }
        drop(relay);
        desk.close().await;
        usage.close().await;
        told.cancel();
        if let Some(telling) = telling
            && let Ok(mut teller) = telling.await
        {
            teller.say_goodbye().await;
        }
        if let Some(cluster) = cluster {
            cluster.leave().await;
        }
        tracing::info!("Stopped");
        Ok(())
    }
}

/// Says in the log what a month may cost, and whom that does not bound.
fn announce_budget(config: &Config) {
    let Some(budget) = config.money.budget() else { return };
    tracing::info!("📊 Budget: {}/month", config.money.currency.show(budget.limit));
    for name in config.money.unbounded(config.providers.iter().map(|(name, _)| name)) {
        tracing::info!(
            "The budget does not bound {name}, which has no price: set one in PROVIDER_PRICES if its traffic costs money"
        );
    }
}

/// What looks at a server in the background, and how often; `None` where nothing is to, or there is nobody to trust.
fn doctor(
    config: &Config,
    address: SocketAddr,
    relay: Option<&RelayDesk>,
    clock: &Clock,
) -> Option<(Box<Doctor>, Duration)> {
    let every = config.operating.turn_check_every?;
    let stun = StunUrls::of(config, relay);
    let mut config = config.clone();
    // Any port may have been asked for.
    config.app.port = address.port();
    let doctor = Trust::system()
        .map_err(DoctorError::from)
        .and_then(|trust| Doctor::of_a_server(config, stun, trust, clock.clone()));
    match doctor {
        Ok(doctor) => Some((Box::new(doctor), every)),
        Err(error) => {
            tracing::warn!("Nothing is checked. {error}");
            None
        }
    }
}

/// Where they are within the executable, and `SITE_ROOT` names no others.
fn with_its_own_pages(mut config: Config) -> Result<Config, UnpackError> {
    if let (Some(pages), None) = (&crate::PAGES, &config.app.site_root) {
        config.app.site_root = Some(site::unpack(pages, &config.app.data_dir)?);
    }
    Ok(config)
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((host, port)).await.map_err(|cause| {
        if cause.kind() == io::ErrorKind::AddrInUse {
            return StartError::PortInUse(port);
        }
        StartError::CannotListen { host: host.to_owned(), port, cause }
    })
}

/// How many connections are taken: as many as were set, as far as the system lets this process have that many.
fn most_connections(set: Option<usize>) -> usize {
    let files = usize::try_from(files::most_open()).unwrap_or(usize::MAX);
    // The rest is for the relay, the providers and the disk.
    let fit = (files / 4).saturating_mul(3).clamp(1, MOST_CONNECTIONS);
    match set {
        Some(set) if set > fit => {
            tracing::warn!(
                "MOST_CONNECTIONS is {set}, but no more than {fit} fit: let the system give more files (ulimit -n)"
            );
            fit
        }
        Some(set) => set,
        None => fit,
    }
}

/// `localhost` where it means this machine: browsers trust that name without HTTPS.
fn local_url(address: SocketAddr, secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// The certificate, where one is set.
fn read_certificate(config: &Config) -> Result<Option<Certificate>, CertificateError> {
    config.app.certificate().map(|(certificate, key)| Certificate::read(certificate, key)).transpose()
}

/// Decimal gigabytes without zeros at the end: `1000`, `0.02`.
fn as_configured(limit: ByteCount) -> String {
    let text = limit.gb_text(9).to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_printed_as_it_was_set() {
        for text in ["1000", "0.02", "0", "1.5", "100"] {
            assert_eq!(as_configured(ByteCount::parse_gb(text).unwrap()), text);
        }
    }
}
