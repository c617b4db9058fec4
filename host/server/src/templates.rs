//! `/v1/templates`: what workflows can be begun from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bulkhead_core::TemplateRef;
use bulkhead_workflow::{Template, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::workflows::{GraphQuery, drawn};

/// `GET /v1/templates`: those that are live, and the files that are none.
pub(crate) async fn list(State(app): State<App>) -> Json<Value> {
    let snapshot = app.templates.snapshot();
    let items: Vec<Value> = snapshot.templates().map(|template| summary(template)).collect();
    let refused: Vec<Value> = snapshot
        .files()
        .iter()
        .filter_map(|file| Some(json!({ "file": file.name, "error": file.error.as_ref()? })))
        .collect();
    Json(json!({ "generation": snapshot.generation(), "items": items, "refused": refused }))
}

/// Which version of a template is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetQuery {
    version: Option<String>,
}

/// `GET /v1/templates/{namespace}/{name}[?version=…]`
pub(crate) async fn get(
    State(app): State<App>,
    PathPart(name): PathPart<(String, String)>,
    Parameters(query): Parameters<GetQuery>,
) -> Result<Json<Value>, Problem> {
    let template = find(&app, &name, query.version.as_deref())?;
    let mut view = summary(&template);
    let ignored: Vec<Value> = template
        .not_acted_on()
        .iter()
        .map(|key| json!({ "key": key.key, "line": key.line, "about": key.about }))
        .collect();
    view["input_schema"] = template.input_schema().cloned().unwrap_or_default();
    view["not_acted_on"] = Value::Array(ignored);
    view["plan"] = json!(template.plan().as_ref());
    Ok(Json(view))
}

/// `GET /v1/templates/{namespace}/{name}/graph[?format=mermaid&version=…]`
pub(crate) async fn graph(
    State(app): State<App>,
    PathPart(name): PathPart<(String, String)>,
    Parameters(query): Parameters<GraphQuery>,
) -> Result<Response, Problem> {
    let template = find(&app, &name, query.version.as_deref())?;
    Ok(drawn(template.plan(), query.format, &|_| None))
}

/// `GET /v1/templates/schema`: the format of templates, for editors.
pub(crate) async fn schema() -> Json<Value> {
    Json(json_schema())
}

fn find(app: &App, (namespace, name): &(String, String), version: Option<&str>) -> Result<Arc<Template>, Problem> {
    let version = version.map_or_else(String::new, |version| format!("@{version}"));
    Ok(app.templates.find(&TemplateRef::parse(format!("{namespace}/{name}{version}"))?)?)
}

/// A template as lists show it.
fn summary(template: &Template) -> Value {
    let plan = template.plan();
    let warnings: Vec<Value> = template
        .warnings()
        .iter()
        .map(|warning| {
            let (line, column) = (warning.line, warning.column);
            json!({ "line": line, "column": column, "message": warning.message, "hint": warning.hint })
        })
        .collect();
    json!({
        "namespace": plan.namespace,
        "name": plan.name,
        "version": plan.version,
        "description": template.description(),
        "file": template.file(),
        "steps": plan.steps.len(),
        "digest": template.digest(),
        "warnings": warnings,
    })
}
