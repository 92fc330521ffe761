//! The certificate that this machine shows, over HTTPS and at the relay: read at the start, and again when its files change.
//!
//! Whoever renews certificates writes new files and tells nobody, so the files are looked at now and then. A connection that is
//! open keeps what it began with, and a new certificate that cannot be used leaves the old one in place.

use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read, or is no PEM.
    #[error("{variable} names {path}, which cannot be used ({cause}): let it name a PEM file with {contents}.")]
    File {
        /// `TLS_CERT` or `TLS_KEY`.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
        /// What it should hold.
        contents: &'static str,
    },
    /// Certificate and key are each all right, and do not belong together, or are of a kind that is not known here.
    #[error("TLS_CERT and TLS_KEY do not make a pair ({0}): write the key that the certificate was made for.")]
    NoPair(rustls::Error),
}

/// A certificate and its key. Clones are the same.
#[derive(Debug, Clone)]
pub struct Certificate {
    files: Files,
    /// What the files were like when they were read: whoever changes them from then on is noticed, however late it is looked.
    known: Stamp,
    look_every: Duration,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What tells a file that was written anew.
type Stamp = [Option<(SystemTime, u64, u64)>; 2];

#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Certificate {
    /// Reads the chain and the key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let known = files.stamp();
        let shown = Arc::new(Shown(RwLock::new(Arc::new(files.read()?))));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::NoPair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        Ok(Self { files, known, look_every: LOOK_EVERY, shown, config: Arc::new(config) })
    }

    /// The same, whose files are looked at after each such pause.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn looked_at_every(self, pause: Duration) -> Self {
        Self { look_every: pause, ..self }
    }

    /// What a server shows it with. Always the newest.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Looks for new files, for ever.
    pub async fn watch(self) {
        let mut known = self.known;
        loop {
            tokio::time::sleep(self.look_every).await;
            let stamp = self.files.stamp();
            if stamp == known {
                continue;
            }
            // Said once for each change, whatever comes of it.
            known = stamp;
            match self.files.read() {
                Ok(read) => {
                    *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                    tracing::info!("The certificate was read again");
                }
                Err(error) => {
                    tracing::error!("The new certificate is not used, and the one from before goes on: {error}");
                }
            }
        }
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, CertificateError> {
        let failed = |variable, path: &Path, contents| {
            let path = path.to_owned();
            move |cause: String| CertificateError::File { variable, path, cause, contents }
        };
        let no_chain = failed("TLS_CERT", &self.certificate, "the certificate and those between it and its root");
        let chain = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = match chain {
            Ok(chain) if !chain.is_empty() => chain,
            Ok(_) => return Err(no_chain("there is no certificate in it".to_owned())),
            Err(error) => return Err(no_chain(error.to_string())),
        };
        let no_key = failed("TLS_KEY", &self.key, "the private key");
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| no_key(error.to_string()))?;
        CertifiedKey::from_der(chain, key, &default_provider()).map_err(CertificateError::NoPair)
    }

    fn stamp(&self) -> Stamp {
        let of = |path: &Path| -> io::Result<_> {
            let file = fs::metadata(path)?;
            Ok((file.modified()?, file.len(), file.ino()))
        };
        [&self.certificate, &self.key].map(|path| of(path).ok())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, client::Resumption};
    use tempfile::TempDir;

    /// Writes a new certificate for `localhost` and its key, and says who trusts it.
    pub(crate) fn write(directory: &TempDir) -> (PathBuf, PathBuf, Arc<ClientConfig>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        fs::write(&certificate, pem("CERTIFICATE", made.cert.der())).unwrap();
        fs::write(&key, pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
        let mut known = RootCertStore::empty();
        known.add(made.cert.der().clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(known)
            .with_no_client_auth();
        // Whoever comes back is not shown the certificate again.
        client.resumption = Resumption::disabled();
        (certificate, key, Arc::new(client))
    }

    fn pem(kind: &str, der: &[u8]) -> String {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
    }

    /// Whether somebody who trusts one certificate alone is content with what is shown.
    fn contents(certificate: &Certificate, client: &Arc<ClientConfig>) -> bool {
        let mut client = ClientConnection::new(Arc::clone(client), "localhost".try_into().unwrap()).unwrap();
        let mut server = rustls::ServerConnection::new(certificate.config()).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            if client.process_new_packets().is_err() {
                return false;
            }
        }
        true
    }

    #[tokio::test]
    async fn new_files_are_shown_and_bad_ones_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let (file, key, old) = write(&directory);
        let certificate = Certificate::read(&file, &key).unwrap();
        assert!(contents(&certificate, &old));
        let pause = Duration::from_millis(5);
        let watching = tokio::spawn(certificate.clone().looked_at_every(pause).watch());

        let before = fs::read(&file).unwrap();
        fs::write(&file, "torn").unwrap();
        tokio::time::sleep(pause * 20).await;
        assert!(contents(&certificate, &old), "the one from before goes on");
        fs::write(&file, before).unwrap();
        // Two writes within one tick of the file system's clock would look like one.
        tokio::time::sleep(pause * 4).await;

        let (_, _, new) = write(&directory);
        let renewed = async {
            while !contents(&certificate, &new) {
                tokio::time::sleep(pause).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), renewed).await.unwrap();
        assert!(!contents(&certificate, &old));
        watching.abort();
    }

    #[test]
    fn what_cannot_be_used_is_named_with_what_to_write_instead() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ((certificate, key, _), (_, foreign, _)) = (write(&one), write(&other));
        let absent = one.path().join("absent");
        let sentence = |certificate: &Path, key: &Path| Certificate::read(certificate, key).unwrap_err().to_string();
        assert!(sentence(&absent, &key).starts_with("TLS_CERT names"));
        assert!(sentence(&certificate, &absent).starts_with("TLS_KEY names"));
        assert!(sentence(&key, &key).contains("there is no certificate in it"));
        assert!(sentence(&certificate, &certificate).starts_with("TLS_KEY names"));
        assert!(sentence(&certificate, &foreign).contains("do not make a pair"));
    }
}
