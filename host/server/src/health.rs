//! `/health`: whether the host lives, and whether it can take work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bulkhead_worker::WorkerState;
use serde_json::{Value, json};

use crate::app::App;

/// `GET /health/live`: the process answers.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /health/ready`: the worker runs on confirmed leases.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let status = app.worker.status();
    let ready = status.state == WorkerState::Running && status.lease_confirmed;
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "status": if ready { "ok" } else { "unready" }, "worker": status.state }))).into_response()
}

/// `GET /health`: all of it, for people.
pub(crate) async fn all(State(app): State<App>) -> Json<Value> {
    let snapshot = app.catalogue.snapshot();
    let live = snapshot.entries().iter().filter(|entry| entry.live.is_some()).count();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "worker": app.worker.status(),
        "handlers": { "live": live, "known": snapshot.entries().len() },
    }))
}
