//! How the handlers fail by themselves. Nothing that goes wrong here goes right when it is tried again.

use std::path::Path;

use bulkhead_sdk::Failure;

/// The payload makes no sense.
pub fn payload(message: impl Into<String>) -> Failure {
    Failure::validation("bad_payload", message)
}

/// A file cannot be read or written.
pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::permanent("file_error", format!("cannot {verb} `{}`: {error}", path.display()))
}
