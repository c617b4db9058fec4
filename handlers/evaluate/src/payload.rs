//! What a task of kind EVALUATE says.

use handlers_shared::WorkspaceUri;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The payload: what to evaluate, and by which pool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The workspace whose files are read.
    pub workspace_uri: WorkspaceUri,
    /// The pool of evaluators, a name from the settings.
    #[serde(default = "default_pool")]
    pub pool: String,
    /// The result of a task of kind EXECUTE.
    #[serde(default)]
    pub run: Option<Map<String, Value>>,
}

fn default_pool() -> String {
    "default".to_owned()
}
