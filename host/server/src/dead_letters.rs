//! `/v1/dlq`: the tasks that ended badly.

use axum::Json;
use axum::extract::{Path, State};
use bulkhead_core::{State as TaskState, TaskId};
use bulkhead_store::{Change, Fate, Page, TaskView};
use serde_json::{Value, json};

use crate::app::App;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::query::ListQuery;
use crate::tasks::unknown;

/// Dead letters that one request makes ready again.
const RETRIED_AT_ONCE: usize = 1_000;

/// `GET /v1/dlq`
pub(crate) async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Page>, Problem> {
    let mut selection = query.selection()?;
    selection.filter.states = vec![TaskState::Dead];
    Ok(Json(app.store.list(selection).await?))
}

/// `GET /v1/dlq/{id}`
pub(crate) async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Json<TaskView>, Problem> {
    let id = TaskId::parse(id)?;
    let task = app.store.get(&id).await?.ok_or_else(|| unknown(&id))?;
    if task.state == TaskState::Dead {
        return Ok(Json(task));
    }
    Err(Problem::NotFound(format!("task `{id}` is no dead letter: it is {}", task.state)))
}

/// `POST /v1/dlq/retry?kind=…&reason=…`: the newest thousand that match; asked again, the next.
pub(crate) async fn retry_matching(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let mut selection = query.selection()?;
    selection.filter.states = vec![TaskState::Dead];
    selection.limit = RETRIED_AT_ONCE;
    selection.cursor = None;
    let page = app.store.list(selection).await?;
    let ids: Vec<TaskId> = page.items.into_iter().map(|task| task.id).collect();
    let fates = app.store.change(ids, Change::Requeue).await?;
    let retried = fates.iter().filter(|fate| **fate == Fate::Done).count();
    Ok(Json(json!({ "retried": retried, "more": page.next.is_some() })))
}
