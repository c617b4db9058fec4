//! A handler and one version of it.

use crate::{Digest, HandlerName};

/// What a run records of the handler that ran it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HandlerVersion {
    /// The handler's name.
    pub name: HandlerName,
    /// The version.
    pub digest: Digest,
}
