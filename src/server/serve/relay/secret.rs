//! What signs the relay's credentials: as it was set, or made once and kept, so that a restart ends no call.
//!
//! Either may be a list while one secret takes the other's place. It is read again when the settings are.

use super::NoRelay;
use crate::server::{
    config::Config,
    relay::{Mint, Secrets},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::Rng as _;
use secrecy::ExposeSecret as _;
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The file within the data directory.
const FILE: &str = "relay.secret";

/// The secrets, the one that signs first.
pub(super) fn of(config: &Config) -> Result<Secrets, NoRelay> {
    let directory = &config.app.data_dir;
    let failed = |cause| NoRelay::Secret { path: directory.join(FILE), cause };
    let text = match &config.relay.secret {
        Some(secret) => secret.expose_secret().as_bytes().to_vec(),
        None => kept(directory).map_err(failed)?,
    };
    Secrets::parse(&text).ok_or_else(|| failed(io::Error::new(ErrorKind::InvalidData, "it holds no secret")))
}

/// What has a relay's secrets, to exchange them while it runs. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct RelaySecrets(Option<Mint>);

impl RelaySecrets {
    /// Those of this mint; of none, where there is no relay.
    pub(super) fn of(mint: Option<Mint>) -> Self {
        Self(mint)
    }

    /// From now on those that are set hold. What holds stays where they cannot be read.
    pub fn exchange(&self, config: &Config) -> Result<(), NoRelay> {
        if let Self(Some(mint)) = self {
            mint.exchange(&of(config)?);
        }
        Ok(())
    }
}

/// The one in this directory, which is made where it is missing.
fn kept(directory: &Path) -> io::Result<Vec<u8>> {
    fs::create_dir_all(directory)?;
    let path = directory.join(FILE);
    match read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(directory, &path),
        kept => kept,
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let secret = fs::read(path)?;
    if secret.is_empty() { Err(io::Error::new(ErrorKind::InvalidData, "it is empty")) } else { Ok(secret) }
}

/// Another process may be making it as well: the file appears whole, and whoever comes second takes what is there.
fn make(directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let mut secret = [0_u8; 32];
    rand::rng().fill(&mut secret);
    let text = STANDARD.encode(secret);
    let draft = directory.join(format!("{FILE}.{:016x}", rand::random::<u64>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let put = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match put {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => read(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn it_is_made_once_and_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| kept(&data).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0] && secret.len() == 44));
        assert_eq!(fs::metadata(data.join(FILE)).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing else is left");
        assert_ne!(kept(&directory.path().join("other")).unwrap(), secrets[0]);
    }

    #[test]
    fn a_file_that_is_empty_or_cannot_be_made_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "").unwrap();
        assert_eq!(kept(directory.path()).unwrap_err().to_string(), "it is empty");
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(kept(&file).is_err());
    }
}
