//! Why the backends cannot be set up.

use bulkhead_outbound::TlsError;

use crate::KeyError;

/// What is wrong with `[llm]`. Nothing of a key is said.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// A setting is out of its bounds.
    #[error("{name} {rule}")]
    Setting {
        /// The setting.
        name: String,
        /// What it must be.
        rule: String,
    },
    /// A backend's key is not there.
    #[error("llm.backends.{backend}")]
    Key {
        /// The backend.
        backend: String,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The file of authorities cannot be read, or TLS cannot be spoken.
    #[error("llm.backends.{backend}.ca is refused")]
    Tls {
        /// The backend.
        backend: String,
        /// Why.
        source: TlsError,
    },
    /// Nobody is trusted.
    #[error(
        "llm.backends.{0} is asked over https and the system has no certificates of authorities; install \
         ca-certificates, or give the backend a `ca`"
    )]
    NoAuthorities(String),
    /// There is no client.
    #[error("llm.backends.{backend} cannot be asked: {reason}")]
    Client {
        /// The backend.
        backend: String,
        /// Why.
        reason: String,
    },
    /// There are no metrics.
    #[error("the metrics of language models cannot be made")]
    Metrics(#[from] prometheus::Error),
}
