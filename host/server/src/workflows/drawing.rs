//! Workflows and templates as pictures.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{TaskId, WorkflowPlan};
use serde::Deserialize;

use super::unknown;
use crate::app::App;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// In which language something is drawn.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    #[default]
    Json,
    Mermaid,
    Dot,
}

/// The parameters of a drawing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GraphQuery {
    #[serde(default)]
    pub(crate) format: Language,
    /// Of a template: which version; the newest where none is named.
    pub(crate) version: Option<String>,
}

/// `GET /v1/workflows/{id}/graph[?format=mermaid]`: its steps as they stand.
pub(crate) async fn graph(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    Parameters(query): Parameters<GraphQuery>,
) -> Result<Response, Problem> {
    if query.version.is_some() {
        return Err(Problem::Malformed("a workflow keeps its version: leave `version` out".to_owned()));
    }
    let id = TaskId::parse(id)?;
    let workflow = app.store.workflow(&id).await?.ok_or_else(|| unknown(&id))?;
    let plan = app.store.plan(workflow.plan).await?.ok_or_else(|| unknown(&id))?;
    let states: Vec<&str> = workflow.steps.iter().flatten().map(|step| step.state.as_str()).collect();
    let state = |place: u32| states.get(place as usize).map(|state| (*state).to_owned());
    Ok(drawn(&plan, query.format, &state))
}

/// A plan in the language that was asked for.
pub(crate) fn drawn(plan: &WorkflowPlan, language: Language, state: &dyn Fn(u32) -> Option<String>) -> Response {
    let text = |media_type: &'static str, text: String| ([(header::CONTENT_TYPE, media_type)], text).into_response();
    match language {
        Language::Json => Json(bulkhead_workflow::graph(plan, state)).into_response(),
        Language::Mermaid => text("text/vnd.mermaid; charset=utf-8", bulkhead_workflow::mermaid(plan, state)),
        Language::Dot => text("text/vnd.graphviz; charset=utf-8", bulkhead_workflow::dot(plan, state)),
    }
}
