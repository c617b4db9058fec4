//! `POST /v1/workflows`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{NewWorkflow, WorkflowSubmission};
use serde_json::json;

use crate::app::App;
use crate::bulk::read_object;
use crate::problem::Problem;
use crate::submit::{check_served, read_body};

/// Accepts one workflow with all of its steps, or nothing.
pub(crate) async fn start(State(app): State<App>, body: Body) -> Result<Response, Problem> {
    let submission: WorkflowSubmission = read_object(&read_body(body).await?)?;
    let template = app.templates.find(&submission.template)?;
    let limits = app.settings.limits;
    // Patterns of a schema may take long on an input, and nobody else is to wait for that.
    let check = move || template.begin(submission, &limits);
    let workflow: NewWorkflow = tokio::task::spawn_blocking(check).await.map_err(|_| Problem::Stopping)??;
    for step in &workflow.plan.steps {
        check_served(&app, &step.kind)?;
    }
    let begun = app.store.begin(workflow).await??;
    let (status, answer) = if begun.duplicate {
        (StatusCode::OK, json!({ "id": begun.id, "state": begun.state, "duplicate": true }))
    } else {
        (StatusCode::CREATED, json!({ "id": begun.id, "state": begun.state }))
    };
    Ok((status, Json(answer)).into_response())
}
