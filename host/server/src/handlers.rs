//! `/v1/handlers`: who serves what.

use axum::Json;
use axum::extract::State;
use bulkhead_core::Sources;
use bulkhead_sandbox::{HandlerEntry, LiveHandler};
use serde_json::{Value, json};

use crate::app::App;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// `GET /v1/handlers`
pub(crate) async fn list(State(app): State<App>) -> Json<Value> {
    let snapshot = app.catalogue.snapshot();
    let items: Vec<Value> = snapshot.entries().iter().map(summary).collect();
    Json(json!({ "generation": snapshot.generation, "items": items }))
}

/// `GET /v1/handlers/{name}`
pub(crate) async fn get(State(app): State<App>, PathPart(name): PathPart<String>) -> Result<Json<Value>, Problem> {
    let snapshot = app.catalogue.snapshot();
    let entry = snapshot.entries().iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| Problem::NotFound(format!("there is no handler `{}`", name.escape_debug())))?;
    let mut view = summary(entry);
    if let (Value::Object(members), Some(live)) = (&mut view, &entry.live) {
        members.insert("options".to_owned(), options(live));
    }
    Ok(Json(view))
}

fn summary(entry: &HandlerEntry) -> Value {
    json!(entry.view())
}

/// Each effective option with who said so.
fn options(live: &LiveHandler) -> Value {
    let sources: Sources<'_> = live.sources(None);
    json!({
        "timeout": sources.timeout(),
        "fuel": sources.fuel(),
        "memory": sources.memory(),
        "max_attempts": sources.max_attempts(),
        "backoff": sources.backoff(),
        "result": sources.result(),
        "logs": sources.logs(),
        "max_concurrent": sources.max_concurrent(),
        "on_trap": sources.on_trap(),
        "retry_on_fuel": sources.retry_on_fuel(),
        "retry_from": sources.retry_from(),
        "max_stages": sources.max_stages(),
        "max_fuel_total": sources.max_fuel_total(),
    })
}
