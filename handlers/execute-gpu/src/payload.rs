//! What a task of kind EXECUTE says that wants GPUs.

use std::collections::BTreeMap;

use bulkhead_sdk::Failure;
use handlers_shared::{Size, Source, WorkspaceUri, bad_payload};
use serde::Deserialize;

/// The payload: an image or a program, and what to run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// An image that the operator allows; not looked at where there is a `program`.
    #[serde(default)]
    pub image: Option<String>,
    /// A program that the operator named, to run instead of a container.
    #[serde(default)]
    pub program: Option<String>,
    /// Program and arguments in a container, empty for the image's own; the arguments alone of a `program`.
    #[serde(default)]
    pub command: Vec<String>,
    /// The workspace that the program sees.
    pub workspace_uri: WorkspaceUri,
    /// How many devices; at least 1.
    #[serde(default = "one")]
    pub gpus: u32,
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

/// What may be used; what is absent is what the grant leaves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Memory of a container.
    pub memory: Option<Size>,
    /// Cores of a container.
    pub cpus: Option<f64>,
    /// Processes at once in a container.
    pub processes: Option<u32>,
    /// Free memory that each device of a program must have.
    pub gpu_memory: Option<Size>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Job<'a> {
    Container { image: &'a str, limits: handlers_shared::Limits },
    Program { name: &'a str, gpu_memory: Option<u64> },
}

impl Payload {
    /// What is to be done, or which fields don't go together.
    pub(crate) fn job(&self) -> Result<Job<'_>, Failure> {
        if self.gpus == 0 {
            return Err(bad_payload("`gpus` must be at least 1"));
        }
        let Limits { memory, cpus, processes, gpu_memory } = self.limits;
        match (&self.image, &self.program) {
            // A limit that would not hold must not look as if it did.
            (_, Some(_)) if memory.is_some() || cpus.is_some() || processes.is_some() => {
                Err(bad_payload("`limits.memory`, `cpus` and `processes` are for containers, not for a `program`"))
            }
            (_, Some(name)) => Ok(Job::Program { name, gpu_memory: gpu_memory.map(Size::bytes) }),
            (Some(_), None) if gpu_memory.is_some() => {
                Err(bad_payload("`limits.gpu_memory` is for a `program`, not for containers"))
            }
            (Some(image), None) => {
                Ok(Job::Container { image, limits: handlers_shared::Limits { memory, cpus, processes } })
            }
            (None, None) => Err(bad_payload("give `image` or `program`")),
        }
    }
}

fn one() -> u32 {
    1
}
