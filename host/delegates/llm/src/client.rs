//! The HTTP client of a backend: no redirects, no proxy, TLS that trusts whom the system trusts and the `ca` beside.

use std::time::Duration;

use bulkhead_outbound::{TlsError, Trust};
use reqwest::Client;

use crate::{BackendSettings, LlmError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Headers of an answer; hyper reads no more than some 400 KiB of them.
const MAX_HEADERS: usize = 100;

/// A client for one backend, which trusts whom the system trusts and the backend's `ca`.
pub(crate) fn build(
    name: &str,
    settings: &BackendSettings,
    encrypted: bool,
    system: &Trust,
) -> Result<Client, LlmError> {
    let refused = |source: TlsError| LlmError::Tls { backend: name.to_owned(), source };
    let trust = match &settings.ca {
        Some(file) => system.clone().and_file(file).map_err(refused)?,
        None => system.clone(),
    };
    if encrypted && trust.is_empty() {
        return Err(LlmError::NoAuthorities(name.to_owned()));
    }
    let tls = trust.config().map_err(refused)?;
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
        .map_err(|error| LlmError::Client { backend: name.to_owned(), reason: error.without_url().to_string() })
}
