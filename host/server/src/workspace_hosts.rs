//! `/v1/workspace-hosts`: which hosts have workspaces, and what of them is given up.

use axum::Json;
use axum::extract::State;
use bulkhead_store::{HomeView, ReleaseFate};
use serde_json::{Value, json};

use crate::app::App;
use crate::path_part::PathPart;
use crate::problem::Problem;

/// `GET /v1/workspace-hosts`
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let homes = match app.store.homes() {
        Some(homes) => homes.homes().await?,
        None => Vec::new(),
    };
    let items: Vec<Value> = homes.iter().map(item).collect();
    Ok(Json(json!({ "items": items })))
}

fn item(home: &HomeView) -> Value {
    json!({
        "host": home.host,
        "home": home.home,
        "workspaces": home.workspaces,
        "seen_at": home.seen_at,
        "is_there": home.is_there,
        "released_at": home.released_at,
    })
}

/// `POST /v1/workspace-hosts/{host}/release`
pub(crate) async fn release(State(app): State<App>, PathPart(host): PathPart<String>) -> Result<Json<Value>, Problem> {
    let fate = match app.store.homes() {
        Some(homes) => homes.release(&host).await?,
        None => ReleaseFate::Unknown,
    };
    match fate {
        ReleaseFate::Released { workspaces } => Ok(Json(json!({ "host": host, "workspaces": workspaces }))),
        ReleaseFate::StillThere => Err(Problem::Conflict(format!(
            "host `{}` is there, and has its workspaces: stop it first, and wait until it is not heard of any more",
            host.escape_debug()
        ))),
        ReleaseFate::Unknown => Err(Problem::NotFound(format!(
            "no host `{}` has workspaces; `bulkhead workspace hosts` says which have",
            host.escape_debug()
        ))),
    }
}
