//! `/v1/queue`: what waits, and what an operator holds back.

use axum::Json;
use axum::extract::State;
use bulkhead_core::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::parameters::Parameters;
use crate::problem::Problem;

/// Which part of the queue is meant; all of it where no kind is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartQuery {
    kind: Option<String>,
}

/// `GET /v1/queue`
pub(crate) async fn get(State(app): State<App>) -> Json<Value> {
    let mut depths = app.store.depths();
    depths.retain(|depth| depth.pending > 0);
    let routes: Vec<Value> = depths
        .iter()
        .map(|depth| {
            json!({
                "kind": depth.route.kind,
                "requires": depth.route.requires,
                "home": depth.route.home,
                "pending": depth.pending,
                "oldest_due": depth.oldest_due,
            })
        })
        .collect();
    let held = app.store.held();
    Json(json!({ "paused": held.all, "paused_kinds": held.kinds, "routes": routes }))
}

/// `POST /v1/queue/pause[?kind=…]`: nothing more of it is claimed; what runs goes on.
pub(crate) async fn pause(
    State(app): State<App>,
    Parameters(part): Parameters<PartQuery>,
) -> Result<Json<Value>, Problem> {
    hold(&app, part, true).await
}

/// `POST /v1/queue/resume[?kind=…]`
pub(crate) async fn resume(
    State(app): State<App>,
    Parameters(part): Parameters<PartQuery>,
) -> Result<Json<Value>, Problem> {
    hold(&app, part, false).await
}

async fn hold(app: &App, PartQuery { kind }: PartQuery, held: bool) -> Result<Json<Value>, Problem> {
    app.store.hold(kind.map(Kind::parse).transpose()?, held).await?;
    let held = app.store.held();
    Ok(Json(json!({ "paused": held.all, "paused_kinds": held.kinds })))
}
