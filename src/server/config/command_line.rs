//! From the command line and the variables to values.
//!
//! A variable becomes a flag that stands before the real ones, so that a flag wins over it. Reading them here rather than
//! in clap lets an empty variable count as unset, keeps the process's environment out of tests, and lets an error name the
//! variable.

use super::{
    AppConfig, ConfigError, CredentialConfig, LedgerConfig, LimitConfig, LoadConfig, MoneyConfig, RoomConfig,
    alerts::AlertArgs, client_apps::ClientAppArgs, cluster::ClusterArgs, naming::Naming, operating::OperatingArgs,
    provider_usage::ProviderUsageArgs, providers::ProviderArgs, relay::RelayArgs,
};
use crate::server::{usage::Month, version::version};
use clap::{
    CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{error::Error, ffi::OsString, path::PathBuf};

/// What the binary is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, clap::Subcommand)]
pub enum Command {
    /// Serve the app. This is what happens without a command.
    #[default]
    Serve,
    /// Look whether everything works: each provider and its relays, then the way to this server.
    ///
    /// Prints a line for each step as it ends; each chain of steps ends at its first failure, with what to do. Exit code: 0 if
    /// nothing is broken, 1 if something is, 2 if the settings cannot be read.
    Doctor {
        /// Print a report in JSON to stdout, and the lines to stderr.
        #[arg(long)]
        json: bool,
    },
    /// Show what was relayed in a month, beside a server that runs.
    ///
    /// Without more: the month at a glance. Months are calendar months in UTC. Exit code: 0, or 1 where the books cannot be read.
    Usage {
        /// Which month, such as 2026-11. Default: this one.
        #[arg(long)]
        month: Option<Month>,
        /// Print every row of evidence as CSV to stdout. There are no names of people in it.
        #[arg(long)]
        csv: bool,
        /// Write a copy of all books to this new file while the server goes on.
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        /// Make every sum from the evidence anew.
        #[arg(long)]
        rebuild: bool,
    },
    /// What tells you when something is wrong.
    Alerts {
        /// What to do with it.
        #[command(subcommand)]
        errand: AlertErrand,
    },
    /// Ask the server with these settings whether it serves, as the container's check does.
    ///
    /// Exit code: 0 if it does, 1 if it does not, 2 if the settings cannot be read.
    Health,
    /// Run the built-in relay alone, with the same settings. With `TURN_RELAY=external` the app hands out its credentials, and
    /// starting the app anew ends no call.
    Relay,
    /// Bring a crowd to a server and measure how it is served.
    ///
    /// Hosts and guests speak the protocol of the pages, at their pace, and come back when their lines break. Try it on a server with a
    /// data directory of its own: sessions and reports are as real as anybody's. Exit code: 0, or 1 where something that was said did
    /// not arrive or somebody did not come back.
    #[command(hide = true)]
    Loadgen(LoadConfig),
}

/// What can be done with alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum AlertErrand {
    /// Send a test alert every way that is set, and say how each went.
    ///
    /// Exit code: 0 if all of them took it, 1 if one did not, 2 if the settings cannot be read.
    Test,
}

/// Watch a film with friends, browser to browser.
///
/// Every setting can be given as a flag, as a variable in the environment, or in a file named .env where the server is started;
/// the first of these that names it wins.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "tessro", version = version(), max_term_width = 100)]
pub(super) struct Settings {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    pub(super) app: AppConfig,
    #[command(flatten)]
    pub(super) credentials: CredentialConfig,
    #[command(flatten)]
    pub(super) limits: LimitConfig,
    #[command(flatten)]
    pub(super) ledger: LedgerConfig,
    #[command(flatten)]
    pub(super) room: RoomConfig,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    #[command(flatten)]
    pub(super) money: MoneyConfig,
    #[command(flatten)]
    pub(super) alerts: AlertArgs,
    #[command(flatten)]
    pub(super) client_apps: ClientAppArgs,
    #[command(flatten)]
    pub(super) operating: OperatingArgs,
    #[command(flatten)]
    pub(super) providers: ProviderArgs,
    #[command(flatten)]
    pub(super) provider_usage: ProviderUsageArgs,
    #[command(flatten)]
    pub(super) relay: RelayArgs,
}

/// Variables for which empty means something else than unset.
pub(super) const MAY_BE_EMPTY: [&str; 1] = ["STUN_URLS"];

/// The command line as it is documented: each argument names its variable, and none looks it up by itself.
pub(super) fn documented() -> clap::Command {
    Settings::command().args_override_self(true).mut_args(|arg| {
        let Some(variable) = variable_of(&arg) else { return arg };
        let note = |help: Option<&clap::builder::StyledStr>| {
            format!("{} [env: {variable}]", help.cloned().unwrap_or_default())
        };
        let (short, long) = (note(arg.get_help()), arg.get_long_help().map(|help| note(Some(help))));
        let arg = arg.help(short).env(None::<&str>).global(true);
        match long {
            Some(long) => arg.long_help(long),
            None => arg,
        }
    })
}

fn variable_of(arg: &clap::Arg) -> Option<String> {
    arg.get_env().and_then(|name| name.to_str()).map(str::to_owned)
}

pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variables: &impl Fn(&str) -> Option<OsString>,
) -> Result<(Command, Settings), ConfigError> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_else(|| "tessro".into());
    let from_variables = flags(&Settings::command(), Naming::default(), variables);
    let line = std::iter::once(program).chain(from_variables).chain(arguments);
    let matches = documented().try_get_matches_from(line).map_err(|error| in_our_words(error, Naming::default()))?;
    let settings = Settings::from_arg_matches(&matches)?;
    Ok((settings.command.clone().unwrap_or_default(), settings))
}

/// The arguments of a provider that has a label, from its variables alone: they have no flags.
pub(super) fn labelled<T: clap::Args>(
    naming: Naming<'_>,
    variables: &impl Fn(&str) -> Option<OsString>,
) -> Result<T, ConfigError> {
    let command = T::augment_args(clap::Command::new("tessro"));
    let line = std::iter::once("tessro".into()).chain(flags(&command, naming, variables));
    let command = command.mut_args(|arg| arg.env(None::<&str>));
    let matches = command.try_get_matches_from(line).map_err(|error| in_our_words(error, naming))?;
    Ok(T::from_arg_matches(&matches)?)
}

/// The variables that are set, as flags.
fn flags(command: &clap::Command, naming: Naming<'_>, variables: &impl Fn(&str) -> Option<OsString>) -> Vec<OsString> {
    let as_flag = |arg: &clap::Arg| {
        let variable = variable_of(arg)?;
        let may_be_empty = MAY_BE_EMPTY.contains(&variable.as_str());
        let value = naming.look_up(&variable, variables, may_be_empty)?;
        let mut flag = OsString::from(format!("--{}=", arg.get_long()?));
        flag.push(value);
        Some(flag)
    };
    command.get_arguments().filter_map(as_flag).collect()
}

/// Whether the variable's value is never repeated.
fn is_secret(variable: &str) -> bool {
    let command = Settings::command();
    command.get_arguments().any(|arg| arg.is_hide_env_values_set() && variable_of(arg).as_deref() == Some(variable))
}

/// A value that does not parse is named by its variable; everything else clap says well itself.
fn in_our_words(error: clap::Error, naming: Naming<'_>) -> ConfigError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let variable = text(ContextKind::InvalidArg)
        .and_then(|arg| Some(arg.split_once('<')?.1.trim_end_matches('>').to_owned()))
        .filter(|variable| !is_secret(variable));
    match (error.kind(), variable, error.source()) {
        (ErrorKind::ValueValidation, Some(variable), Some(advice)) => ConfigError::BadValue {
            variable: naming.variable(&variable),
            value: text(ContextKind::InvalidValue).unwrap_or_default(),
            advice: advice.to_string(),
        },
        _ => ConfigError::CommandLine(error),
    }
}
