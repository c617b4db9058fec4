//! One immutable version of a handler.

use std::sync::Arc;

use bulkhead_core::{HandlerVersion, Kind, Overrides, TagSet};

/// A component that was compiled, checked and described, and may be run any number of times.
///
/// Cheap to clone; whoever holds it keeps the version alive.
#[derive(Debug, Clone)]
pub struct Handler(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    version: Arc<HandlerVersion>,
    kind: Kind,
    provides: TagSet,
    defaults: Overrides,
    size_bytes: u64,
}

impl Handler {
    /// Its name and digest.
    pub fn version(&self) -> &Arc<HandlerVersion> {
        &self.0.version
    }

    /// The kind of task it serves.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The tags it exports; the operator may say otherwise.
    pub fn provides(&self) -> &TagSet {
        &self.0.provides
    }

    /// The options it asks for.
    pub fn defaults(&self) -> &Overrides {
        &self.0.defaults
    }

    /// The size of the component.
    pub fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }
}
