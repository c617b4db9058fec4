//! What a task knows of the workflow step that it is.

use serde::{Deserialize, Serialize};

use crate::{Digest, JsonText, TaskId};

/// The workflow step that a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTicket {
    /// The workflow's id.
    pub workflow: TaskId,
    /// The template's name.
    pub template: String,
    /// The plan that the workflow keeps to.
    pub plan: Digest,
    /// The place of the step in the plan.
    pub place: u32,
    /// The step's name; with the number of the instance where the step fans out.
    pub name: String,
    /// One of the tasks that stand for a step that fans out, and not that step itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instance: bool,
    /// The range of a batch worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// The half-open range [start, end) of the items of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The first item.
    pub start: u64,
    /// The item after the last.
    pub end: u64,
    /// What the worker must know of it, an object.
    pub metadata: JsonText,
}

impl Cursor {
    /// A range, which does not end before it starts; else what is wrong with it, for people.
    pub fn new(start: u64, end: u64, metadata: JsonText) -> Result<Self, String> {
        if end < start {
            return Err(format!("ends at {end}, before it starts at {start}"));
        }
        Ok(Self { start, end, metadata })
    }
}
