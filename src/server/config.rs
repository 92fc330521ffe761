//! What the operator set: one struct per concern, read from flags, the environment and `.env` in that order.
//!
//! Knows every variable and what makes a value usable; refuses to know what is done with it. A variable that is empty
//! counts as unset. Whatever is wrong ends in one sentence that names the variable and says what to write instead.
//! `.env.example` is made from these structs and [`example`] keeps it true.

mod alerts;
mod app;
mod client_apps;
mod cloudflare;
mod cluster;
mod command_line;
mod coturn;
mod credentials;
mod ledger;
mod limits;
mod loadgen;
mod metered;
mod money;
mod naming;
mod operating;
mod provider_usage;
mod providers;
mod relay;
mod room;
mod rotation;
mod secret;
mod static_login;
mod twilio;
mod values;
mod xirsys;

#[cfg(test)]
mod example;
#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod relay_tests;
#[cfg(test)]
mod tests;

pub use alerts::{AlertConfig, MailConfig, MailTls, WebhookConfig};
pub use app::AppConfig;
pub use cloudflare::{CloudflareConfig, CloudflareKey, CloudflareUsage};
pub use cluster::ClusterConfig;
pub use command_line::{AlertErrand, Command};
pub use coturn::{CoturnConfig, CoturnStatistics};
pub use credentials::{CredentialConfig, ProviderNames};
pub use ledger::LedgerConfig;
pub use limits::LimitConfig;
pub use loadgen::LoadConfig;
pub use metered::{MeteredConfig, MeteredKey};
pub use money::MoneyConfig;
pub use naming::variable_of;
pub use operating::OperatingConfig;
pub use providers::ProviderConfig;
pub use relay::{ControlPlace, PublicAddress, RelayConfig, RelayPlace};
pub use room::RoomConfig;
pub use rotation::{CloudflareRotation, CoturnRotation};
pub use static_login::StaticConfig;
pub use twilio::TwilioConfig;
pub use xirsys::XirsysConfig;

use super::{guard::ClientAppConfig, usage::Limits};
use crate::domain::ProviderName;
use command_line::Settings;
use std::{collections::HashMap, ffi::OsString, path::Path, time::Duration};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the app listens and what it serves.
    pub app: AppConfig,
    /// Who gets credentials, and for how long.
    pub credentials: CredentialConfig,
    /// How much may be relayed.
    pub limits: LimitConfig,
    /// How long usage is kept.
    pub ledger: LedgerConfig,
    /// How many people, connections and requests are taken.
    pub room: RoomConfig,
    /// Where this server meets others; `None` where it is the only one.
    pub cluster: Option<ClusterConfig>,
    /// What that costs, and what it may cost.
    pub money: MoneyConfig,
    /// Who is told when something is wrong.
    pub alerts: AlertConfig,
    /// The relay that is part of Tessro.
    pub relay: RelayConfig,
    /// What the operator looks at it with.
    pub operating: OperatingConfig,
    /// How often providers are asked what they counted; `None` for never.
    pub provider_usage_every: Option<Duration>,
    /// Who mints credentials, in the order in which they are asked.
    pub providers: Vec<(ProviderName, ProviderConfig)>,
    /// Other people's apps that may ask for credentials.
    pub client_apps: Vec<ClientAppConfig>,
}

/// Why the server cannot start with what was set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line itself is wrong, or asked for help or the version.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A variable has a value that means nothing.
    #[error("{variable} is `{value}`: {advice}.")]
    BadValue {
        /// The variable.
        variable: String,
        /// What it was set to.
        value: String,
        /// What to write instead.
        advice: String,
    },
    /// A secret has a value that means nothing; it is not repeated.
    #[error("{variable} has a value that cannot be used: {advice}.")]
    BadSecret {
        /// The variable.
        variable: String,
        /// What to write instead.
        advice: &'static str,
    },
    /// One of several variables that only work together.
    #[error("{present} is set but {missing} is not: set both to use {provider}, or neither to run without it.")]
    HalfAProvider {
        /// Whose variables.
        provider: &'static str,
        /// The one that is there.
        present: String,
        /// The one that is not.
        missing: String,
    },
    /// Keys are to be changed, and something is not set that it takes.
    #[error(
        "{present} is set but {missing} is not: set both to have keys changed by themselves, or neither to change them by hand."
    )]
    HalfARotation {
        /// What turns it on.
        present: String,
        /// What it lacks.
        missing: String,
    },
    /// A provider is to be asked what it counted, and something is not set that it takes.
    #[error(
        "{present} is set but {missing} is not: set both to have the provider's own count, or neither to do without it."
    )]
    HalfACount {
        /// The one that is there.
        present: String,
        /// The one that is not.
        missing: String,
    },
    /// The line of providers has one that nothing is known of.
    #[error(
        "TURN_PROVIDERS names {name}, but {missing} is not set: set what {provider} needs, or take the name off the list."
    )]
    NotConfigured {
        /// The name on the list.
        name: ProviderName,
        /// Who it is.
        provider: &'static str,
        /// The first of the variables that it needs.
        missing: String,
    },
    /// There is a budget, and nobody knows what a provider costs.
    #[error(
        "MONTHLY_BUDGET is set, but what {name} costs is not known: set it in PROVIDER_PRICES, such as {name}=10/month+20free, or \
         leave MONTHLY_BUDGET out."
    )]
    NoPrice {
        /// Who.
        name: ProviderName,
    },
    /// A way for alerts, of which something is not set.
    #[error("{present} is set but {missing} is not: set both to send alerts by {way}, or neither.")]
    HalfAWay {
        /// Which way.
        way: &'static str,
        /// The one that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A certificate without its key, or a port for TLS without a certificate.
    #[error(
        "{present} is set but {missing} is not: set TLS_CERT and TLS_KEY to a certificate, or leave {present} out."
    )]
    NoCertificate {
        /// The one that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// The line of providers has the built-in relay, which is not to run.
    #[error("TURN_PROVIDERS names relay, but TURN_RELAY is off: take the name off the list, or write TURN_RELAY=auto.")]
    RelayOff,
    /// Nobody can tell where the relay is.
    #[error(
        "TURN_RELAY is external, but neither TURN_RELAY_PUBLIC_ADDRESS nor TURN_RELAY_NAME is set: write where browsers \
         find `tessro relay`."
    )]
    ExternalRelayNowhere,
    /// A secret is given twice.
    #[error("{variable} and {variable}_FILE are both set: keep one of them.")]
    SecretTwice {
        /// The variable without its ending.
        variable: String,
    },
    /// A secret's file cannot be read.
    #[error("{variable}_FILE names {path}, which cannot be read ({cause}): let it name a file that holds the secret.")]
    SecretFile {
        /// The variable without its ending.
        variable: String,
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file of API keys cannot be read.
    #[error("API_KEYS_FILE names {path}, which cannot be read ({cause}): let it name a file with a line for each app.")]
    ApiKeysFile {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file of API keys has a line that means nothing.
    #[error("API_KEYS_FILE names {path}, whose line {line} cannot be used: {advice}.")]
    ApiKeysLine {
        /// The file.
        path: String,
        /// The number of the line, from 1.
        line: usize,
        /// What to write instead.
        advice: String,
    },
    /// `.env` is there and cannot be used.
    #[error("{path} cannot be read ({cause}): write one NAME=value a line.")]
    DotEnv {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Config {
    /// Every limit on what is relayed, in bytes and in money.
    pub fn all_limits(&self) -> Limits {
        let names = self.providers.iter().map(|(name, _)| name.clone()).collect();
        Limits { budget: self.money.budget().map(|budget| (budget, names)), ..self.limits.all() }
    }

    /// Reads the command line, then the environment, then `.env` in the directory in which the server was started. Doing it
    /// again reads the file again: what it says is never put into the environment.
    pub fn load() -> Result<(Command, Self), ConfigError> {
        let file = read_dot_env(Path::new(".env"))?;
        Self::read(std::env::args_os(), |variable| {
            std::env::var_os(variable).or_else(|| file.get(variable).map(OsString::from))
        })
    }

    /// Reads a command line, and what it leaves open from `variables`.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Command, Self), ConfigError> {
        let (command, settings) = command_line::parse(arguments, &variables)?;
        let Settings {
            app,
            credentials,
            limits,
            ledger,
            room,
            cluster,
            money,
            alerts,
            operating,
            client_apps,
            providers,
            provider_usage,
            relay,
            ..
        } = settings;
        let cluster = cluster.resolve()?;
        let relay = relay.resolve()?;
        let operating = operating.resolve()?;
        let alerts = alerts.resolve()?;
        let client_apps = client_apps.resolve()?;
        let tls_port = relay.tls_port.filter(|_| relay.place == RelayPlace::Here);
        let missing = match (&app.tls_cert, &app.tls_key, tls_port) {
            (Some(_), None, _) => Some(("TLS_CERT", "TLS_KEY")),
            (None, Some(_), _) => Some(("TLS_KEY", "TLS_CERT")),
            (None, None, Some(_)) => Some(("TURN_RELAY_TLS_PORT", "TLS_CERT")),
            (None, None, None) | (Some(_), Some(_), _) => None,
        };
        if let Some((present, missing)) = missing {
            return Err(ConfigError::NoCertificate { present, missing });
        }
        let providers = providers.in_line(credentials.turn_providers.as_ref(), relay.place, &variables)?;
        for name in limits.provider_bandwidth_limits_gb.names() {
            if !providers.iter().any(|(there, _)| there == name) {
                return Err(ConfigError::BadValue {
                    variable: "PROVIDER_BANDWIDTH_LIMITS_GB".to_owned(),
                    value: name.to_string(),
                    advice: "there is no such provider; write one that is configured, as TURN_PROVIDERS names it"
                        .to_owned(),
                });
            }
        }
        money.check(providers.iter().map(|(name, _)| name))?;
        let provider_usage_every = provider_usage.every();
        Ok((
            command,
            Self {
                app,
                credentials,
                limits,
                ledger,
                room,
                cluster,
                money,
                alerts,
                relay,
                operating,
                provider_usage_every,
                providers,
                client_apps,
            },
        ))
    }
}

/// What `.env` says; of a name that stands there twice, what it says first.
fn read_dot_env(path: &Path) -> Result<HashMap<String, String>, ConfigError> {
    let mut read = HashMap::new();
    let lines = dotenvy::from_path_iter(path).and_then(|mut lines| {
        lines.try_for_each(|line| {
            let (variable, value) = line?;
            read.entry(variable).or_insert(value);
            Ok(())
        })
    });
    match lines {
        Ok(()) => Ok(read),
        Err(dotenvy::Error::Io(cause)) if cause.kind() == std::io::ErrorKind::NotFound => Ok(read),
        // The line is not repeated: it may hold a secret.
        Err(dotenvy::Error::LineParse(_, _)) => {
            Err(ConfigError::DotEnv { path: path.display().to_string(), cause: "one of its lines is malformed".into() })
        }
        Err(cause) => Err(ConfigError::DotEnv { path: path.display().to_string(), cause: cause.to_string() }),
    }
}
