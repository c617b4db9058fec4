//! `GET /v1/workflows` and `GET /v1/workflows/{id}`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use bulkhead_core::{Span, TaskId, WorkflowState};
use bulkhead_store::{WorkflowFilter, WorkflowPage, WorkflowSelection};
use serde::Deserialize;

use super::unknown;
use super::whole::Whole;
use crate::app::App;
use crate::parameters::Parameters;
use crate::problem::Problem;

/// The longest that one request waits for a workflow to settle.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The longest page.
const MAX_LIMIT: usize = 1_000;

/// The length of a page where none is given.
const LIMIT: usize = 100;

/// The parameters of a list of workflows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// States, with commas between.
    state: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    tenant: Option<String>,
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// `GET /v1/workflows`
pub(crate) async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<WorkflowPage>, Problem> {
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::Malformed(format!("limit must be from 1 to {MAX_LIMIT}: `{limit}`")));
    }
    let states = query.state.as_deref().unwrap_or_default().split(',').filter(|state| !state.is_empty());
    let states = states.map(str::parse::<WorkflowState>).collect::<Result<_, _>>().map_err(Problem::Malformed)?;
    let filter = WorkflowFilter { states, name: query.name, namespace: query.namespace, tenant: query.tenant };
    let after = query.cursor.map(TaskId::parse).transpose()?;
    Ok(Json(app.store.workflows(WorkflowSelection { filter, limit, after }).await?))
}

/// The parameters of one workflow's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetQuery {
    wait: Option<Span>,
}

/// `GET /v1/workflows/{id}[?wait=30s]`
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
    Parameters(query): Parameters<GetQuery>,
) -> Result<Json<Whole>, Problem> {
    let id = TaskId::parse(id)?;
    let found = match query.wait {
        None => app.store.workflow(&id).await?,
        Some(wait) if wait.duration() > MAX_WAIT => {
            return Err(Problem::Malformed(format!("wait must be at most 60s: `{wait}`; ask again to wait longer")));
        }
        Some(wait) => {
            let mut stopping = app.stopping.clone();
            tokio::select! {
                found = app.store.wait_workflow(&id, wait.duration()) => found?,
                _ = stopping.wait_for(|stopping| *stopping) => return Err(Problem::Stopping),
            }
        }
    };
    Ok(Json(Whole::read(&app, found.ok_or_else(|| unknown(&id))?).await?))
}
