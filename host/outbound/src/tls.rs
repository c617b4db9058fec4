//! TLS, by rustls on ring.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why TLS cannot be spoken at all.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Nobody is trusted.
    #[error("the system has no certificates of authorities; install ca-certificates")]
    NoAuthorities,
    /// The file of authorities is none.
    #[error("the file of authorities must hold certificates in PEM ({reason}): `{path}`")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// rustls refuses what it is set up with.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Whose certificates are believed.
#[derive(Debug, Clone)]
pub struct Trust(RootCertStore);

impl Trust {
    /// In nobody.
    pub fn none() -> Self {
        Self(RootCertStore::empty())
    }

    /// In whom the system trusts, which takes some milliseconds to read.
    pub fn of_the_system() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self(roots)
    }

    /// In the authorities of this file, in PEM, as well.
    pub fn and_file(mut self, path: &Path) -> Result<Self, TlsError> {
        let refuse = |reason: String| TlsError::Authorities { path: path.display().to_string(), reason };
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))? {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            self.0.add(certificate).map_err(|error| refuse(error.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(refuse("it holds none".to_owned()));
        }
        Ok(self)
    }

    /// Whether it is in nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// TLS with this trust, by rustls on ring whatever else the process has made its default.
    pub fn config(self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(builder.with_root_certificates(self.0).with_no_client_auth())
    }
}

/// TLS that trusts whom the system trusts, and the authorities of this file, where one is given.
pub fn tls_config(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let trust = Trust::of_the_system();
    let trust = match authorities {
        Some(file) => trust.and_file(file)?,
        None => trust,
    };
    if trust.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    trust.config().map(Arc::new)
}

/// Begins TLS on a connection to this name or address, and checks that the other side is it.
pub async fn encrypt(host: &str, stream: TcpStream, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| io::Error::other("the name is none for TLS"))?;
    TlsConnector::from(config).connect(name, stream).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "hello").unwrap();
        assert!(tls_config(Some(&file)).unwrap_err().to_string().contains("ca.pem"));
        assert!(tls_config(Some(&folder.path().join("nowhere.pem"))).is_err());
    }

    #[test]
    fn a_file_of_authorities_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(&file, certificate.cert.pem()).unwrap();
        tls_config(Some(&file)).unwrap();
    }
}
