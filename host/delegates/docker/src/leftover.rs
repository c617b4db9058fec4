//! Containers that may have outlived the run they were made for.

use std::collections::HashMap;

use bollard::models::ContainerSummary;
use bulkhead_core::{LeaseId, TaskId};

use crate::labels;

/// A container of this store, running or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The engine's name for it, which [`crate::Docker::remove`] takes.
    pub id: String,
    /// The task it was made for.
    pub task: Option<TaskId>,
    /// The lease under which the task ran; none where it ran outside of a queue.
    pub lease: Option<LeaseId>,
}

impl Leftover {
    /// Reads what the engine lists.
    pub(crate) fn read(listed: ContainerSummary) -> Option<Self> {
        let labels: HashMap<String, String> = listed.labels.unwrap_or_default();
        let task = labels.get(labels::TASK).and_then(|task| TaskId::parse(task.as_str()).ok());
        Some(Self { id: listed.id?, task, lease: labels::lease_of(&labels) })
    }
}
