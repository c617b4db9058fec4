//! What the rest of the host knows of workflows.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{
    Digest, JsonText, Kind, NewWorkflow, State, StepName, TaskError, TaskId, Timestamp, UpstreamTask, WorkflowPlan,
    WorkflowState,
};
use serde::Serialize;

use crate::{BoxFuture, StoreError, UpstreamPart};

/// The part of the store that keeps workflows.
pub trait WorkflowStore: Send + Sync + 'static {
    /// Accepts a workflow with all of its steps, or refuses it whole.
    fn begin(&self, workflow: NewWorkflow) -> BoxFuture<'_, Result<Result<Begun, WorkflowRefusal>, StoreError>>;

    /// One workflow with its steps; `None` where there is none of that id.
    fn workflow<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>>;

    /// Waits until nothing more happens in the workflow by itself, or at most `limit`, and gives it as it then is.
    fn wait_workflow<'a>(
        &'a self,
        id: &'a TaskId,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>>;

    /// One page of workflows, newest first, without their steps.
    fn workflows(&self, selection: WorkflowSelection) -> BoxFuture<'_, Result<WorkflowPage, StoreError>>;

    /// Asks something of a whole workflow.
    fn change_workflow<'a>(
        &'a self,
        id: &'a TaskId,
        change: WorkflowChange,
    ) -> BoxFuture<'a, Result<WorkflowFate, StoreError>>;

    /// How many workflows have come to each state in which nothing more happens by itself, by what was done through this
    /// store since it was opened.
    fn settled(&self) -> Vec<(WorkflowState, u64)>;

    /// What workflows of this digest do; `None` where there is none.
    fn plan(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<WorkflowPlan>>, StoreError>>;

    /// The input of a workflow; `null` where there is none of that id.
    fn input<'a>(&'a self, workflow: &'a TaskId) -> BoxFuture<'a, Result<JsonText, StoreError>>;

    /// The tasks that a step of a workflow depends on, by the place of the step; those that stand for a step that fans
    /// out, in the place of that step. By name, any step before it is found, however far.
    fn dependencies<'a>(
        &'a self,
        workflow: &'a TaskId,
        place: u32,
        part: UpstreamPart,
    ) -> BoxFuture<'a, Result<Vec<UpstreamTask>, StoreError>>;

    /// How many those are.
    fn count_dependencies<'a>(&'a self, workflow: &'a TaskId, place: u32) -> BoxFuture<'a, Result<u32, StoreError>>;
}

/// A workflow that was accepted, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its id.
    pub id: TaskId,
    /// How it stands.
    pub state: WorkflowState,
    /// The same key, or the same own id, with the same body was there before.
    pub duplicate: bool,
}

/// Why a workflow was refused; nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowRefusal {
    /// The same key or own id was there before with another body.
    #[error("the {what} `{name}` is taken by workflow `{holder}`, which has another body")]
    Taken {
        /// `key` or `id`.
        what: &'static str,
        /// The key or id.
        name: String,
        /// The workflow that has it.
        holder: TaskId,
    },
    /// More tasks wait already than may.
    #[error("{waiting} tasks wait already, and at most {most} may (store.max_pending): try again later")]
    QueueFull {
        /// How many wait.
        waiting: u64,
        /// How many may.
        most: u64,
    },
    /// The database refused it.
    #[error("the store refused it: {message}")]
    Refused {
        /// The database's words.
        message: String,
    },
}

/// What is asked of a whole workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowChange {
    /// Cancel every step that has not ended.
    Cancel,
    /// Hold back every step that has not ended; what runs goes on.
    Pause,
    /// Let its paused steps go on.
    Resume,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowFate {
    /// It is done, or will be once what runs has come to its end.
    Done,
    /// It cannot be done to a workflow in this state.
    Refused(WorkflowState),
    /// There is no such workflow.
    Unknown,
}

/// A workflow as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkflowView {
    /// Its id.
    pub id: TaskId,
    /// The template's namespace.
    pub namespace: String,
    /// The template's name.
    pub name: String,
    /// The template's version.
    pub version: String,
    /// What it does, by the digest.
    pub plan: Digest,
    /// How it stands.
    pub state: WorkflowState,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Since when nothing more happens by itself.
    pub settled_at: Option<Timestamp>,
    /// When it is cancelled, and failed, if it has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_by: Option<Timestamp>,
    /// Steps in all.
    pub total: u32,
    /// Steps that have ended.
    pub ended: u32,
    /// Dead steps.
    pub dead: u32,
    /// Blocked steps.
    pub blocked: u32,
    /// A step ended it early, as succeeded.
    pub terminated: bool,
    /// It took longer than it may.
    pub overdue: bool,
    /// Its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub tags: std::collections::BTreeMap<String, String>,
    /// Its input; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<JsonText>,
    /// Its steps, in the order of the plan; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
    /// The attempts of its steps, and of the tasks that they made, that ran longest, the longest first; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest_attempts: Option<Vec<SlowAttempt>>,
}

/// A step as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    /// Its name.
    pub name: StepName,
    /// The task that stands for it.
    pub task: TaskId,
    /// The kind of that task.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 1 in its first life; one more for each requeue.
    pub epoch: u32,
    /// Attempts charged so far.
    pub attempt: u32,
    /// How often it went on after it had waited, or had kept its progress.
    pub stage: u32,
    /// When its first attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<JsonText>,
    /// Why its last attempt did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
}

/// One of the attempts of a workflow that ran longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowAttempt {
    /// The step; with the number of the task where several stand for it.
    pub step: String,
    /// The task.
    pub task: TaskId,
    /// 1 for the first of an epoch.
    pub attempt: u32,
    /// 1 in the task's first life.
    pub epoch: u32,
    /// The worker that ran it.
    pub worker: String,
    /// When its last run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// How long it ran, waiting left out.
    pub ran_ms: u64,
    /// How it ended.
    pub end: String,
}

/// Which workflows are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// Any of these states; empty means all.
    pub states: Vec<WorkflowState>,
    /// Of templates of this name only.
    pub name: Option<String>,
    /// Of templates of this namespace only.
    pub namespace: Option<String>,
    /// This tenant only.
    pub tenant: Option<String>,
}

/// Which part of a list is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowSelection {
    /// Which workflows.
    pub filter: WorkflowFilter,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
    /// Where the page before ended: the id of its last workflow.
    pub after: Option<TaskId>,
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkflowPage {
    /// The workflows.
    pub items: Vec<WorkflowView>,
    /// Where the next page begins.
    pub next: Option<TaskId>,
}
