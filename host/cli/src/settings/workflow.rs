//! Where templates of workflows lie, and how they are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bulkhead_core::Kind;
use serde::{Deserialize, Serialize};

/// `[workflow]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workflow {
    /// The folder whose `*.yaml` and `*.yml` files are the templates; it need not be there.
    pub(crate) dir: PathBuf,
    /// Which of the templates' `environments` this host is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    /// The kinds of callables.
    pub(crate) callables: BTreeMap<String, Kind>,
}

impl Default for Workflow {
    fn default() -> Self {
        Self { dir: "workflows".into(), environment: None, callables: BTreeMap::new() }
    }
}
