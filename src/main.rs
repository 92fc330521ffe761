//! The binary: parses the command line and runs a subcommand.

use anyhow::Context as _;
use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};
use tessro::server::{
    alerts,
    clock::Clock,
    config::{AlertErrand, Command, Config, ConfigError, LoadConfig},
    doctor,
    guard::ClientApps,
    health, loadgen,
    providers::{Grants, Rotations, Voices},
    serve::{RelayAlone, RelaySecrets, Server},
    usage::{self, Ask},
};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let installed = rustls::crypto::ring::default_provider().install_default();
    debug_assert!(installed.is_ok(), "nothing runs before this line");
    let (command, config) = match Config::load() {
        Ok(loaded) => loaded,
        // Help and version are answers, not errors; it also knows how to show a usage line.
        Err(ConfigError::CommandLine(answer)) => answer.exit(),
        Err(error) => {
            give_up(&error.into());
            return ExitCode::from(doctor::UNUSABLE);
        }
    };
    let done = match command {
        Command::Serve => serve(config).map(|()| ExitCode::SUCCESS),
        Command::Relay => relay(config).map(|()| ExitCode::SUCCESS),
        Command::Doctor { json } => examine(config, json),
        Command::Usage { month, csv, backup, rebuild } => {
            usage::answer(&config, &Clock::system(), Ask { month, csv, backup, rebuild }, &mut std::io::stdout().lock())
                .map(|()| ExitCode::SUCCESS)
                .map_err(Into::into)
        }
        Command::Health => ask_for_health(&config).map(|()| ExitCode::SUCCESS),
        Command::Alerts { errand: AlertErrand::Test } => try_alerts(&config),
        Command::Loadgen(load) => bring_a_crowd(&load),
    };
    done.unwrap_or_else(|error| give_up(&error))
}

fn give_up(error: &anyhow::Error) -> ExitCode {
    eprintln!("tessro: {error:#}");
    ExitCode::FAILURE
}

fn examine(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads to be had")?;
    match runtime.block_on(doctor::run(config, json)) {
        Ok(code) => Ok(code),
        Err(error) => {
            give_up(&error.into());
            Ok(ExitCode::from(doctor::UNUSABLE))
        }
    }
}

fn ask_for_health(config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads to be had")?;
    runtime.block_on(health::ask(&config.app))?;
    Ok(())
}

/// Leaves as the doctor does.
fn try_alerts(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads to be had")?;
    match runtime.block_on(alerts::trial::run(config, &[], &mut std::io::stdout())) {
        Ok(is_well) => Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Err(error) => {
            give_up(&error.into());
            Ok(ExitCode::from(doctor::UNUSABLE))
        }
    }
}

fn bring_a_crowd(load: &LoadConfig) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to be had")?;
    let report = runtime.block_on(loadgen::run(load))?;
    let text = if load.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(config: Config) -> anyhow::Result<()> {
    begin(&config)?.block_on(async {
        // Before anything is announced: who reads that the server listens may stop it at once.
        let mut signals = Signals::listen()?;
        let server = Server::start(config, Clock::system()).await?;
        let (grants, apps, rotations) = (server.grants(), server.apps(), server.rotations());
        let (voices, secrets) = (server.voices(), server.relay_secrets());
        server.run(async move { signals.stop(|| reread(&grants, &apps, &rotations, &voices, &secrets)).await }).await?;
        Ok(())
    })
}

fn relay(config: Config) -> anyhow::Result<()> {
    begin(&config)?.block_on(async {
        let mut signals = Signals::listen()?;
        let relay = RelayAlone::start(config, Clock::system()).await?;
        let secrets = relay.secrets();
        relay.run(async move { signals.stop(|| reread_secrets(&secrets)).await }).await;
        Ok(())
    })
}

/// The log, and threads.
fn begin(config: &Config) -> anyhow::Result<Runtime> {
    let filter = EnvFilter::try_new(&config.app.rust_log).context("RUST_LOG cannot be used")?;
    let colours = std::io::stdout().is_terminal();
    // A line that cannot be written, since the terminal was closed, is no reason to stop in disorder.
    let log = tracing_subscriber::fmt().log_internal_errors(false);
    log.with_env_filter(filter).with_ansi(colours).with_target(false).init();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to be had")
}

/// What the system tells a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    started_in_a_terminal: bool,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?,
            hangup: signal(SignalKind::hangup()).context("SIGHUP cannot be handled")?,
            started_in_a_terminal: has_terminal(),
        })
    }

    /// Waits until the process is to stop.
    async fn stop(&mut self, reread: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                // A terminal that is closed says goodbye with the same signal.
                _ = self.hangup.recv() => if self.started_in_a_terminal && !has_terminal() { break } else { reread() },
            }
        }
    }
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Reads the settings again and uses what they say of credentials. What they say of all else waits for the next start.
fn reread(grants: &Grants, apps: &ClientApps, rotations: &Rotations, voices: &Voices, secrets: &RelaySecrets) {
    let exchange = || {
        let (_, config) = Config::load()?;
        grants.exchange(&config)?;
        apps.exchange(&config.client_apps);
        rotations.exchange(&config)?;
        voices.exchange(&config)?;
        secrets.exchange(&config)?;
        anyhow::Ok(())
    };
    match exchange() {
        Ok(()) => tracing::info!("Settings of credentials were read again"),
        Err(error) => tracing::error!("Settings were not read again: {error:#} What was set before goes on"),
    }
}

/// Reads the settings again, for a relay without an app: its secrets. Certificates it reads by itself.
fn reread_secrets(secrets: &RelaySecrets) {
    let exchange = || {
        let (_, config) = Config::load()?;
        secrets.exchange(&config)?;
        anyhow::Ok(())
    };
    match exchange() {
        Ok(()) => tracing::info!("The relay's secrets were read again; all else waits for the next start"),
        Err(error) => tracing::error!("Settings were not read again: {error:#} What was set before goes on"),
    }
}
