//! `/v1/workers`: who runs tasks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// `GET /v1/workers`
pub(crate) async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "items": [app.worker.status()] }))
}

/// `POST /v1/workers/{name}/pause`: it claims nothing more; what it holds goes on.
pub(crate) async fn pause(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    check_name(&app, &name)?;
    if app.worker.pause().await? { Ok(status(&app)) } else { Err(leaving(&name)) }
}

/// `POST /v1/workers/{name}/resume`
pub(crate) async fn resume(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    check_name(&app, &name)?;
    if app.worker.resume() { Ok(status(&app)) } else { Err(leaving(&name)) }
}

/// `POST /v1/workers/{name}/drain`: as on SIGTERM, but the host stays up and claims nothing until it is started anew.
pub(crate) async fn drain(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    check_name(&app, &name)?;
    let worker = app.worker.clone();
    tokio::spawn(async move {
        let report = worker.drain().await;
        tracing::info!(released = report.released, interrupted = report.interrupted, "drained on request");
    });
    Ok((StatusCode::ACCEPTED, Json(json!({ "name": name, "state": "draining" }))))
}

fn status(app: &App) -> Json<Value> {
    Json(json!(app.worker.status()))
}

fn check_name(app: &App, name: &str) -> Result<(), Problem> {
    let own = app.worker.status().name;
    if own == name {
        return Ok(());
    }
    Err(Problem::NotFound(format!("there is no worker `{}` here; there is `{own}`", name.escape_debug())))
}

fn leaving(name: &str) -> Problem {
    Problem::Conflict(format!("worker `{name}` drains, or has drained: start its host anew"))
}
