//! Certificates, and who trusts them.

use super::super::app::install_ring;
use crate::server::doctor::Trust;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use std::{fs, sync::Arc};
use tempfile::TempDir;

/// An authority of our own.
pub(in crate::tests) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in files.
pub(in crate::tests) struct Issued {
    certificate: Certificate,
    key: KeyPair,
    folder: TempDir,
}

/// Trusts no certificate.
pub(super) fn nobody() -> Trust {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Trust {
    install_ring();
    Trust::of(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

impl Authority {
    pub(in crate::tests) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut about = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("Authority {:x}", rand::random::<u64>());
        about.distinguished_name.push(DnType::CommonName, name);
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = about.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(about, key) }
    }

    /// What others are given who are to trust it.
    pub(in crate::tests) fn pem(&self) -> String {
        pem("CERTIFICATE", self.certificate.der())
    }

    /// Whoever trusts it.
    pub(super) fn trust(&self) -> Trust {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        trusting(roots)
    }

    /// A certificate for `name`, which may be an address.
    pub(in crate::tests) fn issue(&self, name: &str) -> Issued {
        self.sign(CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    /// One whose time is over.
    pub(super) fn issue_expired(&self, name: &str) -> Issued {
        let mut about = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (about.not_before, about.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        self.sign(about)
    }

    fn sign(&self, about: CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = about.signed_by(&key, &self.issuer).unwrap();
        Issued::write(certificate, key)
    }
}

fn pem(what: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

impl Issued {
    /// A certificate that signs itself.
    pub(super) fn by_itself(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self::write(certificate, key)
    }

    fn write(certificate: Certificate, key: KeyPair) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cert.pem"), pem("CERTIFICATE", certificate.der())).unwrap();
        fs::write(folder.path().join("key.pem"), pem("PRIVATE KEY", &key.serialize_der())).unwrap();
        Self { certificate, key, folder }
    }

    /// Two lines of a relay's settings.
    pub(super) fn settings(&self) -> [String; 2] {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        [format!("cert={}", file("cert.pem")), format!("pkey={}", file("key.pem"))]
    }

    /// What a server of ours shows.
    pub(in crate::tests) fn server(&self) -> Arc<ServerConfig> {
        install_ring();
        let chain = vec![CertificateDer::from(self.certificate.der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key.into()).unwrap())
    }
}
