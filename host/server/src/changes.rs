//! What callers ask of tasks that are there: cancel, retry, pause, resume, resolve.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{JsonText, State as TaskState, TaskId, chosen_by_hand};
use bulkhead_store::{Change, Fate, Resolution};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::submit::read_body;
use crate::tasks::unknown;

/// `POST /v1/tasks/{id}/cancel`
pub(crate) async fn cancel(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    let id = TaskId::parse(id)?;
    match fate(&app, &id, Change::Cancel).await? {
        Fate::Underway => Ok(underway(&id, "cancelling")),
        Fate::Refused(state) => Err(Problem::Conflict(format!("task `{id}` has ended already: it is {state}"))),
        _ => Ok(is_now(&id, TaskState::Cancelled)),
    }
}

/// `POST /v1/tasks/{id}/retry`, and the same of a dead letter.
pub(crate) async fn retry(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    let id = TaskId::parse(id)?;
    match fate(&app, &id, Change::Requeue).await? {
        Fate::Refused(state) => {
            Err(Problem::Conflict(format!("only dead tasks are retried by hand, and task `{id}` is {state}")))
        }
        _ => Ok(is_now(&id, TaskState::Ready)),
    }
}

/// `POST /v1/tasks/{id}/pause`
pub(crate) async fn pause(State(app): State<App>, PathPart(id): PathPart<String>) -> Result<Response, Problem> {
    let id = TaskId::parse(id)?;
    match fate(&app, &id, Change::Pause).await? {
        Fate::Underway => Ok(underway(&id, "pausing")),
        Fate::Refused(state) => {
            Err(Problem::Conflict(format!("only ready and running tasks are paused, and task `{id}` is {state}")))
        }
        _ => Ok(is_now(&id, TaskState::Paused)),
    }
}

/// What may be said with an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResumeBody {
    payload: Option<JsonText>,
}

/// `POST /v1/tasks/{id}/resume`: lets a paused task go on, or gives one that waits for an answer its answer.
pub(crate) async fn resume(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    body: Body,
) -> Result<Response, Problem> {
    let id = TaskId::parse(id)?;
    let ResumeBody { payload } = read_json(body, "{}").await?;
    check_size(&app, "payload", payload.as_ref())?;
    match fate(&app, &id, Change::Resume(payload)).await? {
        Fate::OnChildren => {
            Err(Problem::Conflict(format!("task `{id}` waits for its children: it goes on when they have ended")))
        }
        Fate::Refused(TaskState::Paused) => Err(Problem::Conflict(format!(
            "task `{id}` is paused and waits for no answer: resume it without a payload"
        ))),
        Fate::Refused(state) => Err(Problem::Conflict(format!(
            "only paused tasks and those that wait for an answer are resumed, and task `{id}` is {state}"
        ))),
        Fate::Stays(state) => Ok(is_now(&id, state)),
        _ => Ok(is_now(&id, TaskState::Ready)),
    }
}

/// The result with which a dead letter is closed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveBody {
    #[serde(default = "JsonText::null")]
    result: JsonText,
}

/// `POST /v1/dlq/{id}/resolve`: closes a dead letter by hand.
pub(crate) async fn resolve(
    State(app): State<App>,
    PathPart(id): PathPart<String>,
    body: Body,
) -> Result<Response, Problem> {
    let id = TaskId::parse(id)?;
    let ResolveBody { result } = read_json(body, "{}").await?;
    check_size(&app, "result", Some(&result))?;
    let resolution = resolution(&app, &id, result).await?;
    match fate(&app, &id, Change::Resolve(resolution)).await? {
        Fate::Refused(state) => Err(Problem::Conflict(format!(
            "only dead tasks and blocked steps are resolved by hand, and task `{id}` is {state}"
        ))),
        _ => Ok(is_now(&id, TaskState::Resolved)),
    }
}

/// What a task is closed with; the result of a step is refused that does not say what the steps behind it must know.
async fn resolution(app: &App, id: &TaskId, result: JsonText) -> Result<Resolution, Problem> {
    let Some(task) = app.store.get(id).await? else { return Err(unknown(id)) };
    let is_open = matches!(task.state, TaskState::Dead | TaskState::Blocked);
    let step = task.workflow.and_then(|step| step.place).filter(|_| is_open);
    let Some((plan, place)) = step else { return Ok(result.into()) };
    let Some(plan) = app.store.plan(plan).await? else { return Ok(result.into()) };
    let chosen = chosen_by_hand(&plan, place, &result);
    let chosen = chosen.map_err(|problem| Problem::Unacceptable(format!("result: {problem}")))?;
    Ok(Resolution { result, chosen })
}

async fn fate(app: &App, id: &TaskId, change: Change) -> Result<Fate, Problem> {
    match app.store.change(vec![id.clone()], change).await?.first() {
        Some(Fate::Unknown) | None => Err(unknown(id)),
        Some(fate) => Ok(*fate),
    }
}

fn is_now(id: &TaskId, state: TaskState) -> Response {
    Json(json!({ "id": id, "state": state })).into_response()
}

/// It runs: what was asked happens when its run is over.
fn underway(id: &TaskId, what: &str) -> Response {
    let mut answer = json!({ "id": id, "state": "running" });
    answer[what] = Value::Bool(true);
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}

/// A body of JSON; where it is empty, `absent`.
async fn read_json<T: serde::de::DeserializeOwned>(body: Body, absent: &str) -> Result<T, Problem> {
    let body = read_body(body).await?;
    let text = if body.trim_ascii().is_empty() { absent.as_bytes() } else { &body };
    Ok(serde_json::from_slice(text)?)
}

fn check_size(app: &App, what: &str, text: Option<&JsonText>) -> Result<(), Problem> {
    let (size, limit) = (text.map_or(0, JsonText::len), app.settings.limits.payload);
    if size > limit {
        return Err(Problem::TooLarge(format!(
            "{what}: {size} bytes; at most {limit} are allowed (store.max_payload)"
        )));
    }
    Ok(())
}
