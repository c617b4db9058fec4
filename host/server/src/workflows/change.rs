//! What callers ask of whole workflows: cancel, pause, resume.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{State as TaskState, TaskId};
use bulkhead_store::{WorkflowChange, WorkflowFate};
use serde_json::{Value, json};

use super::unknown;
use crate::app::App;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// `POST /v1/workflows/{id}/cancel`
pub(crate) async fn cancel(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    change(&app, &TaskId::parse(id)?, WorkflowChange::Cancel).await
}

/// `POST /v1/workflows/{id}/pause`
pub(crate) async fn pause(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    change(&app, &TaskId::parse(id)?, WorkflowChange::Pause).await
}

/// `POST /v1/workflows/{id}/resume`
pub(crate) async fn resume(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    change(&app, &TaskId::parse(id)?, WorkflowChange::Resume).await
}

async fn change(app: &App, id: &TaskId, change: WorkflowChange) -> Result<Response, Problem> {
    match app.store.change_workflow(id, change).await? {
        WorkflowFate::Done => {}
        WorkflowFate::Unknown => return Err(unknown(id)),
        WorkflowFate::Refused(state) => {
            return Err(Problem::Conflict(format!("workflow `{id}` has ended already: it is {}", state.as_str())));
        }
    }
    let workflow = app.store.workflow(id).await?.ok_or_else(|| unknown(id))?;
    let mut steps = workflow.steps.iter().flatten();
    let underway = match change {
        WorkflowChange::Cancel => Some("cancelling").filter(|_| !workflow.state.is_ended()),
        WorkflowChange::Pause => Some("pausing").filter(|_| steps.any(|step| step.state == TaskState::Running)),
        WorkflowChange::Resume => None,
    };
    let mut answer = json!({ "id": id, "state": workflow.state });
    let Some(underway) = underway else { return Ok(Json(answer).into_response()) };
    answer[underway] = Value::Bool(true);
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}
