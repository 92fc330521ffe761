//! The binary: parses the command line and runs a subcommand.

use anyhow::Context as _;
use std::{fs::File, io::IsTerminal as _, process::ExitCode};
use tessro::server::{
    clock::Clock,
    config::{Command, Config, ConfigError},
    providers::{Grants, Rotations},
    serve::Server,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let installed = rustls::crypto::ring::default_provider().install_default();
    debug_assert!(installed.is_ok(), "nothing runs before this line");
    let (command, config) = match Config::load() {
        Ok(loaded) => loaded,
        // Help and version are answers, not errors; it also knows how to show a usage line.
        Err(ConfigError::CommandLine(answer)) => answer.exit(),
        Err(error) => return give_up(&error.into()),
    };
    let done = match command {
        Command::Serve => serve(config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => give_up(&error),
    }
}

fn give_up(error: &anyhow::Error) -> ExitCode {
    eprintln!("tessro: {error:#}");
    ExitCode::FAILURE
}

fn serve(config: Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.app.rust_log).context("RUST_LOG cannot be used")?;
    let colours = std::io::stdout().is_terminal();
    // A line that cannot be written, since the terminal was closed, is no reason to stop in disorder.
    let log = tracing_subscriber::fmt().log_internal_errors(false);
    log.with_env_filter(filter).with_ansi(colours).with_target(false).init();

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to be had")?;
    runtime.block_on(async {
        // Before anything is announced: who reads that the server listens may stop it at once.
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
        let mut hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be handled")?;
        let started_in_a_terminal = has_terminal();
        let server = Server::start(config, Clock::system()).await?;
        let (grants, rotations) = (server.grants(), server.rotations());
        let stop = async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    // A terminal that is closed says goodbye with the same signal.
                    _ = hangup.recv() => {
                        if started_in_a_terminal && !has_terminal() { break }
                        reread(&grants, &rotations);
                    }
                }
            }
        };
        server.run(stop).await?;
        Ok(())
    })
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Reads the settings again and uses what they say of credentials. What they say of all else waits for the next start.
fn reread(grants: &Grants, rotations: &Rotations) {
    let exchange = || {
        let (_, config) = Config::load()?;
        grants.exchange(&config)?;
        rotations.exchange(&config)?;
        anyhow::Ok(())
    };
    match exchange() {
        Ok(()) => tracing::info!("Settings of credentials were read again"),
        Err(error) => tracing::error!("Settings were not read again: {error:#} What was set before goes on"),
    }
}
