//! Every address that is answered.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::{delete, get, post};

use crate::app::App;
use crate::problem::Problem;
use crate::{
    changes, dead_letters, events, handlers, health, host_check, metrics, queue, schedules, submit, tasks, templates,
    webhooks, workers, workflows, workspace_hosts, workspaces,
};

/// The whole API.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/v1/tasks", post(submit::submit).get(tasks::list))
        .route("/v1/tasks/{id}", get(tasks::get))
        .route("/v1/tasks/{id}/logs", get(tasks::logs))
        .route("/v1/tasks/{id}/audit", get(tasks::audits))
        .route("/v1/tasks/{id}/cancel", post(changes::cancel))
        .route("/v1/tasks/{id}/pause", post(changes::pause))
        .route("/v1/tasks/{id}/resume", post(changes::resume))
        .route("/v1/tasks/{id}/retry", post(changes::retry))
        .route("/v1/queue", get(queue::get))
        .route("/v1/queue/pause", post(queue::pause))
        .route("/v1/queue/resume", post(queue::resume))
        .route("/v1/schedules", post(schedules::put).get(schedules::list))
        .route("/v1/schedules/{name}", get(schedules::get).delete(schedules::remove))
        .route("/v1/schedules/{name}/pause", post(schedules::pause))
        .route("/v1/schedules/{name}/resume", post(schedules::resume))
        .route("/v1/workflows", post(workflows::start).get(workflows::list))
        .route("/v1/workflows/{id}", get(workflows::get))
        .route("/v1/workflows/{id}/graph", get(workflows::graph))
        .route("/v1/workflows/{id}/cancel", post(workflows::cancel))
        .route("/v1/workflows/{id}/pause", post(workflows::pause))
        .route("/v1/workflows/{id}/resume", post(workflows::resume))
        .route("/v1/templates", get(templates::list))
        .route("/v1/templates/schema", get(templates::schema))
        .route("/v1/templates/{namespace}/{name}", get(templates::get))
        .route("/v1/templates/{namespace}/{name}/graph", get(templates::graph))
        .route("/v1/dlq", get(dead_letters::list))
        .route("/v1/dlq/retry", post(dead_letters::retry_matching))
        .route("/v1/dlq/purge", post(dead_letters::purge))
        .route("/v1/dlq/export", get(dead_letters::export))
        .route("/v1/dlq/{id}", get(dead_letters::get))
        .route("/v1/dlq/{id}/retry", post(changes::retry))
        .route("/v1/dlq/{id}/resolve", post(changes::resolve))
        .route("/v1/events", get(events::stream))
        .route("/v1/webhooks", post(webhooks::add).get(webhooks::list))
        .route("/v1/webhooks/{name}", get(webhooks::get).delete(webhooks::remove))
        .route("/v1/webhooks/{name}/parked", get(webhooks::parked))
        .route("/v1/webhooks/{name}/retry", post(webhooks::retry))
        .route("/v1/handlers", get(handlers::list))
        .route("/v1/handlers/{name}", get(handlers::get))
        .route("/v1/workers", get(workers::list))
        .route("/v1/workers/{name}/pause", post(workers::pause))
        .route("/v1/workers/{name}/resume", post(workers::resume))
        .route("/v1/workers/{name}/drain", post(workers::drain))
        .route("/v1/workspace-hosts", get(workspace_hosts::list))
        .route("/v1/workspace-hosts/{host}/release", post(workspace_hosts::release))
        .route("/v1/workspaces/{id}", delete(workspaces::remove_all))
        .route("/v1/workspaces/{id}/files", get(workspaces::list))
        .route("/v1/workspaces/{id}/files/", get(workspaces::list))
        .route(
            "/v1/workspaces/{id}/files/{*path}",
            get(workspaces::get).put(workspaces::put).delete(workspaces::remove),
        )
        .route("/health", get(health::all))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        // Bodies are bounded where they are read.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(host_check::check))
        .with_state(app)
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::WrongMethod(format!("`{method}` is not for `{}`", uri.path().escape_debug()))
}

async fn unknown(uri: Uri) -> Problem {
    Problem::NotFound(format!("there is nothing at `{}`", uri.path().escape_debug()))
}
