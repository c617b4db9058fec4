//! `/v1/tasks`: looking at tasks and changing their course.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bulkhead_core::TaskId;
use bulkhead_store::{AuditView, LogPage, TaskView};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::items::Items;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::query::ListQuery;
use crate::waiting::{WaitQuery, within};

/// `GET /v1/tasks/{id}[?wait=30s]`
pub(crate) async fn get(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    Parameters(query): Parameters<WaitQuery>,
) -> Result<Json<TaskView>, Problem> {
    let id = TaskId::parse(id)?;
    let found = match query.wait {
        None => app.store.get(&id).await?,
        Some(wait) => within(&app, wait, |limit| app.store.wait(&id, limit)).await?,
    };
    let mut task = found.ok_or_else(|| unknown(&id))?;
    app.mark_unroutable(&mut task);
    Ok(Json(task))
}

/// `GET /v1/tasks`
pub(crate) async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let count = query.count;
    let selection = query.selection()?;
    if count {
        let count = app.store.count(selection.filter).await?;
        return Ok(Json(json!({ "count": count })).into_response());
    }
    let mut page = app.store.list(selection).await?;
    page.items.iter_mut().for_each(|task| app.mark_unroutable(task));
    Ok(Json(page).into_response())
}

/// Where a part of a log begins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogQuery {
    #[serde(default)]
    after: i64,
}

/// `GET /v1/tasks/{id}/logs[?after=…]`: what its runs wrote, run by run.
pub(crate) async fn logs(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    Parameters(query): Parameters<LogQuery>,
) -> Result<Json<LogPage>, Problem> {
    let id = TaskId::parse(id)?;
    app.store.log(&id, query.after).await?.map(Json).ok_or_else(|| unknown(&id))
}

/// `GET /v1/tasks/{id}/audit`: its audit trail.
pub(crate) async fn audits(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
) -> Result<Json<Items<AuditView>>, Problem> {
    let id = TaskId::parse(id)?;
    let items = app.store.audits(&id).await?.ok_or_else(|| unknown(&id))?;
    Ok(Json(Items { items }))
}

/// There is no task of that name.
pub(crate) fn unknown(id: &TaskId) -> Problem {
    Problem::NotFound(format!("there is no task `{id}`"))
}
