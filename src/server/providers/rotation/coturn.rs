//! The secrets in coturn's SQLite database.
//!
//! coturn 4.6 was seen to ask its database at every allocation, so that a secret counts from the moment at which it is in the
//! table, and no more from the one at which it is out; what is allocated goes on. Its configuration file it reads once: neither
//! SIGHUP nor SIGUSR2 makes it read `static-auth-secret` again, so there is no such form of a rotation. Its connection has no
//! patience, so each change here is a single statement. A secret begins with its name, which tells ours from the operator's.

use super::{
    core::Listed,
    ring::{Key, KeyId, KeyName},
};
use crate::server::config::CoturnRotation;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::{path::PathBuf, time::Duration};

/// Between a secret's name and what is secret of it.
const BETWEEN: char = '.';

/// How long to wait for coturn or `turnadmin` to be done with the file.
const BUSY: Duration = Duration::from_secs(5);

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error(
        "coturn's database {path} cannot be used ({cause}). Set COTURN_DATABASE to what coturn has as userdb, and let the user that \
         runs Tessro write to it and to its directory"
    )]
    File { path: PathBuf, cause: rusqlite::Error },
    #[error("the secret is not in coturn's database {path} any more. Look who else changes the table turn_secret")]
    Gone { path: PathBuf },
}

/// The secrets of one realm.
#[derive(Debug, Clone)]
pub(super) struct CoturnSecrets {
    path: PathBuf,
    realm: String,
}

impl CoturnSecrets {
    pub(super) fn new(config: &CoturnRotation) -> Self {
        Self { path: config.database.clone(), realm: config.realm.clone() }
    }

    pub(super) fn list(&self) -> Result<Vec<Listed>, DatabaseError> {
        Ok(self.secrets()?.into_iter().map(|(listed, _)| listed).collect())
    }

    pub(super) fn create(&self, name: &KeyName) -> Result<(KeyId, SecretString), DatabaseError> {
        let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let secret = format!("{name}{BETWEEN}{random}");
        self.with(|database| {
            let insert = "INSERT INTO turn_secret (realm, value) VALUES (?1, ?2)";
            database.execute(insert, params![self.realm, secret])
        })?;
        Ok((id_of(&secret), SecretString::from(secret)))
    }

    /// Sees it in the table, where coturn will look for it.
    pub(super) fn prove(&self, key: &Key) -> Result<(), DatabaseError> {
        let found = self.with(|database| {
            let select = "SELECT 1 FROM turn_secret WHERE realm = ?1 AND value = ?2";
            database.query_row(select, params![self.realm, key.secret.expose_secret()], |_| Ok(())).optional()
        })?;
        found.ok_or_else(|| DatabaseError::Gone { path: self.path.clone() })
    }

    pub(super) fn delete(&self, id: &KeyId) -> Result<(), DatabaseError> {
        let Some((_, secret)) = self.secrets()?.into_iter().find(|(listed, _)| listed.id == *id) else { return Ok(()) };
        let delete = "DELETE FROM turn_secret WHERE realm = ?1 AND value = ?2";
        self.with(|database| database.execute(delete, params![self.realm, secret.expose_secret()]))?;
        Ok(())
    }

    fn secrets(&self) -> Result<Vec<(Listed, SecretString)>, DatabaseError> {
        self.with(|database| {
            let mut rows = database.prepare("SELECT value FROM turn_secret WHERE realm = ?1")?;
            let values: Result<Vec<String>, _> = rows.query_map([&self.realm], |row| row.get(0))?.collect();
            let ours = |secret: String| {
                let name = KeyName::parse(secret.split_once(BETWEEN)?.0)?;
                Some((Listed { name, id: id_of(&secret) }, SecretString::from(secret)))
            };
            Ok(values?.into_iter().filter_map(ours).collect())
        })
    }

    /// Opens it anew each time: it may have been replaced, and a file that we made ourselves would be nobody's.
    fn with<T>(&self, statement: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        let open = || {
            let database = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            database.busy_timeout(BUSY)?;
            statement(&database)
        };
        open().map_err(|cause| DatabaseError::File { path: self.path.clone(), cause })
    }
}

/// What tells a secret without telling it.
fn id_of(secret: &str) -> KeyId {
    KeyId(URL_SAFE_NO_PAD.encode(Sha256::digest(secret)))
}
