//! What a task of kind MUTATE says.

use handlers_shared::WorkspaceUri;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The payload: a program, others that it may learn from, and what is to follow.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The workspace of what follows.
    pub workspace_uri: WorkspaceUri,
    /// The program to change.
    pub source: String,
    /// Programs tried before.
    pub parents: Vec<Parent>,
    /// What the change is to bring.
    #[serde(default)]
    pub prompt: Option<String>,
    /// The payload of a task of kind EXECUTE that follows, but for the new source.
    #[serde(default)]
    pub execute: Option<Map<String, Value>>,
}

/// A program tried before.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// The program.
    pub source: String,
    /// How good it was: more is better.
    pub score: f64,
}
