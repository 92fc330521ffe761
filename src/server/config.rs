//! What the operator set: one struct per concern, read from flags, the environment and `.env` in that order.
//!
//! Knows every variable and what makes a value usable; refuses to know what is done with it. A variable that is empty
//! counts as unset. Whatever is wrong ends in one sentence that names the variable and says what to write instead.
//! `.env.example` is made from these structs and [`example`] keeps it true.

mod app;
mod cloudflare;
mod command_line;
mod credentials;
mod limits;
mod values;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

pub use app::AppConfig;
pub use cloudflare::CloudflareConfig;
pub use command_line::Command;
pub use credentials::CredentialConfig;
pub use limits::LimitConfig;

use std::{ffi::OsString, path::Path};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the app listens and what it serves.
    pub app: AppConfig,
    /// Who gets credentials, and for how long.
    pub credentials: CredentialConfig,
    /// How much may be relayed.
    pub limits: LimitConfig,
    /// Cloudflare's TURN service; `None` where the operator has no key.
    pub cloudflare: Option<CloudflareConfig>,
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
        variable: &'static str,
        /// What to write instead.
        advice: &'static str,
    },
    /// One of two variables that only work together.
    #[error("{present} is set but {missing} is not: set both to use {provider}, or neither to run without it.")]
    HalfAProvider {
        /// Whose variables.
        provider: &'static str,
        /// The one that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A secret is given twice.
    #[error("{variable} and {variable}_FILE are both set: keep one of them.")]
    SecretTwice {
        /// The variable without its ending.
        variable: &'static str,
    },
    /// A secret's file cannot be read.
    #[error("{variable}_FILE names {path}, which cannot be read ({cause}): let it name a file that holds the secret.")]
    SecretFile {
        /// The variable without its ending.
        variable: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
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
    /// Reads the command line, then the environment, then `.env` in the directory in which the server was started.
    pub fn load() -> Result<(Command, Self), ConfigError> {
        read_dot_env(Path::new(".env"))?;
        Self::read(std::env::args_os(), |variable| std::env::var_os(variable))
    }

    /// Reads a command line, and what it leaves open from `variables`.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(Command, Self), ConfigError> {
        let (command, settings) = command_line::parse(arguments, variables)?;
        let config = Self {
            app: settings.app,
            credentials: settings.credentials,
            limits: settings.limits,
            cloudflare: settings.cloudflare.resolve()?,
        };
        Ok((command, config))
    }
}

/// Puts what `.env` says into the environment, where the environment does not say it already.
fn read_dot_env(path: &Path) -> Result<(), ConfigError> {
    match dotenvy::from_path(path) {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(cause)) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // The line is not repeated: it may hold a secret.
        Err(dotenvy::Error::LineParse(_, _)) => {
            Err(ConfigError::DotEnv { path: path.display().to_string(), cause: "one of its lines is malformed".into() })
        }
        Err(cause) => Err(ConfigError::DotEnv { path: path.display().to_string(), cause: cause.to_string() }),
    }
}
