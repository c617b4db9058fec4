//! `/v1/webhooks`: receivers outside that are sent events.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_core::{Kind, WebhookName, WebhookSubmission};
use bulkhead_store::{MAX_WEBHOOKS, NewWebhook, Webhook, WebhookFate};
use bulkhead_webhooks::{Endpoint, make_secret, stored_secret};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::bulk::read_object;
use crate::page_limit::{LIMIT, MAX_LIMIT, page_limit};
use crate::parameters::Parameters;
use crate::path_part::PathPart;
use crate::problem::Problem;
use crate::submit::read_body;

/// `POST /v1/webhooks`
pub(crate) async fn add(State(app): State<App>, body: Body) -> Result<Response, Problem> {
    let submission: WebhookSubmission = read_object(&read_body(body).await?)?;
    let filter = submission.filter().map_err(|error| Problem::Unacceptable(error.to_string()))?;
    Endpoint::parse(&submission.url, &app.settings.webhooks.rules)?;
    let secret = match submission.secret.clone() {
        None => make_secret()?,
        // It may be in a file, which is not read on a thread that others wait for.
        Some(place) => {
            tokio::task::spawn_blocking(move || stored_secret(&place)).await.map_err(|_| Problem::Stopping)??
        }
    };
    let made = secret.place().is_none().then(|| secret.expose().to_owned());
    let WebhookSubmission { name, url, .. } = submission;
    match app.store.add_webhook(NewWebhook { name: name.clone(), url, filter, secret }).await? {
        WebhookFate::Added(webhook) => {
            let mut view = shown(&webhook);
            if let (Some(members), Some(secret)) = (view.as_object_mut(), made) {
                // The one time that it is told.
                members.insert("secret".to_owned(), json!(secret));
            }
            Ok((StatusCode::CREATED, Json(view)).into_response())
        }
        WebhookFate::Taken => Err(Problem::Conflict(format!(
            "a webhook `{name}` is there already; take another name, or remove it first"
        ))),
        WebhookFate::TooMany => Err(Problem::Conflict(format!(
            "there are {MAX_WEBHOOKS} webhooks already, as many as a store keeps; remove one first"
        ))),
    }
}

/// `GET /v1/webhooks`
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let mut items = Vec::new();
    for webhook in app.store.webhooks().await? {
        // One that was removed meanwhile is left out.
        if let Some(backlog) = app.store.backlog(&webhook.name).await? {
            items.push(with(shown(&webhook), &json!(backlog)));
        }
    }
    Ok(Json(json!({ "items": items })))
}

/// `GET /v1/webhooks/{name}`
pub(crate) async fn get(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    let name = WebhookName::parse(name)?;
    let webhooks = app.store.webhooks().await?;
    let webhook = webhooks.into_iter().find(|webhook| webhook.name == name).ok_or_else(|| unknown(&name))?;
    let backlog = app.store.backlog(&name).await?.ok_or_else(|| unknown(&name))?;
    Ok(Json(with(shown(&webhook), &json!(backlog))))
}

/// `DELETE /v1/webhooks/{name}`
pub(crate) async fn remove(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    let name = WebhookName::parse(name)?;
    match app.store.remove_webhook(&name).await? {
        true => Ok(Json(json!({ "name": name, "removed": true }))),
        false => Err(unknown(&name)),
    }
}

/// What may stand behind the `?` of parked deliveries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParkedQuery {
    after: Option<i64>,
    limit: Option<usize>,
}

/// `GET /v1/webhooks/{name}/parked`
pub(crate) async fn parked(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
    Parameters(query): Parameters<ParkedQuery>,
) -> Result<Json<Value>, Problem> {
    let name = WebhookName::parse(name)?;
    let limit = page_limit(query.limit, LIMIT)?;
    app.store.backlog(&name).await?.ok_or_else(|| unknown(&name))?;
    let items = app.store.parked(&name, query.after.unwrap_or(0), limit).await?;
    let next = items.last().filter(|_| items.len() == limit).map(|last| last.number);
    Ok(Json(json!({ "items": items, "next": next })))
}

/// What is to be tried again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Retry {
    /// The numbers of the events; all that are parked where it is absent.
    events: Option<Vec<i64>>,
}

/// `POST /v1/webhooks/{name}/retry`
pub(crate) async fn retry(
    State(app): State<App>,
    PathPart(name): PathPart<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let name = WebhookName::parse(name)?;
    let body = read_body(body).await?;
    let asked: Retry = if body.trim_ascii().is_empty() { Retry::default() } else { read_object(&body)? };
    if let Some(count) = asked.events.as_ref().map(Vec::len).filter(|count| *count > MAX_LIMIT) {
        return Err(Problem::Unacceptable(format!(
            "events: at most {MAX_LIMIT} at once, here are {count}; leave it out for all"
        )));
    }
    let retried = app.store.retry_parked(&name, asked.events).await?.ok_or_else(|| unknown(&name))?;
    Ok(Json(json!({ "name": name, "retried": retried })))
}

/// A webhook as callers see it: of its secret only where it is.
fn shown(webhook: &Webhook) -> Value {
    let filter = &webhook.filter;
    let kinds: Vec<&Kind> = filter.kinds.iter().collect();
    let mut view = json!({
        "name": webhook.name,
        "url": Endpoint::shown(&webhook.url),
        "events": filter.types,
        "kinds": kinds,
        "secret": webhook.secret.place().unwrap_or("made by the host"),
        "made_at": webhook.made_at,
    });
    if let (Some(members), Some(tenant)) = (view.as_object_mut(), &filter.tenant) {
        members.insert("tenant".to_owned(), json!(tenant));
    }
    view
}

fn with(mut view: Value, more: &Value) -> Value {
    if let (Some(members), Some(more)) = (view.as_object_mut(), more.as_object()) {
        members.extend(more.clone());
    }
    view
}

fn unknown(name: &WebhookName) -> Problem {
    Problem::NotFound(format!("there is no webhook `{name}`"))
}
