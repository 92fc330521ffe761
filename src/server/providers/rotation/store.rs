//! The ring on disk: one file a provider, readable by nobody else, replaced as a whole.
//!
//! Who has the [`Store`] is the only one who writes: a lock keeps out a second process, and the same process after its settings
//! were read again. Everyone may [`read`].

use super::ring::{Key, KeyId, KeyName, Retired, Ring};
use crate::domain::{ProviderName, UnixMillis};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// The directory within the data directory.
const DIRECTORY: &str = "keys";

/// The form of the file.
const LAYOUT: u32 = 1;

/// Why keys cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(
        "{path} cannot be used ({cause}). Make it and its directory writable for the user that runs Tessro, or set DATA_DIR to a \
         directory that is"
    )]
    File { path: PathBuf, cause: io::Error },
    #[error(
        "{path} is not what was written there. Put back a copy of it, or delete it: the keys in it then stay at the provider \
         until you delete those that begin with `tessro-`"
    )]
    Malformed { path: PathBuf },
}

/// The file of one provider's keys, for the one who writes it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// Held as long as this lives.
    _lock: File,
}

/// The file for a provider; `place` tells accounts and realms apart, so that keys of one are never looked for in another.
pub(super) fn path(data_dir: &Path, name: &ProviderName, place: &str) -> PathBuf {
    let label = name.label().map(|label| format!("-{label}")).unwrap_or_default();
    data_dir.join(DIRECTORY).join(format!("{}{label}.{place}.json", name.kind()))
}

/// What is on disk; an empty ring where there is no file yet.
pub(super) fn read(path: &Path) -> Result<Ring, StoreError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Ring::default()),
        Err(cause) => return Err(StoreError::File { path: path.to_owned(), cause }),
    };
    let written: Option<WrittenRing> = serde_json::from_slice(&text).ok();
    let ring = written.filter(|written| written.layout == LAYOUT).and_then(WrittenRing::read);
    ring.ok_or_else(|| StoreError::Malformed { path: path.to_owned() })
}

impl Store {
    /// The file, `None` while someone else has it.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        Self::lock(path).map_err(|cause| StoreError::File { path: path.to_owned(), cause })
    }

    fn lock(path: &Path) -> io::Result<Option<Self>> {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let lock = private().create(true).truncate(false).open(with_ending(path, "lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path: path.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(cause),
        }
    }

    /// What is on disk.
    pub(super) fn read(&self) -> Result<Ring, StoreError> {
        read(&self.path)
    }

    /// Replaces it; whoever reads sees all of it or what was there before, also after a power cut.
    pub(super) fn write(&self, ring: &Ring) -> Result<(), StoreError> {
        self.replace(ring).map_err(|cause| StoreError::File { path: self.path.clone(), cause })
    }

    fn replace(&self, ring: &Ring) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&WrittenRing::of(ring))?;
        let new = with_ending(&self.path, "new");
        // One that is left over may have been opened for others.
        match fs::remove_file(&new) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        let mut file = private().create_new(true).open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let directory = self.path.parent().map(File::open).transpose()?;
        directory.map_or(Ok(()), |directory| directory.sync_all())
    }
}

/// For writing, by its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}

#[derive(Serialize, Deserialize)]
struct WrittenRing {
    layout: u32,
    making: Option<String>,
    next: Option<WrittenKey>,
    current: Option<WrittenKey>,
    retired: Vec<WrittenRetired>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    name: String,
    id: String,
    secret: String,
    created_at: UnixMillis,
    life_seconds: u64,
}

#[derive(Serialize, Deserialize)]
struct WrittenRetired {
    key: WrittenKey,
    at: UnixMillis,
}

impl WrittenRing {
    fn of(ring: &Ring) -> Self {
        let retired = |retired: &Retired| WrittenRetired { key: WrittenKey::of(&retired.key), at: retired.at };
        Self {
            layout: LAYOUT,
            making: ring.making.as_ref().map(ToString::to_string),
            next: ring.next.as_ref().map(WrittenKey::of),
            current: ring.current.as_ref().map(WrittenKey::of),
            retired: ring.retired.iter().map(retired).collect(),
        }
    }

    fn read(self) -> Option<Ring> {
        let key = |written: Option<WrittenKey>| written.map_or(Some(None), |written| written.read().map(Some));
        let making = match self.making {
            Some(name) => Some(KeyName::parse(&name)?),
            None => None,
        };
        let retired = |retired: WrittenRetired| Some(Retired { key: retired.key.read()?, at: retired.at });
        Some(Ring {
            making,
            next: key(self.next)?,
            current: key(self.current)?,
            retired: self.retired.into_iter().map(retired).collect::<Option<_>>()?,
        })
    }
}

impl WrittenKey {
    fn of(key: &Key) -> Self {
        Self {
            name: key.name.to_string(),
            id: key.id.0.clone(),
            secret: key.secret.expose_secret().to_owned(),
            created_at: key.created_at,
            life_seconds: key.life.as_secs(),
        }
    }

    fn read(self) -> Option<Key> {
        Some(Key {
            name: KeyName::parse(&self.name)?,
            id: KeyId(self.id),
            secret: SecretString::from(self.secret),
            created_at: self.created_at,
            life: Duration::from_secs(self.life_seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn key(number: u64) -> Key {
        Key {
            name: KeyName::from_random(number),
            id: KeyId(format!("id-{number}")),
            secret: SecretString::from(format!("secret-{number}")),
            created_at: UnixMillis(number),
            life: Duration::from_secs(number),
        }
    }

    fn ring() -> Ring {
        let retired = vec![Retired { key: key(3), at: UnixMillis(9) }];
        Ring { making: Some(KeyName::from_random(0)), next: Some(key(1)), current: Some(key(2)), retired }
    }

    #[test]
    fn a_ring_is_read_back_and_is_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let path = path(data.path(), &"cloudflare:eu".parse().unwrap(), "account");
        assert!(path.ends_with("keys/cloudflare-eu.account.json"));
        assert_eq!(read(&path).unwrap(), Ring::default());
        let store = Store::open(&path).unwrap().unwrap();
        // What another one left there was readable for all.
        fs::write(path.with_extension("new"), "").unwrap();
        for ring in [ring(), Ring::default(), ring()] {
            store.write(&ring).unwrap();
            assert_eq!(read(&path).unwrap(), ring);
        }
        assert_eq!(read(&path).unwrap().current.unwrap().secret.expose_secret(), "secret-2");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(!format!("{:?}", ring()).contains("secret-"));
    }

    #[test]
    fn one_writes_at_a_time() {
        let data = tempfile::tempdir().unwrap();
        let path = path(data.path(), &"coturn".parse().unwrap(), "realm");
        let first = Store::open(&path).unwrap().unwrap();
        assert!(Store::open(&path).unwrap().is_none());
        drop(first);
        assert!(Store::open(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_that_means_nothing_is_left_as_it_is() {
        let data = tempfile::tempdir().unwrap();
        let path = path(data.path(), &"coturn".parse().unwrap(), "realm");
        Store::open(&path).unwrap().unwrap().write(&ring()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let broken = [
            text.replace("tessro-", "others-"),
            text.replace("\"layout\": 1", "\"layout\": 2"),
            text[..text.len() - 3].to_owned(),
            String::new(),
        ];
        for broken in broken {
            assert_ne!(broken, text);
            fs::write(&path, &broken).unwrap();
            let sentence = read(&path).unwrap_err().to_string();
            assert!(sentence.contains("Put back a copy") && !sentence.contains("secret-"), "{sentence}");
        }
    }
}
