//! TLS to the server: always with a certificate that is checked.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What speaks TLS where the address asks for it; it trusts the authorities of this file, else those of the system.
pub(super) fn connector(mode: SslMode, authorities: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let trusted = match (mode, authorities) {
        (SslMode::Require, Some(file)) => of_file(file)?,
        (SslMode::Require, None) => of_system()?,
        _ => RootCertStore::empty(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(trusted).with_no_client_auth()))
}

fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let unusable = |why: String| format!("store.ca, `{}`: {why}", file.display());
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    let mut trusted = RootCertStore::empty();
    for certificate in certificates {
        trusted.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if trusted.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(trusted)
}

fn of_system() -> Result<RootCertStore, String> {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if trusted.is_empty() {
        return Err(
            "the system has no certificates of authorities; install ca-certificates, or set store.ca".to_owned()
        );
    }
    Ok(trusted)
}
