//! How a rendering fails. Nothing that goes wrong here goes right when it is tried again.

use std::path::Path;

use bulkhead_sdk::Failure;

/// The payload makes no sense.
pub(crate) fn payload(message: impl Into<String>) -> Failure {
    Failure::validation("bad_payload", message)
}

/// A template cannot be read or rendered: which, where and why.
pub(crate) fn template(error: &minijinja::Error) -> Failure {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        message.push_str(": ");
        message.push_str(&source.to_string());
        cause = source.source();
    }
    Failure::validation("template_error", message)
}

/// The tree, or what it would become, cannot be.
pub(crate) fn tree(message: impl Into<String>) -> Failure {
    Failure::validation("bad_tree", message)
}

/// A file cannot be read or written.
pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::permanent("file_error", format!("cannot {verb} `{}`: {error}", path.display()))
}
