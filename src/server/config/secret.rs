//! A secret from its variable, or from the file that the variable with `_FILE` names.

use super::{ConfigError, naming::Naming};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;

/// Where a secret may stand.
pub(super) struct Secret<'a> {
    pub(super) naming: Naming<'a>,
    /// The variable without a label.
    pub(super) variable: &'static str,
    pub(super) value: Option<SecretString>,
    pub(super) file: Option<PathBuf>,
}

impl Secret<'_> {
    /// A key or token: what stands in headers and queries, so visible ASCII without a space.
    pub(super) fn token(self) -> Result<Option<SecretString>, ConfigError> {
        let advice = "copy it again, one line of letters, digits and signs";
        self.read(advice, |text| text.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    /// A password as people choose it: one line of anything.
    pub(super) fn password(self) -> Result<Option<SecretString>, ConfigError> {
        self.read("write one line without control characters", |text| !text.chars().any(char::is_control))
    }

    /// The address of a Redis or Valkey, with its password.
    pub(super) fn redis(self) -> Result<Option<SecretString>, ConfigError> {
        let variable = self.naming.variable(self.variable);
        let Some(address) = self.token()? else { return Ok(None) };
        if redis::Client::open(address.expose_secret()).is_err() {
            let advice = "write an address such as redis://:password@127.0.0.1:6379, or rediss:// for TLS, with signs in the \
                          password written as %40 and the like";
            return Err(ConfigError::BadSecret { variable, advice });
        }
        Ok(Some(address))
    }

    fn read(self, advice: &'static str, usable: fn(&str) -> bool) -> Result<Option<SecretString>, ConfigError> {
        let variable = self.naming.variable(self.variable);
        let secret = match (self.value, self.file) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(ConfigError::SecretTwice { variable }),
            (Some(value), None) => SecretString::from(value.expose_secret().trim()),
            (None, Some(file)) => match std::fs::read_to_string(&file) {
                Ok(text) => SecretString::from(text.trim()),
                Err(cause) => {
                    return Err(ConfigError::SecretFile { variable, path: file.display().to_string(), cause });
                }
            },
        };
        let text = secret.expose_secret();
        if text.is_empty() || !usable(text) {
            return Err(ConfigError::BadSecret { variable, advice });
        }
        Ok(Some(secret))
    }
}
