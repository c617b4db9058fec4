//! `/v1/schedules`: tasks that are made again and again.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{ScheduleName, ScheduleSubmission, Timestamp};
use bulkhead_store::{MAX_SCHEDULES, ScheduleChange, ScheduleFate, ScheduleView};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::bulk::read_object;
use crate::items::Items;
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::submit::{check_kind, read_body};

/// How a schedule is put.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutQuery {
    #[serde(default)]
    replace: bool,
}

/// `POST /v1/schedules[?replace=true]`
pub(crate) async fn put(
    State(app): State<App>,
    Parameters(query): Parameters<PutQuery>,
    body: Body,
) -> Result<Response, Problem> {
    let submission: ScheduleSubmission = read_object(&read_body(body).await?)?;
    // The store counts intervals from its own clock; none of the checks depends on when.
    let schedule = submission.clone().check(&app.settings.limits, Timestamp::default())?;
    check_kind(&app, &schedule.task)?;
    let change = ScheduleChange::Put { submission: Box::new(submission), replace: query.replace };
    let fate = change_one(&app, &schedule.name, change).await?;
    let status = if fate == ScheduleFate::Added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(find(&app, &schedule.name).await?)).into_response())
}

/// `GET /v1/schedules`
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Items<ScheduleView>>, Problem> {
    Ok(Json(Items { items: app.store.schedules().await? }))
}

/// `GET /v1/schedules/{name}`
pub(crate) async fn get(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
) -> Result<Json<ScheduleView>, Problem> {
    find(&app, &ScheduleName::parse(name)?).await.map(Json)
}

/// `DELETE /v1/schedules/{name}`
pub(crate) async fn remove(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    let name = ScheduleName::parse(name)?;
    change_one(&app, &name, ScheduleChange::Remove(name.clone())).await?;
    Ok(Json(json!({ "name": name, "removed": true })))
}

/// `POST /v1/schedules/{name}/pause`
pub(crate) async fn pause(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
) -> Result<Json<ScheduleView>, Problem> {
    let name = ScheduleName::parse(name)?;
    change_one(&app, &name, ScheduleChange::Pause(name.clone())).await?;
    find(&app, &name).await.map(Json)
}

/// `POST /v1/schedules/{name}/resume`
pub(crate) async fn resume(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
) -> Result<Json<ScheduleView>, Problem> {
    let name = ScheduleName::parse(name)?;
    change_one(&app, &name, ScheduleChange::Resume(name.clone())).await?;
    find(&app, &name).await.map(Json)
}

async fn find(app: &App, name: &ScheduleName) -> Result<ScheduleView, Problem> {
    app.store.schedule(name).await?.ok_or_else(|| unknown(name))
}

/// What became of a change that was made; else why not.
async fn change_one(app: &App, name: &ScheduleName, change: ScheduleChange) -> Result<ScheduleFate, Problem> {
    match app.store.change_schedule(change).await? {
        fate @ (ScheduleFate::Added | ScheduleFate::Same | ScheduleFate::Replaced | ScheduleFate::Done) => Ok(fate),
        ScheduleFate::Unknown => Err(unknown(name)),
        ScheduleFate::Taken => Err(Problem::Conflict(format!(
            "a schedule `{name}` is there already, and is written otherwise; take another name, or replace it (replace=true)"
        ))),
        ScheduleFate::TooMany => Err(Problem::Conflict(format!(
            "there are {MAX_SCHEDULES} schedules already, as many as a store keeps; remove one first"
        ))),
        ScheduleFate::Unacceptable(error) => Err(error.into()),
        ScheduleFate::Refused(message) => {
            tracing::error!(schedule = %name, message, "the store refused a schedule");
            Err(Problem::Unacceptable(format!("the store refuses the schedule `{name}`; the host's log says why")))
        }
    }
}

fn unknown(name: &ScheduleName) -> Problem {
    Problem::NotFound(format!("there is no schedule `{name}`"))
}
