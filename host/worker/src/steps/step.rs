//! The step that a claimed task is.

use std::sync::Arc;

use bulkhead_core::{PlanStep, StepTicket, WorkflowPlan};
use bulkhead_sandbox::StepFacts;
use bulkhead_store::{Claimed, Store, StoreError};

/// A step that is run.
#[derive(Debug)]
pub(crate) struct StepRun<'a> {
    pub(crate) plan: Arc<WorkflowPlan>,
    pub(crate) ticket: &'a StepTicket,
}

impl StepRun<'_> {
    /// What the plan says of it.
    pub(crate) fn step(&self) -> &PlanStep {
        &self.plan.steps[self.ticket.place as usize]
    }

    /// The plan and its place in it, for those who decide.
    pub(crate) fn place(&self) -> (&WorkflowPlan, &StepTicket) {
        (&self.plan, self.ticket)
    }

    /// What its run may ask of `context`.
    pub(crate) fn facts(&self) -> StepFacts<'_> {
        StepFacts {
            workflow: self.ticket.workflow.as_str(),
            template: &self.ticket.template,
            name: &self.ticket.name,
            method: self.step().method.as_deref(),
            cursor: self.ticket.cursor.as_ref(),
        }
    }
}

/// The step that a claimed task is; none where it is a task of its own.
pub(crate) async fn step_of<'a>(store: &dyn Store, task: &'a Claimed) -> Result<Option<StepRun<'a>>, StoreError> {
    let Some(ticket) = task.extras.as_deref().and_then(|extras| extras.step.as_deref()) else { return Ok(None) };
    let plan = store.plan(ticket.plan).await?.ok_or_else(|| {
        StoreError::Database(format!("the plan `{}` of a workflow is not in the store", ticket.plan.short()))
    })?;
    if plan.steps.len() <= ticket.place as usize {
        return Err(StoreError::Database(format!("a plan has no step at the place of `{}`", ticket.name)));
    }
    Ok(Some(StepRun { plan, ticket }))
}
