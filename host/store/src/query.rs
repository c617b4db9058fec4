//! What can be asked about tasks.

use std::collections::BTreeMap;

use bulkhead_core::{
    AttemptRecord, DeadReason, Digest, JsonText, Kind, Priority, ReadyReason, State, StepTicket, TagSet, TaskError,
    TaskId, Timestamp,
};
use serde::Serialize;

use crate::ProgressNote;

/// A task as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskView {
    /// Its public name.
    pub id: TaskId,
    /// Its kind.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why it is ready but does not run, or why it is dead.
    pub reason: Option<String>,
    /// The tags it requires.
    pub requires: TagSet,
    /// Which goes first.
    pub priority: Priority,
    /// Its life; 1 until requeued.
    pub epoch: u32,
    /// Attempts charged so far, and the one that runs.
    pub attempt: u32,
    /// Attempts in all, as far as is known: of the last attempt, or the task's own wish.
    pub max_attempts: Option<u32>,
    /// Stages done so far.
    pub stage: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it is, or was last, due.
    pub run_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its payload; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<JsonText>,
    /// Its result; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<JsonText>,
    /// About the result; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonText>,
    /// Why its last attempt did not succeed.
    pub error: Option<TaskError>,
    /// Its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tags: std::collections::BTreeMap<String, String>,
    /// What it waits for, while it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<WaitView>,
    /// How far it says it has come; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressNote>,
    /// The task that spawned it; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskId>,
    /// The workflow step that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowRef>,
    /// Its attempts, oldest first; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptRecord>>,
}

/// The workflow step that a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowRef {
    /// The workflow's id.
    pub id: TaskId,
    /// The template's name.
    pub template: String,
    /// The step's name; with the number of the instance where the step fans out.
    pub step: String,
    /// The plan that the workflow keeps to, and the place of the step there; none of a task that is one of several that stand for
    /// a step.
    #[serde(skip)]
    pub place: Option<(Digest, u32)>,
}

impl From<StepTicket> for WorkflowRef {
    fn from(ticket: StepTicket) -> Self {
        let place = (!ticket.instance).then_some((ticket.plan, ticket.place));
        Self { id: ticket.workflow, template: ticket.template, step: ticket.name, place }
    }
}

/// What a suspended task waits for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitView {
    /// Since when.
    pub since: Timestamp,
    /// When it runs again without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When it is dead as `stale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_at: Option<Timestamp>,
    /// Whether four fifths of the time until then are over.
    pub nearly_stale: bool,
    /// How far its children are, where it waits for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<ChildrenView>,
    /// What it says to whoever is to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What whoever is to answer must know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonText>,
}

/// How far the children of a task are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChildrenView {
    /// In all.
    pub total: u32,
    /// Ended, however they ended.
    pub ended: u32,
    /// Ended well.
    pub succeeded: u32,
}

impl TaskView {
    /// Its attempts, oldest first; none in lists.
    pub fn attempts(&self) -> &[AttemptRecord] {
        self.attempts.as_deref().unwrap_or_default()
    }
}

/// Which tasks are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Any of these states; empty means all.
    pub states: Vec<State>,
    /// This kind only.
    pub kind: Option<Kind>,
    /// This tenant only.
    pub tenant: Option<String>,
    /// Only tasks with all of these tags.
    pub tags: BTreeMap<String, String>,
    /// Dead for this reason only.
    pub dead_reason: Option<DeadReason>,
    /// Ready for this reason only.
    pub ready_reason: Option<ReadyReason>,
    /// Children of this task only.
    pub parent: Option<TaskId>,
    /// Ended before this moment only.
    pub ended_before: Option<Timestamp>,
}

/// Which part of a list is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Which tasks.
    pub filter: TaskFilter,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
    /// Where the page before ended; opaque.
    pub cursor: Option<String>,
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The tasks.
    pub items: Vec<TaskView>,
    /// Where the next page begins.
    pub next: Option<String>,
}
