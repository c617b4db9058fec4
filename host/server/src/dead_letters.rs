//! `/v1/dlq`: the tasks that ended badly.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{State as TaskState, TaskId};
use bulkhead_store::{Change, Fate, Page, Selection, StoreError, TaskView};
use serde_json::{Value, json};

use crate::app::App;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::query::ListQuery;
use crate::tasks::unknown;

/// Dead letters that one request changes, and that an export reads at once.
const AT_ONCE: usize = 1_000;
const EXPORTED_AT_ONCE: usize = 100;

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
pub(crate) async fn get(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Json<TaskView>, Problem> {
    let id = TaskId::parse(id)?;
    let task = app.store.get(&id).await?.ok_or_else(|| unknown(&id))?;
    if task.state == TaskState::Dead {
        return Ok(Json(task));
    }
    Err(Problem::NotFound(format!("task `{id}` is no dead letter: it is {}", task.state)))
}

/// `POST /v1/dlq/retry?kind=…&reason=…&limit=…&cursor=…`: those of one page, a thousand at most, newest first.
pub(crate) async fn retry_matching(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let Changed { done, next, .. } = change_matching(&app, query, Change::Requeue).await?;
    Ok(Json(json!({ "retried": done, "next": next })))
}

/// `POST /v1/dlq/purge?older_than=…`: removes those of one page for good; a child stays until its parent goes.
pub(crate) async fn purge(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let Changed { done, kept, next } = change_matching(&app, query, Change::Remove).await?;
    Ok(Json(json!({ "purged": done, "kept": kept, "next": next })))
}

/// What became of a page of dead letters.
struct Changed {
    done: usize,
    kept: usize,
    /// Where the next page begins.
    next: Option<String>,
}

/// Asks the same of a page of dead letters.
async fn change_matching(app: &App, query: ListQuery, change: Change) -> Result<Changed, Problem> {
    let mut selection = query.selection_of(AT_ONCE)?;
    selection.filter.states = vec![TaskState::Dead];
    let page = app.store.list(selection).await?;
    let ids: Vec<TaskId> = page.items.into_iter().map(|task| task.id).collect();
    let fates = app.store.change(ids, change).await?;
    let done = fates.iter().filter(|fate| **fate == Fate::Done).count();
    Ok(Changed { done, kept: fates.len() - done, next: page.next })
}

/// `GET /v1/dlq/export?kind=…&reason=…`: every dead letter that matches, whole, a line each, newest first.
pub(crate) async fn export(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let mut selection = query.selection_of(EXPORTED_AT_ONCE)?;
    selection.filter.states = vec![TaskState::Dead];
    // What is wrong with the question is told before the first line.
    app.store.list(Selection { limit: 1, ..selection.clone() }).await?;
    let lines = futures::stream::try_unfold(Some(selection), move |selection| {
        let app = app.clone();
        async move {
            let Some(mut selection) = selection else { return Ok::<_, StoreError>(None) };
            let page = app.store.list(selection.clone()).await?;
            let mut lines = Vec::new();
            for task in page.items {
                // One that was retried meanwhile is no dead letter any more.
                let whole = app.store.get(&task.id).await?.filter(|task| task.state == TaskState::Dead);
                if let Some(line) = whole.and_then(|task| serde_json::to_vec(&task).ok()) {
                    lines.extend(line);
                    lines.push(b'\n');
                }
            }
            let next = page.next.map(|cursor| {
                selection.cursor = Some(cursor);
                selection
            });
            Ok(Some((lines, next)))
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}
