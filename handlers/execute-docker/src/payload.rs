//! What a task of kind EXECUTE says.

use std::collections::BTreeMap;

use handlers_shared::{Limits, Source, WorkspaceUri};
use serde::Deserialize;

/// The payload: an image, and what to run in it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// An image that the operator allows.
    pub image: String,
    /// Program and arguments; empty for the image's own.
    pub command: Vec<String>,
    /// The workspace that the program sees.
    pub workspace_uri: WorkspaceUri,
    /// What is written into the workspace first.
    #[serde(default)]
    pub source: Option<Source>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Standard input.
    #[serde(default)]
    pub stdin: String,
    /// What the container may use.
    #[serde(default)]
    pub limits: Limits,
}
