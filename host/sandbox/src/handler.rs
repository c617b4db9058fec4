//! One immutable version of a handler.

use std::sync::Arc;

use bulkhead_core::{Digest, HandlerName, HandlerVersion, Kind, Overrides, TagSet};

use crate::component::Compiled;

/// A component that was compiled, checked and described, and may be run any number of times.
///
/// Cheap to clone; whoever holds it keeps the version alive.
#[derive(Clone)]
pub struct Handler(Arc<Inner>);

struct Inner {
    version: Arc<HandlerVersion>,
    compiled: Arc<Compiled>,
}

impl Handler {
    pub(crate) fn new(name: HandlerName, digest: Digest, compiled: Arc<Compiled>) -> Self {
        Self(Arc::new(Inner { version: Arc::new(HandlerVersion { name, digest }), compiled }))
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0.compiled
    }

    /// Its name and digest.
    pub fn version(&self) -> &Arc<HandlerVersion> {
        &self.0.version
    }

    /// The kind of task it serves.
    pub fn kind(&self) -> &Kind {
        &self.0.compiled.description.kind
    }

    /// The tags it exports; the operator may say otherwise.
    pub fn provides(&self) -> &TagSet {
        &self.0.compiled.description.provides
    }

    /// The options it asks for.
    pub fn defaults(&self) -> &Overrides {
        &self.0.compiled.description.defaults
    }

    /// The size of the component.
    pub fn size_bytes(&self) -> u64 {
        self.0.compiled.size_bytes
    }
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Handler")
            .field("version", self.version())
            .field("kind", self.kind())
            .finish_non_exhaustive()
    }
}
