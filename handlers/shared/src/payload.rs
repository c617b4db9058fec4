//! What a task of kind EXECUTE says, whichever handler it is for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Limits, Source, WorkspaceUri};

/// The payload: an image or a program, and what to run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// An image that the operator allows; not looked at where there is a `program`.
    #[serde(default)]
    pub image: Option<String>,
    /// A program that the operator named, to run on devices instead of a container.
    #[serde(default)]
    pub program: Option<String>,
    /// Program and arguments in a container, empty for the image's own; the arguments alone of a `program`.
    #[serde(default)]
    pub command: Vec<String>,
    /// The workspace that the program sees.
    pub workspace_uri: WorkspaceUri,
    /// How many devices.
    #[serde(default)]
    pub gpus: Option<u32>,
    /// What is written into the workspace first.
    #[serde(default)]
    pub source: Option<Source>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Standard input.
    #[serde(default)]
    pub stdin: String,
    /// What may be used.
    #[serde(default)]
    pub limits: Limits,
}
