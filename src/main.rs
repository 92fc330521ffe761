//! The binary: parses the command line and runs a subcommand.

use anyhow::Context as _;
use std::{io::IsTerminal as _, process::ExitCode};
use tessro::server::{
    clock::Clock,
    config::{Command, Config, ConfigError},
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
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_target(false).init();

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to be had")?;
    runtime.block_on(async {
        // Before anything is announced: who reads that the server listens may stop it at once.
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
        let server = Server::start(config, Clock::system()).await?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
            }
        };
        server.run(stop).await?;
        Ok(())
    })
}
