//! `POST /v1/tasks`.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bulkhead_core::{Kind, NewTask, TaskId};
use serde_json::json;

use crate::app::App;
use crate::bulk::{Bulk, MAX_BODY, read_array, read_lines, read_one};
use crate::problem::Problem;
use crate::workspaces::keep_named;

/// Accepts one task (an object), or many at once (an array, or NDJSON), all of them or none.
pub(crate) async fn submit(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let body = read_body(body).await?;
    let limits = &app.settings.limits;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if matches!(media_type, "application/x-ndjson" | "application/ndjson" | "application/jsonl") {
        return submit_many(&app, read_lines(&body, limits)?).await;
    }
    if body.trim_ascii_start().starts_with(b"[") {
        return submit_many(&app, read_array(&body, limits)?).await;
    }
    let task = read_one(&body, limits)?;
    check_kind(&app, &task)?;
    let named = workspace_of(&task);
    let mut accepted = app.store.submit(vec![task]).await??;
    let accepted = accepted.pop().ok_or(Problem::Stopping)?;
    keep_named(&app, named.map(|workspace| (workspace, accepted.id.clone())).into_iter().collect()).await;
    let (status, answer) = if accepted.duplicate {
        (StatusCode::OK, json!({ "id": accepted.id, "state": accepted.state, "duplicate": true }))
    } else {
        (StatusCode::CREATED, json!({ "id": accepted.id, "state": accepted.state }))
    };
    Ok((status, Json(answer)).into_response())
}

async fn submit_many(app: &App, Bulk { tasks, lines }: Bulk) -> Result<Response, Problem> {
    let at = |index: usize, problem: Problem| {
        let line = lines.get(index).copied().unwrap_or_default();
        Problem::Line { line, problem: Box::new(problem) }
    };
    for (index, task) in tasks.iter().enumerate() {
        check_kind(app, task).map_err(|problem| at(index, problem))?;
    }
    let named: Vec<Option<TaskId>> = tasks.iter().map(workspace_of).collect();
    let accepted = app.store.submit(tasks).await?.map_err(|refusal| at(refusal.index(), refusal.into()))?;
    let kept = named.into_iter().zip(&accepted).filter_map(|(named, task)| Some((named?, task.id.clone()))).collect();
    keep_named(app, kept).await;
    let duplicates: Vec<usize> =
        lines.iter().zip(&accepted).filter(|(_, task)| task.duplicate).map(|(line, _)| *line).collect();
    let ids: Vec<&str> = accepted.iter().map(|task| task.id.as_str()).collect();
    let answer = json!({ "accepted": ids.len() - duplicates.len(), "ids": ids, "duplicates": duplicates });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The workspace that a task names, where it names any.
fn workspace_of(task: &NewTask) -> Option<TaskId> {
    task.extras.as_deref()?.workspace_of().cloned()
}

/// Refuses a task of a kind that nobody serves, where those are refused.
pub(crate) fn check_kind(app: &App, task: &NewTask) -> Result<(), Problem> {
    check_served(app, &task.route.kind)
}

/// Refuses a kind that nobody serves, where those are refused.
pub(crate) fn check_served(app: &App, kind: &Kind) -> Result<(), Problem> {
    if app.settings.allow_unknown_kinds || !app.catalogue.snapshot().serving(kind).is_empty() {
        return Ok(());
    }
    Err(Problem::UnknownKind { kind: kind.clone(), known: app.kinds() })
}

pub(crate) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        Problem::TooLarge(format!("the body is longer than {} MiB, or broke off; send it in parts", MAX_BODY >> 20))
    })
}
