//! What the store's thread is asked of workflows.

use bulkhead_core::{Extras, NewWorkflow, TaskId};
use tokio::sync::OwnedSemaphorePermit;

use super::super::body_hash::BodyHash;
use super::super::request::Answer;
use crate::{Begun, WorkflowChange, WorkflowFate, WorkflowRefusal};

/// What becomes of a workflow that is to begin.
pub(in crate::relational) type BeginAnswer = Result<Begun, WorkflowRefusal>;

/// A workflow to begin, with all that can be made ready before the store's thread sees it.
#[derive(Debug)]
pub(in crate::relational) struct BeginWorkflow {
    pub(super) workflow: NewWorkflow,
    /// The plan as it is kept.
    pub(super) plan: String,
    /// Its extras as JSON.
    pub(super) extras: Option<String>,
    /// Hash of the whole body, where it has a key or an id of its own.
    pub(super) body: Option<[u8; 32]>,
    pub(in crate::relational) answer: Answer<BeginAnswer>,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl BeginWorkflow {
    pub(super) fn new(workflow: NewWorkflow, answer: Answer<BeginAnswer>, permit: OwnedSemaphorePermit) -> Self {
        let plan = serde_json::to_string(&*workflow.plan).unwrap_or_default();
        let extras = serde_json::to_string(&workflow.extras).ok();
        let named = workflow.id.is_some() || workflow.extras.key.is_some();
        let body = named.then(|| body_hash(&workflow));
        Self { workflow, plan, extras, body, answer, _permit: permit }
    }

    /// How many tasks it brings.
    pub(in crate::relational) fn size(&self) -> usize {
        self.workflow.plan.steps.len()
    }

    /// The names that stand for it, with what each is.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let id = self.workflow.id.as_ref().map(|id| ("id", id.as_str()));
        id.into_iter().chain(self.workflow.extras.key.as_deref().map(|key| ("key", key)))
    }
}

/// Covers every field but the plan and the trace: the same template in a newer version is still what the caller asked for,
/// whatever trace the question belongs to.
fn body_hash(workflow: &NewWorkflow) -> [u8; 32] {
    let own = Extras { traceparent: None, ..workflow.extras.clone() };
    let extras = serde_json::to_string(&own).unwrap_or_default();
    let mut body = BodyHash::default();
    body.part(workflow.id.as_ref().map_or(&[][..], |id| id.as_str().as_bytes()));
    body.part(workflow.plan.namespace.as_bytes());
    body.part(workflow.plan.name.as_bytes());
    body.part(workflow.input.as_str().as_bytes());
    body.part(&workflow.priority.get().to_le_bytes());
    body.due(workflow.due);
    body.part(extras.as_bytes());
    body.finish()
}

/// What is asked of a whole workflow.
#[derive(Debug)]
pub(in crate::relational) struct AskedWorkflow {
    pub(in crate::relational) id: TaskId,
    pub(in crate::relational) change: WorkflowChange,
    pub(in crate::relational) answer: Answer<WorkflowFate>,
    pub(super) _permit: OwnedSemaphorePermit,
}
