//! Why a grant is none.

use bulkhead_core::HandlerName;
use bulkhead_outbound::TlsError;

/// Why a handler cannot have its grant; for a host that starts.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A setting of the grant breaks a rule.
    #[error("handler.{handler}.grants.http.{setting} {rule}")]
    Setting {
        /// Whose grant it is.
        handler: HandlerName,
        /// The setting.
        setting: String,
        /// The rule that it breaks, and what to do.
        rule: String,
    },
    /// TLS cannot be spoken.
    #[error("handler.{handler}.grants.http.ca is refused")]
    Tls {
        /// Whose grant it is.
        handler: HandlerName,
        /// Why.
        source: TlsError,
    },
}
