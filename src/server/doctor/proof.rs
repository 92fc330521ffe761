//! How the doctor and a running server know each other, with nothing set up: both have the data directory.
//!
//! The doctor makes an empty file there whose name nobody can guess, and says the name. A server that finds it tells what it sees
//! of the request: to whoever can write to its data it has no secrets. Whoever else learns the name, since the request went
//! astray, has nothing: the file is gone a moment later.

use crate::server::guard::{ClientAddress, forwarded};
use axum::http::{HeaderMap, HeaderName, request::Parts};
use axum_client_ip::ClientIpSource;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

/// Carries the file's name.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("tessro-doctor");

/// An address that belongs to nobody (RFC 5737), and that the doctor pretends to have.
pub(crate) const FORGED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What the server sees of a request by the doctor. Holds no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The version that runs.
    pub tessro: String,
    /// Whether `CLIENT_IP_SOURCE` gives an address.
    pub told: bool,
    /// Whether the address is the one that the doctor pretends to have.
    pub forged: bool,
    /// The headers of proxies that arrived.
    pub headers: Vec<String>,
}

/// The file, which goes away with this.
#[derive(Debug)]
pub(super) struct Proof {
    path: PathBuf,
    name: String,
    /// The directory, if it was made for it: whoever runs the doctor may not be who runs the server.
    made: Option<PathBuf>,
}

impl Proof {
    /// Makes the file, and for as long as it is there the directory where that is missing.
    pub(super) fn write(data_dir: &Path) -> io::Result<Self> {
        let made = (!data_dir.exists()).then(|| data_dir.to_owned());
        fs::create_dir_all(data_dir)?;
        let name = format!("{:032x}", rand::random::<u128>());
        let path = path(data_dir, &name);
        File::create_new(&path)?.sync_all()?;
        Ok(Self { path, name, made })
    }

    /// What the header carries.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("{} could not be removed ({error}): it is empty and does no harm", self.path.display());
        }
        if let Some(made) = &self.made {
            // A server that was started meanwhile has put its data there.
            drop(fs::remove_dir(made));
        }
    }
}

/// What a request looks like from here, if it comes from a doctor who has our data directory.
pub(crate) async fn seen(parts: Parts, data_dir: &Path, source: &ClientIpSource) -> Option<Seen> {
    let name = name_in(&parts.headers)?;
    if !tokio::fs::try_exists(path(data_dir, &name)).await.unwrap_or(false) {
        return None;
    }
    let headers = forwarded::arrived(&parts.headers).iter().map(ToString::to_string).collect();
    let told = ClientAddress::told(parts, source.clone()).await;
    Some(Seen {
        tessro: env!("CARGO_PKG_VERSION").to_owned(),
        told: told.is_some(),
        forged: told == Some(FORGED),
        headers,
    })
}

/// Nothing but what [`Proof`] makes becomes a part of a path.
fn name_in(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(HEADER)?.to_str().ok()?;
    let usable = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    usable.then(|| name.to_owned())
}

fn path(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join(format!("doctor-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(name: &str) -> Parts {
        let request = Request::builder().header(HEADER, name).header("x-real-ip", "192.0.2.1");
        request.body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn only_who_can_write_to_the_data_is_told_anything() {
        let data = tempfile::tempdir().unwrap();
        let proof = Proof::write(data.path()).unwrap();
        let expected = Seen {
            tessro: env!("CARGO_PKG_VERSION").into(),
            told: true,
            forged: true,
            headers: vec!["x-real-ip".into()],
        };
        assert_eq!(seen(parts(proof.name()), data.path(), &ClientIpSource::XRealIp).await, Some(expected));
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(seen(parts(proof.name()), elsewhere.path(), &ClientIpSource::XRealIp).await, None);
        let name = proof.name().to_owned();
        drop(proof);
        assert_eq!(seen(parts(&name), data.path(), &ClientIpSource::XRealIp).await, None);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_was_made_goes_away_again_unless_it_is_used() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        drop(Proof::write(&directory).unwrap());
        assert!(!directory.exists());
        let proof = Proof::write(&directory).unwrap();
        fs::write(directory.join("usage.db"), "").unwrap();
        drop(proof);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_name_is_no_path() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("doctor-x"), "").unwrap();
        for name in ["x", "../doctor-x", "", &"/".repeat(32)] {
            assert_eq!(seen(parts(name), data.path(), &ClientIpSource::XRealIp).await, None, "{name}");
        }
    }
}
