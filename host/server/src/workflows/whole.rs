//! A workflow as whoever asks for one sees it: with where its time went, and what is wrong.

use bulkhead_core::{State, StepTimes, TaskId, Timestamp, WorkflowPlan, critical_path};
use bulkhead_store::{StepView, WorkflowView};
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;

/// A workflow, whole.
#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    #[serde(flatten)]
    view: WorkflowView,
    /// The steps that its end waited for, in their order.
    critical_path: Vec<Part>,
    /// The names of its dead steps.
    failed_steps: Vec<String>,
}

/// A part of the critical path.
#[derive(Debug, Serialize)]
struct Part {
    step: String,
    task: TaskId,
    since: Timestamp,
    /// From `since` until its first attempt began.
    waited_ms: u64,
    /// From `since` to its end, or until now.
    took_ms: u64,
}

impl Whole {
    /// Adds to a workflow what its steps tell together.
    pub(crate) async fn read(app: &App, view: WorkflowView) -> Result<Self, Problem> {
        let plan = app.store.plan(view.plan).await?;
        let steps = view.steps.as_deref().unwrap_or_default();
        let critical_path = plan.map(|plan| path(&plan, steps, view.created_at)).unwrap_or_default();
        let failed = steps.iter().filter(|step| step.state == State::Dead);
        let failed_steps = failed.map(|step| step.name.to_string()).collect();
        Ok(Self { view, critical_path, failed_steps })
    }
}

fn path(plan: &WorkflowPlan, steps: &[StepView], began: Timestamp) -> Vec<Part> {
    let now = bulkhead_worker::now();
    // When a first attempt began that still runs is kept nowhere.
    let runs = |step: &StepView| matches!(step.state, State::Running | State::Suspended).then_some(now);
    let times = steps
        .iter()
        .map(|step| StepTimes { started_at: step.started_at.or_else(|| runs(step)), ended_at: step.ended_at });
    let times: Vec<StepTimes> = times.collect();
    let parts = critical_path(plan, &times, began).into_iter().filter_map(|part| {
        let step = steps.get(part.place as usize)?;
        // Two clocks: the worker's for beginnings, the store's for ends.
        let millis = |to: Timestamp| u64::try_from(to.as_millis() - part.since.as_millis()).unwrap_or(0);
        Some(Part {
            step: step.name.to_string(),
            task: step.task.clone(),
            since: part.since,
            waited_ms: step.started_at.map_or(0, millis),
            took_ms: millis(part.ended_at.unwrap_or(now)),
        })
    });
    parts.collect()
}
