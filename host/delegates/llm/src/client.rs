//! The HTTP client of a backend: no redirects, no proxy, TLS that trusts whom the system trusts and the `ca` beside.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::{BackendSettings, LlmError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Headers of an answer; hyper reads no more than some 400 KiB of them.
const MAX_HEADERS: usize = 100;

/// The certificates of authorities that the system has; none where no backend needs them.
pub(crate) struct SystemRoots(Vec<CertificateDer<'static>>);

impl SystemRoots {
    /// Reads them, which takes some milliseconds, where a backend is asked over https.
    pub(crate) fn load(needed: bool) -> Self {
        Self(if needed { rustls_native_certs::load_native_certs().certs } else { Vec::new() })
    }
}

/// A client for one backend.
pub(crate) fn build(
    name: &str,
    settings: &BackendSettings,
    encrypted: bool,
    system: &SystemRoots,
) -> Result<Client, LlmError> {
    let refused = |reason: String| LlmError::Client { backend: name.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system.0.iter().cloned());
    if let Some(path) = &settings.ca {
        let unusable = |reason: String| LlmError::Authorities {
            backend: name.to_owned(),
            path: path.display().to_string(),
            reason,
        };
        let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let found = found.map_err(|error| unusable(error.to_string()))?;
        if found.is_empty() {
            return Err(unusable("there is none".to_owned()));
        }
        for certificate in found {
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
    }
    if encrypted && roots.is_empty() {
        return Err(LlmError::NoAuthorities(name.to_owned()));
    }
    // Named here, since another crate could have made another provider the default of the process, or none.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| refused(error.to_string()))?.with_root_certificates(roots).with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // How often a question is asked is decided, and counted, in `candidate`.
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(usize::try_from(settings.concurrency.get()).unwrap_or(usize::MAX))
        .http1_max_headers(MAX_HEADERS)
        .user_agent(concat!("bulkhead/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| refused(error.without_url().to_string()))
}
