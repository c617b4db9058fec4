//! `GET /v1/workflows` and `GET /v1/workflows/{id}`.

use axum::Json;
use axum::extract::State;
use bulkhead_core::{TaskId, WorkflowState};
use bulkhead_store::{WorkflowFilter, WorkflowPage, WorkflowSelection};
use serde::Deserialize;

use super::unknown;
use super::whole::Whole;
use crate::app::App;
use crate::page_limit::{LIMIT, page_limit};
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::query::tenant;
use crate::waiting::{WaitQuery, within};

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
    let limit = page_limit(query.limit, LIMIT)?;
    let states = query.state.as_deref().unwrap_or_default().split(',').filter(|state| !state.is_empty());
    let states = states.map(str::parse::<WorkflowState>).collect::<Result<_, _>>().map_err(Problem::Malformed)?;
    let filter = WorkflowFilter { states, name: query.name, namespace: query.namespace, tenant: tenant(query.tenant)? };
    let after = query.cursor.map(TaskId::parse).transpose()?;
    Ok(Json(app.store.workflows(WorkflowSelection { filter, limit, after }).await?))
}

/// `GET /v1/workflows/{id}[?wait=30s]`
pub(crate) async fn get(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    Parameters(query): Parameters<WaitQuery>,
) -> Result<Json<Whole>, Problem> {
    let id = TaskId::parse(id)?;
    let found = match query.wait {
        None => app.store.workflow(&id).await?,
        Some(wait) => within(&app, wait, |limit| app.store.wait_workflow(&id, limit)).await?,
    };
    Ok(Json(Whole::read(&app, found.ok_or_else(|| unknown(&id))?).await?))
}
