//! From a plan to tasks.

use super::{Cursor, NewWorkflow, StepTicket};
use crate::{Due, Extras, JsonText, NewTask, Route, TaskId};

/// The tasks of a workflow of this id, one for each step of its plan, in its order.
pub fn expand(workflow: &NewWorkflow, id: &TaskId) -> Vec<NewTask> {
    let Extras { traceparent, tenant, tags, .. } = &workflow.extras;
    let task = |(place, step): (u32, &super::PlanStep)| NewTask {
        id: None,
        route: Route::new(step.kind.clone(), step.requires.clone()),
        payload: step.payload.clone().unwrap_or_else(JsonText::absent),
        priority: step.priority.unwrap_or(workflow.priority),
        due: workflow.due,
        extras: Some(Box::new(Extras {
            options: step.options.clone(),
            traceparent: *traceparent,
            tenant: tenant.clone(),
            tags: tags.clone(),
            step: Some(Box::new(StepTicket {
                workflow: id.clone(),
                template: workflow.plan.name.clone(),
                plan: workflow.digest,
                place,
                name: step.name.as_str().to_owned(),
                instance: false,
                cursor: None,
            })),
            ..Extras::default()
        })),
    };
    (0_u32..).zip(&workflow.plan.steps).map(task).collect()
}

/// One of the tasks that stand for the step that `task` is, with this payload, or this range of a batch.
pub fn instance(
    task: &NewTask,
    ticket: &StepTicket,
    name: String,
    cursor: Option<Cursor>,
    payload: JsonText,
) -> NewTask {
    let Extras { options, traceparent, tenant, tags, .. } = task.extras.as_deref().cloned().unwrap_or_default();
    let step = StepTicket { name, instance: true, cursor, ..ticket.clone() };
    let extras = Extras { options, traceparent, tenant, tags, step: Some(Box::new(step)), ..Extras::default() };
    NewTask { id: None, payload, due: Due::Now, extras: Some(Box::new(extras)), ..task.clone() }
}

/// What one of the tasks is called that stand for a step: `train_001`, `train_002` …
pub fn instance_name(step: &str, index: usize) -> String {
    format!("{step}_{:03}", index + 1)
}
