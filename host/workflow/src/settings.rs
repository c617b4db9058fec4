//! What a host says about how templates are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulkhead_core::{Kind, TagSet};

/// What one live handler serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its kind.
    pub kind: Kind,
    /// The tags that it provides.
    pub provides: TagSet,
}

/// What a host says about how templates are read.
#[derive(Clone, Default)]
pub struct TemplateSettings {
    /// Which of a template's `environments` this host is.
    pub environment: Option<String>,
    /// The kinds of callables (`[workflow.callables]`).
    pub callables: BTreeMap<String, Kind>,
    /// What the live handlers serve, asked anew at each read; without it nothing is said about routes.
    pub handlers: Option<Arc<dyn Fn() -> Vec<Served> + Send + Sync>>,
    /// A step that no live handler serves is refused, and not only warned of.
    pub refuse_unroutable: bool,
}

impl std::fmt::Debug for TemplateSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TemplateSettings")
            .field("environment", &self.environment)
            .field("callables", &self.callables)
            .field("handlers", &self.handlers.is_some())
            .field("refuse_unroutable", &self.refuse_unroutable)
            .finish()
    }
}
